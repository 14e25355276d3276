"""Which engine explores: the reference engine answers small state spaces, the native one large ones.

``auto`` begins on the interpreter and goes over to machine code when `SWITCH` states are known: by count, never by
time, so the same run is explored the same way everywhere. Both give the same answer, to the byte but for the engine's
name. Where the native engine cannot run a program, or llvmlite is missing, the reference engine does, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Literal

from dio_mc.explore.canonical import End, Goal, canonical_paths
from dio_mc.explore.limits import Limits, Stop
from dio_mc.explore.reference import explore as explore_reference
from dio_mc.explore.reference import violation_order
from dio_mc.ir.program import LIVENESS, Program, Property
from dio_mc.semantics.contract import (
    Budget,
    Decision,
    Exploration,
    Judge,
    Probe,
    Report,
    Violation,
    count_switches,
    fault_name,
)
from dio_mc.semantics.interpreter import Interpreter

EngineName = Literal["auto", "reference", "native"]
SWITCH: Final = 20_000
"""States behind which ``auto`` goes over to machine code."""


class Remembering:
    """A judge that is asked by two engines in turn, and about each valuation once."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._known: dict[tuple[int, ...], Decision] = {}

    @property
    def probes(self) -> tuple[Probe, ...]:
        """As the judge's."""
        return self._judge.probes

    @property
    def property(self) -> Property:
        """As the judge's."""
        return self._judge.property

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        """One decision per valuation, the new ones by the judge."""
        new = [valuation for valuation in valuations if valuation not in self._known]
        if new:
            self._known.update(zip(new, self._judge.decide(new), strict=True))
        return [self._known[valuation] for valuation in valuations]


def explore(
    program: Program,
    judges: Sequence[Judge],
    budget: Budget | None = None,
    report: Report | None = None,
    first: bool = False,
    stop: Stop | None = None,
    *,
    engine: EngineName = "auto",
    workers: int = 1,
    note: Callable[[str], None] | None = None,
) -> Exploration:
    """Explore with the engine asked for. `note` is told, in a sentence, where it had to be another one."""
    budget = budget or Budget()
    live = any(judge.property.kind in LIVENESS for judge in judges)
    if engine == "reference" or (engine == "auto" and live):
        return explore_reference(program, judges, budget, report, first, stop)
    remembering = [Remembering(judge) for judge in judges]
    limits = Limits(budget, stop)
    if engine == "auto":
        if budget.max_states is not None and budget.max_states <= SWITCH:
            return explore_reference(program, judges, budget, report, first, stop)
        found = explore_reference(program, remembering, replace(budget, max_states=SWITCH), report, first, stop)
        if found.stopped != f"--max-states {SWITCH}":
            return found
    from dio_mc.native.engine import Unsupported

    try:
        return native(program, remembering, limits, report, first, workers)
    except Unsupported as reason:
        if note is not None and (engine == "native" or "llvmlite" in str(reason)):
            note(f"The reference engine explores this model: {reason}.")
        left = replace(budget, timeout=None if budget.timeout is None else max(budget.timeout - limits.seconds, 0))
        return explore_reference(program, remembering, left, report, first, stop)


def native(
    program: Program, judges: Sequence[Judge], limits: Limits, report: Report | None, first: bool, workers: int
) -> Exploration:
    """Explore with machine code. Raises `Unsupported` where that is not possible."""
    from dio_mc.native.engine import ENGINE, search

    found = search(program, judges, limits, report, first, workers)
    violations = at_start(found.interpreter) if found.started else []
    for reached in found.reached:
        if any(v.property == reached.goal.name for v in violations):
            continue
        goal = Goal(reached.goal.length, [End(*end) for end in reached.ends])
        path = canonical_paths(found.interpreter, reached.levels, [goal])[0]
        switches = count_switches(path.schedule)
        violations.append(Violation(reached.goal.name, path.initial, path.schedule, switches, path.fault))
    ranks = {judge.property.name: rank for rank, judge in enumerate(judges)}
    violations.sort(key=lambda violation: violation_order(violation.property, ranks))
    return Exploration(
        ENGINE, found.states, found.transitions, found.depth, found.stopped, found.open, tuple(violations),
        found.unknown, found.coverage,
    )  # fmt: skip


def at_start(interpreter: Interpreter) -> list[Violation]:
    """Faults before the first state, the first of each name."""
    found: dict[str, Violation] = {}
    for position, fault in interpreter.initial_faults:
        name = fault_name(fault.kind, fault.span, interpreter.program.file)
        found.setdefault(name, Violation(name, position, (), 0, fault))
    return list(found.values())
