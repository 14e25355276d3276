"""Deadlocks: what each thread waits for, who prevents it from running, and how that is displayed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dio_mc.render.pseudo import awaited
from dio_mc.render.scene import cpu_of, held_at
from dio_mc.render.statement import printable
from dio_mc.trace.trace import Trace, Waiting

_MOST_NAMED = 3
ASLEEP = re.compile(r"\.asleep\[\d+\]$")
"""The cell of a wait queue that says that a thread sleeps on it until it is woken."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A thread that waits forever. `cell` is the data it waits for, empty if it is a lock or not known; `by` are the
    threads that hold the lock, or whose code could still change the data; `step` is where the data got its value.
    `queued`: the threads in `by` wait for the lock themselves, and no thread overtakes them. `asleep`: the thread
    sleeps on a wait queue."""

    waiting: Waiting
    cell: str
    by: tuple[str, ...]
    step: int | None
    known: bool
    queued: bool = False
    asleep: bool = False


def blocked(trace: Trace) -> tuple[Blocked, ...]:
    """The threads that wait forever, in the order of the program."""
    return tuple(_blocked(trace, waiting) for waiting in trace.stuck)


def _blocked(trace: Trace, waiting: Waiting) -> Blocked:
    wait = next((w for w in trace.why.waits if w.thread == waiting.thread), None) if trace.why is not None else None
    roles = {cell.name: cell.role for cell in trace.initial}
    if wait is not None and roles[wait.cell] != "lock":
        return Blocked(waiting, wait.cell, wait.setters, wait.step, True)
    *_, final = trace.states()
    text = awaited(waiting, final, dict(trace.model.params))[1]
    if wait is not None and ASLEEP.search(wait.cell):
        return Blocked(waiting, "", (), wait.step, True, asleep=True)
    lock = re.sub(r"\.\w+(\[\d+\])*$", "", wait.cell) if wait is not None else ""
    held = held_at(trace, len(trace.steps))
    holders = [h.thread for h in held if h.lock == lock or (not lock and _names(text, h.lock))]
    before = trace.steps[wait.step - 1].thread if wait is not None and wait.step is not None else ""
    if before and before not in holders and _queues(trace, wait.cell if wait is not None else ""):
        return Blocked(waiting, "", (before,), None, True, queued=True)
    if not holders and wait is not None and wait.step is not None:
        holders = [trace.steps[wait.step - 1].thread]
    return Blocked(waiting, "", tuple(dict.fromkeys(holders)), None, bool(holders))


def _queues(trace: Trace, cell: str) -> bool:
    """Whether a cell of a lock says that a thread has queued for it and still waits."""
    *_, final = trace.states()
    match = re.fullmatch(r".+\.waiting\[(?P<thread>\d+)\]", cell)
    return match is not None and final[cell] == "True" and int(match["thread"]) < len(trace.threads)


def _names(text: str, lock: str) -> bool:
    """Whether a call has this lock as an argument: ``lock(fork[1])``."""
    return re.search(rf"[(, ]{re.escape(lock)}[,)]", text) is not None


def reason(trace: Trace, one: Blocked) -> str:
    """``held by CPU1``, ``which only CPU1 can change``; empty if it is not known."""
    if not one.known:
        return ""
    if one.asleep:
        return "and nobody wakes it"
    if one.queued:
        return f"for which {_listed(trace, one.by, one.waiting.thread)} has queued"
    if not one.cell:
        return f"held by {_listed(trace, one.by, one.waiting.thread)}"
    if one.by:
        return f"and only {_listed(trace, one.by, one.waiting.thread, 'or')} can change {one.cell}"
    if one.step is None:
        return f"and no thread changes {one.cell} any more"
    return f"and {one.cell} was last set by {cpu_of(trace, trace.steps[one.step - 1].thread)} in step {one.step}"


def _listed(trace: Trace, threads: Sequence[str], own: str, word: str = "and") -> str:
    names = ["itself" if name == own else cpu_of(trace, name) for name in threads]
    if len(names) > _MOST_NAMED:
        names = [*names[:_MOST_NAMED], f"{len(names) - _MOST_NAMED} more"]
    return f" {word} ".join(", ".join(names).rsplit(", ", 1))


def cycle(found: Sequence[Blocked]) -> tuple[str, ...]:
    """The first cycle of threads that wait for each other, starting with its first thread; empty if there is none."""
    following = {one.waiting.thread: one.by for one in found}
    for start in following:
        path = [start]
        while (after := next(iter(following.get(path[-1], ())), "")) in following and after not in path:
            path.append(after)
        if after == start and len(path) > 1:
            return tuple(path)
    return ()


def blocked_lines(trace: Trace, one: Blocked) -> list[str]:
    """The lines in a lane: the call that does not return and who holds the lock, or the condition that is not met."""
    *_, final = trace.states()
    is_condition, text = awaited(one.waiting, final, dict(trace.model.params))
    why = reason(trace, one)
    if is_condition:
        rows = [f"waits until {text}", *([why.removeprefix("and ")] if why else [])]
        return [printable(f"/* {line} */") for line in rows]
    comment = printable(f"/* waits{why and ': '}{why.removeprefix('and ').removeprefix('for which ')} */")
    return [comment] if _has_begun(trace, one) else [text, comment]


def starved_lines(trace: Trace, waiting: Waiting) -> list[str]:
    """The lines in the lane of a thread that waits throughout a loop."""
    *_, final = trace.states()
    is_condition, text = awaited(waiting, final, dict(trace.model.params))
    rows = [f"/* waits until {text}, all the time */"] if is_condition else [text, "/* waits all the time */"]
    return [printable(line) for line in rows]


def _has_begun(trace: Trace, one: Blocked) -> bool:
    """Whether the last step of the thread was the first half of the call that it waits in: a writer has queued."""
    own = [step for step in trace.steps if step.thread == one.waiting.thread]
    queued = [c for c in own[-1].changes if c.role == "lock" and _queues(trace, c.cell)] if own else []
    return bool(queued) and own[-1].text == one.waiting.text
