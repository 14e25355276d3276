"""For a run that gets stuck, who waits for whom; for an infinite one that never reaches its goal, how it could have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dio_mc.render.blocked import ASLEEP
from dio_mc.render.scene import cpu_of
from dio_mc.render.statement import cut_statement
from dio_mc.trace.cause import Wait
from dio_mc.trace.trace import Trace

_MOST_WAITS = 3


def waiting_sentence(trace: Trace) -> str:
    """``CPU0 waits for fork[1] of CPU1 (2), CPU1 for fork[0] of CPU0 (1): a cycle.`` Empty if no thread waits."""
    waits = trace.why.waits if trace.why is not None else ()
    cycle = _cycle(trace, waits)
    parts = [_described(trace, wait, "for" if n else "waits for") for n, wait in enumerate(cycle or waits)]
    if not parts:
        return ""
    shown = ", ".join(parts if len(parts) <= _MOST_WAITS else parts[: _MOST_WAITS - 1])
    if len(cycle) > _MOST_WAITS:
        return f"{shown}, and so on round a cycle of {len(cycle)}."
    if len(cycle) > 1:
        return f"{shown}: a cycle."
    return f"{shown}{f', and {len(parts) - 2} more' if len(parts) > _MOST_WAITS else ''}."


def _cycle(trace: Trace, waits: Sequence[Wait]) -> list[Wait]:
    """The first cycle among the waiting threads, starting with its first thread; empty if there is none."""
    by_thread = {wait.thread: wait for wait in waits}
    for wait in waits:
        path = [wait]
        while (holder := _holder(trace, path[-1])) in by_thread and by_thread[holder] not in path:
            path.append(by_thread[holder])
        if holder == wait.thread:
            return path
    return []


def _holder(trace: Trace, wait: Wait) -> str:
    """The thread that makes this one wait, or the only one that could end the wait; empty if there is none."""
    if wait.step is None:
        return wait.setters[0] if len(wait.setters) == 1 else ""
    return trace.steps[wait.step - 1].thread


def _described(trace: Trace, wait: Wait, verb: str) -> str:
    role = next(cell.role for cell in trace.initial if cell.name == wait.cell)
    what = re.sub(r"\.\w+(\[\d+\])*$", "", wait.cell) if role == "lock" else wait.cell
    if ASLEEP.search(wait.cell):
        since = f" since {wait.step}" if wait.step is not None else ""
        return f"{cpu_of(trace, wait.thread)} sleeps on {what}{since}, and nobody wakes it"
    head = f"{cpu_of(trace, wait.thread)} {verb} {what}"
    if wait.step is None:
        setters = " or ".join(cpu_of(trace, name) for name in wait.setters)
        return f"{head}, which only {setters} can change" if setters else f"{head}, which no thread changes any more"
    holder = _holder(trace, wait)
    if holder == wait.thread:
        return f"{head}, {'its own' if role == 'lock' else 'its own doing'} ({wait.step})"
    if role == "lock" and re.search(r"\.waiting\[\d+\]$", wait.cell):
        return f"{head}, for which {cpu_of(trace, holder)} has queued ({wait.step})"
    stands = any(waiting.thread == holder for waiting in trace.blocked)
    return f"{head} of {cpu_of(trace, holder)} ({wait.step}){'' if stands else ', which has ended'}"


def turn_sentences(trace: Trace) -> Iterator[str]:
    """Where an infinite run could have left for its goal."""
    escape = trace.why.escape if trace.why is not None else None
    if escape is None:
        return
    name = "Way out never taken" if trace.loop is not None and escape.step >= trace.loop else "Last way out"
    steps = f"{escape.length} step{'s' if escape.length > 1 else ''}"
    instead = f"{cpu_of(trace, escape.thread)} {cut_statement(escape.text)}"
    yield f"{name} (before {escape.step}, {steps} to the goal): {instead}{'' if instead.endswith('...') else '.'}"
