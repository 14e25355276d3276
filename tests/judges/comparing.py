"""The verdicts of `study` and the property families are the same on every run, and those of every order of the calls.

Each end of each product is judged three times: by the properties, as `check` would; by `outcomes`, which tells the worst
of what is wrong with it; and by the orders of the calls (histories.py), from a log that the products keep here of which
call had ended when another began.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from histories import Before, Called, verdict
from register_log import Log

from dio_mc.frontend.build import build
from dio_mc.frontend.shelf import Shelf
from dio_mc.ir.program import Program
from dio_mc.kernel.families import JUDGES
from dio_mc.kernel.register import VALUES
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.study.observe import Reader
from dio_mc.study.registry import (
    Rule,
    Workload,
    laid_out,
    product_class,
    reads_as,
    register_of,
    sizes_of,
)
from dio_mc.study.tags import tag

from .remembering import Remembering, pack, unpack

NAMES = {value.name for value in VALUES}
WRITERS = {"write": "write", "direct_write": "write", "aio_write": "write", "mmap_store": "write", "truncate": "write",
           "punch_hole": "punch"}  # fmt: skip
BESIDES = {"no_stale_exposure": "exposed", "no_freed_io": "lost", "coherent_at_rest": "stale", "STALE": "exposed",
           "UNTOUCHED": "lost", "TORN": "torn", "EIO": "error"}  # fmt: skip
"""What else can be wrong with an end, by a property that is false or by what a call returned; the worst is told."""
WORST_FIRST = ("exposed", "lost", "torn", "stale", "error", "ok")
READERS = ("read", "direct_read", "aio_read", "mmap_load")


@dataclass
class Compared:
    """What the ends of some products gave: how often each verdict was given, how many ends cannot be judged (nobody can
    go on, an error was reported, or the disk has what no call wrote), and where two of the three judges differ."""

    verdicts: Counter[str] = field(default_factory=Counter)
    passed_over: int = 0
    states: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, other: Compared) -> None:
        """Take in what another product gave."""
        self.verdicts += other.verdicts
        self.passed_over += other.passed_over
        self.states += other.states
        self.differences += other.differences


class Logged:
    """What a program's log says, in its states."""

    def __init__(self, interpreter: Interpreter, operations: tuple[str, ...]) -> None:
        names = [thread.name for thread in interpreter.program.threads]
        self.cells = {name: cell for cell, name in enumerate(interpreter.layout.names)}
        self.threads = [(names.index(str(k)), name) for k, name in enumerate(operations)]

    def calls(self, state: State, outcome: dict[int, str]) -> tuple[tuple[Called, ...], Before]:
        """The calls that can be judged, and their order."""
        made: list[tuple[int, Called]] = []
        for k, (thread, name) in enumerate(self.threads):
            given = outcome[thread]
            if name in READERS and given in NAMES:
                made.append((thread, Called("read", given)))
            elif name == "mmap_store" and given == "EOF":
                made.append((thread, Called("read", "EOF")))
            elif name in WRITERS:
                made.append((thread, Called("refused" if given == "EIO" else WRITERS[name], meant(k, name))))
        before = {
            (a, b)
            for a, (first, _) in enumerate(made)
            for b, (second, _) in enumerate(made)
            if a != b and state[self.cells[f"began[{second}].had_ended[{first}]"]]
        }
        return tuple(call for _, call in made), frozenset(before)


def meant(k: int, name: str) -> str:
    """What the thread number `k` writes."""
    return {"punch_hole": "ZERO", "truncate": "EOF"}.get(name, "NEW" if k == 0 else "NEWER")


@lru_cache(maxsize=64)
def _shelf(rule: Rule) -> Shelf:
    """What was compiled of a rule: the calls of its groups are the same."""
    return Shelf()


def programs(workload: Workload, rule: Rule) -> dict[str, Program]:
    """The programs of a workload by layout, with the log, and threads called by number: compiled together with those of
    other workloads under this rule, as `study.products` does."""
    numbered = replace(workload, threads={str(k): function for k, function in enumerate(workload.threads.values())})
    made = product_class(numbered, rule, (Log, *JUDGES), register_of(workload))
    program = build(made, sizes_of(workload, rule), like=_shelf(rule)).program
    return {layout: laid_out(program, layout, workload.watched) for layout in workload.layouts if rule.has(layout)}


def compare(workload: Workload, rule: Rule) -> Compared:
    """All layouts of a product."""
    found = Compared()
    steps: Remembering | None = None
    for layout, program in programs(workload, rule).items():
        interpreter = Interpreter(program)
        steps = steps or Remembering(interpreter)
        found.add(_compare(interpreter, steps, workload.calls, reads_as(layout).name))
    return found


def _compare(interpreter: Interpreter, steps: Remembering, operations: tuple[str, ...], initial: str) -> Compared:
    found, reader, logged = Compared(), Reader(interpreter), Logged(interpreter, operations)
    for state in _ends(interpreter, steps, found):
        seen = reader.observe(state)
        if seen.stuck or seen.reported or seen.media not in NAMES:
            found.passed_over += 1
            continue
        outcome = {thread: reader.data(state, "outcome", thread) for thread, _ in logged.threads}
        calls, before = logged.calls(state, outcome)
        right = verdict(calls, before, initial, seen.media)
        lost, stale = "no_lost_write" in seen.violated, {"read_after_ack", "monotonic_read"} & set(seen.violated)
        told = {"orders": right, "families": "lost" if lost else "stale" if stale else "ok"}
        besides = {verdict for said, verdict in BESIDES.items() if said in {*seen.violated, *outcome.values()}}
        expected, given = min({right, *besides}, key=WORST_FIRST.index), tag(seen, initial).verdict
        if len(set(told.values())) > 1 or given != expected:
            told |= {"outcomes": given, "expected there": expected}
            made = ", ".join(operations)
            found.differences.append(
                f"{made} under {interpreter.program.name}: {told}, {calls}, before {sorted(before)}, {seen}"
            )
        found.verdicts[right] += 1
    return found


def _ends(interpreter: Interpreter, steps: Remembering, found: Compared) -> Iterator[State]:
    """All states where nothing can run."""
    waiting = [pack(state) for state in interpreter.initial()]
    seen = set(waiting)
    while waiting:
        state = waiting.pop()
        after = steps.successors(state)
        if not after:
            yield unpack(state)
        fresh = {further for further in after if further is not None} - seen
        seen |= fresh
        waiting += fresh
    found.states += len(seen)
