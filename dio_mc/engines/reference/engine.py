"""The reference engine: breadth-first search on the interpreter. Slow and exact; every other engine is compared with
it.

Budgets: `max_states` ends the search when one more state would have to be stored; `max_depth` leaves the states of that
level judged but not expanded; `timeout`, `max_memory` and `stop` are checked every few hundred states. An interrupt
(Ctrl-C) and a lack of memory end a search too. Searches ended by time, memory, `stop` or an interrupt are not
reproducible to the state; all others are, to the byte.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial as bound
from itertools import islice
from typing import TYPE_CHECKING

from dio_mc.engines.kept import is_whole, uncertain, violation_order
from dio_mc.engines.limits import Limits
from dio_mc.engines.reference.canonical import Goal, Path, any_path, canonical_paths
from dio_mc.engines.reference.liveness import Violated
from dio_mc.engines.reference.orbits import any_unfolded_path
from dio_mc.engines.reference.search import EVERYTHING, Search, Taken
from dio_mc.engines.reference.watch import Watch
from dio_mc.guard import GRACE, WHY_ENDED, Guard, stop_of
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import (
    PARTIAL_ORDER,
    SYMMETRY,
    Coverage,
    Exploration,
    Representatives,
    SearchRequest,
    Violation,
)
from dio_mc.semantics.step import Action, count_switches

if TYPE_CHECKING:
    from dio_mc.engines.checkpoints.store import Keeper
    from dio_mc.engines.reference.saving import Recorded

ENGINE = "reference"
"""The engine's name in an `Exploration`."""


def explore(
    request: SearchRequest,
    taken: Taken = EVERYTHING,
    interpreter: Interpreter | None = None,
    keeper: Keeper | None = None,
) -> Exploration:
    """Explore every reachable state of a program, level by level, passing every distinct valuation to every evaluator.

    `taken` restricts the search: with `representatives` (whose symmetry must hold for the evaluators' properties) to
    one state of each orbit; with `within` to the states of that part, which `partial` has found, and `open` then counts
    the states outside that steps lead to; with a `selection` (computed for the evaluators' properties) to the steps
    that it selects, and counterexamples are then the shortest of what is left. An `interpreter` of the program may have
    other initial states than the program. A `keeper` saves the search, which continues from what it has loaded.

    The search continues through violating states; with `request.first` it ends with the level of the first violation.
    The result has the canonical counterexample of each violated property (`canonical`; `liveness` for liveness
    properties), and a witness of each reachable property that some state satisfies. Properties come in the order of
    `evaluators`, then ``deadlock``, then faults by kind, file and line.

    If the search ends early (see above), the result holds what was found until then; a counterexample is canonical
    among the states found, and not marked canonical if others may come before it. Raises `InternalError` if an
    evaluator violates its contract, and `ModelError` if what was loaded does not fit the search.
    """
    interpreter = interpreter or Interpreter(request.program)
    watch = Watch(interpreter, request.evaluators)
    limits = Limits(request.budget, request.stop)
    recorded: Recorded | None = None
    if keeper is not None:
        from dio_mc.engines.reference.saving import Recorded

        recorded = Recorded(interpreter, keeper, watch.graph if watch.is_live else None)
    search = Search(recorded or interpreter, watch, limits, request.report, request.first, taken)
    started = time.perf_counter()
    request.follow(watch.violated_names)
    search.run()
    if recorded is not None:
        _end(recorded, search, write=search.stopped is not None or watch.is_live)
    seconds = time.perf_counter() - started
    representatives = taken.representatives
    used = (SYMMETRY if representatives is not None else "", PARTIAL_ORDER if taken.selection is not None else "")
    found = _answer(interpreter, watch, search, representatives)
    found = found if taken.selection is None else uncertain(found)
    return replace(found, seconds=seconds, reductions=tuple(filter(None, used)))


def _end(recorded: Recorded, search: Search, *, write: bool) -> None:
    """Have the rest of the search saved."""
    try:
        recorded.end(write=write)
    except WHY_ENDED as ended:
        search.stopped = search.stopped or stop_of(ended)


def _answer(
    interpreter: Interpreter, watch: Watch, search: Search, representatives: Representatives | None
) -> Exploration:
    """The result of the search, however it ended."""
    violations = _violations(interpreter, watch, search, representatives)
    return Exploration(
        engine=ENGINE,
        states=len(search.parents),
        transitions=search.transitions,
        depth=search.depth,
        stopped=search.stopped,
        open=search.open,
        violations=violations,
        unknown=tuple(tracker.evaluator.property.name for tracker in watch.trackers if tracker.unknown),
        coverage=Coverage(frozenset(watch.fired), frozenset(watch.blocked), _distinct(search, interpreter.layout.size)),
    )


def _violations(
    interpreter: Interpreter, watch: Watch, search: Search, representatives: Representatives | None
) -> tuple[Violation, ...]:
    """The violations found, in the order of properties."""
    goals, violations = watch.found()
    lasting = dict(_lasting(watch, search))
    goals += [(name, violated.goal) for name, violated in lasting.items()]
    if not goals:
        paths = []
    elif representatives is None:
        paths = _paths(interpreter, search, [goal for _, goal in goals])
    else:
        paths = _unfolded(interpreter, representatives, watch, search, goals)
    for (name, goal), path in zip(goals, paths, strict=True):
        loop = _loop(interpreter, watch, lasting[name], path) if name in lasting else ()
        schedule = path.schedule + loop
        begins = len(path.schedule) if loop else None
        whole = search.stopped is None if name in lasting else is_whole(name, goal.length, search.whole)
        switches, canonical = count_switches(schedule), path.canonical and whole
        violations.append(Violation(name, path.initial, schedule, switches, path.fault, begins, canonical))
    ranks = {tracker.evaluator.property.name: rank for rank, tracker in enumerate(watch.trackers)}
    return tuple(sorted(violations, key=lambda found: violation_order(found.property, ranks)))


def _lasting(watch: Watch, search: Search) -> list[tuple[str, Violated]]:
    """The violated properties that need the whole graph; none if a limit does not allow that."""
    if not watch.is_live:
        return []
    try:
        with Guard(search.limits.exceeded, GRACE):
            watch.found_lasting = watch.violated_at_last(search.levels)
            return watch.found_lasting
    except WHY_ENDED as ended:
        search.stopped = search.stopped or stop_of(ended)
    return []


def _loop(interpreter: Interpreter, watch: Watch, found: Violated, path: Path) -> tuple[Action, ...]:
    """The actions that a run repeats forever after a path."""
    state = next(islice(interpreter.starting(), path.initial, None))
    return found.loop(watch.graph, watch.graph.follow(state, path.schedule))


def _paths(interpreter: Interpreter, search: Search, goals: Sequence[Goal]) -> list[Path]:
    """Canonical paths; if a limit does not allow that, the first shortest ones that the search found."""
    try:
        with Guard(search.limits.exceeded, GRACE):
            return canonical_paths(interpreter, search.levels, goals)
    except WHY_ENDED as ended:
        search.stopped = search.stopped or stop_of(ended)
    return [any_path(interpreter, search.parents, goal) for goal in goals]


def _unfolded(
    interpreter: Interpreter,
    representatives: Representatives,
    watch: Watch,
    search: Search,
    goals: Sequence[tuple[str, Goal]],
) -> list[Path]:
    """Like `_paths`, for a search of representatives."""
    finders = [bound(watch.ends_at, name) for name, _ in goals]
    full = [replace(goal, ends_at=finder) for (_, goal), finder in zip(goals, finders, strict=True)]
    try:
        with Guard(search.limits.exceeded, GRACE):
            return canonical_paths(interpreter, search.levels, full, representatives)
    except WHY_ENDED as ended:
        search.stopped = search.stopped or stop_of(ended)
    return [
        any_unfolded_path(interpreter, representatives, search.parents, goal, finder)
        for goal, finder in zip(full, finders, strict=True)
    ]


def _distinct(search: Search, size: int) -> tuple[int, ...]:
    """The number of distinct values of each cell, for a search that was stopped."""
    if search.stopped is None or not search.parents:
        return ()
    try:
        with Guard(search.limits.exceeded, GRACE):
            return tuple(len({state[cell] for state in search.parents}) for cell in range(size))
    except WHY_ENDED:
        return ()
