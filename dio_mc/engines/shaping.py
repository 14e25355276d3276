"""Converts the outcome of the compiled search to an `Exploration`, with canonical schedules if the
limits allow these."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial as bound
from typing import TYPE_CHECKING

from dio_mc.engines.kept import is_whole, uncertain, violation_order
from dio_mc.engines.limits import Limits
from dio_mc.engines.reference.canonical import End, EndsAt, Path, best_path, path_through
from dio_mc.guard import GRACE, WHY_ENDED, Guard
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import PARTIAL_ORDER, Exploration, Violation
from dio_mc.semantics.step import count_switches, fault_name

if TYPE_CHECKING:
    from dio_mc.engines.native.counterexample import Reached
    from dio_mc.engines.native.engine import Outcome


def exploration_of(found: Outcome, evaluators: Sequence[PropertyEvaluator], limits: Limits) -> Exploration:
    """The result of the compiled search, with canonical counterexamples; if a limit does not allow
    these, with some shortest ones.

    Schedules of a search reduced by partial order are never marked canonical (`kept.uncertain`).
    """
    from dio_mc.engines.native.engine import ENGINE

    violations = at_start(found.interpreter) if found.started else []
    for reached in found.reached:
        if any(v.property == reached.goal.name for v in violations):
            continue
        path = _path(found.interpreter, reached, limits)
        switches = count_switches(path.schedule)
        canonical = path.canonical and is_whole(reached.goal.name, reached.goal.length, found.whole)
        violations.append(
            Violation(reached.goal.name, path.initial, path.schedule, switches, path.fault, canonical=canonical)
        )
    ranks = {evaluator.property.name: rank for rank, evaluator in enumerate(evaluators)}
    violations.sort(key=lambda violation: violation_order(violation.property, ranks))
    explored = Exploration.of(found, ENGINE, tuple(violations))
    return uncertain(explored) if PARTIAL_ORDER in found.reductions else explored


def _path(interpreter: Interpreter, reached: Reached, limits: Limits) -> Path:
    """The canonical path to a goal; if not all states on shortest paths are known, or time is
    short, some shortest path."""
    ends_at: EndsAt | None = bound(_ends_at, reached) if reached.goal.on_edge else None
    try:
        with Guard(limits.exceeded, GRACE):
            path = best_path(interpreter, reached.tables(), ends_at)
            return path._replace(canonical=not reached.narrow)
    except WHY_ENDED:
        return path_through(interpreter, reached.tables(), ends_at)


def _ends_at(reached: Reached, state: State) -> list[End]:
    return [End(*end) for end in reached.ends_at(state)]


def at_start(interpreter: Interpreter) -> list[Violation]:
    """The faults of initial prefixes, which occur before the first state; the first fault of each
    name."""
    found: dict[str, Violation] = {}
    for position, fault in interpreter.initial_faults:
        name = fault_name(fault.kind, fault.span, interpreter.program.file)
        found.setdefault(name, Violation(name, position, (), 0, fault))
    return list(found.values())
