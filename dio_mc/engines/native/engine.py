"""The entry points of the native engine: prepare a program, search it, and collect what
counterexamples need."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial as bound

from dio_mc.analysis.partial_order.persistent import PersistentSets
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.analysis.values.sets import Unsupported as Unsupported
from dio_mc.engines.checkpoints.store import Keeper
from dio_mc.engines.native.counterexample import Goal, Reached, goals_of, reach
from dio_mc.engines.native.levels import LevelSearch
from dio_mc.engines.native.machine import DIVIDED, FUNCTIONS, compile_text, missing
from dio_mc.engines.native.module import write_module
from dio_mc.engines.native.moment import Clock, Moment
from dio_mc.engines.native.permute import NotPermutable as NotPermutable
from dio_mc.engines.native.prepared import IN_FULL as IN_FULL
from dio_mc.engines.native.prepared import Prepared as Prepared
from dio_mc.engines.native.prepared import Reduced as Reduced
from dio_mc.engines.native.search import KEEP, Work
from dio_mc.engines.native.search import Search as Search
from dio_mc.guard import WHY_ENDED, stop_of
from dio_mc.ir.program import LIVENESS, Program, RecordShape
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import Approximate, Coverage, Note, SearchRequest, SearchResult
from dio_mc.semantics.step import fault_name
from dio_mc.semantics.stop import StopKind

ENGINE = "native"
"""The engine's name in an `Exploration`."""


class NoMachine(Unsupported):
    """Machine code cannot be generated here, because llvmlite is missing or does not load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(SearchResult):
    """The result of a compiled search.

    `reached` has, for each goal, the states on the shortest paths to it. `started` tells whether
    all initial states were known; `whole` is the number of fully expanded levels.
    `taken_for_known` is the share of new states that approximate storage would now lose. `unshown`
    names the violations without a schedule.
    """

    interpreter: Interpreter
    started: bool
    whole: int
    reached: tuple[Reached, ...]
    taken_for_known: float


Begin = Callable[[Prepared, SearchRequest, Clock, Work], LevelSearch]
"""Creates a search: in memory, on disk, or on several machines."""


def prepare(
    request: SearchRequest,
    representatives: Representatives | None = None,
    *,
    approximate: Approximate | None = None,
    sets: PersistentSets | None = None,
    quick: bool = False,
    divided: bool = False,
) -> Prepared:
    """Compile a program.

    `quick` favours compile time, for a search that may be short; `divided` is for a search whose
    states are divided among processes. Raises `Unsupported`, with a reason, if only the reference
    engine can run the program, and `NotPermutable` if only its `representatives` need the reference
    engine.
    """
    reason = missing()
    if reason is not None:
        raise NoMachine(reason)
    live = [evaluator.property.name for evaluator in request.evaluators if evaluator.property.kind in LIVENESS]
    if live:
        raise Unsupported(f"`{live[0]}` is decided on the graph of all states")
    program = nameless(request.program) if divided else request.program
    module = write_module(program, request.evaluators, representatives, approximate, sets, divided=divided)
    machine = compile_text(module.text, request.note, quick=quick, functions=DIVIDED if divided else FUNCTIONS)
    return Prepared(module, machine, Interpreter(program), representatives, sets)


def nameless(program: Program) -> Program:
    """The program without its properties and its record of variable names. Those refer to classes
    of the model's file, so a process without that file could not unpickle them."""
    return replace(program, root=RecordShape(()), properties=())


def optimised(prepared: Prepared, note: Note) -> Prepared:
    """The same program in optimised code."""
    if prepared.machine.optimised:
        return prepared
    return replace(prepared, machine=compile_text(prepared.module.text, note, quick=False))


def search(
    prepared: Prepared,
    request: SearchRequest,
    clock: Clock,
    workers: int = 1,
    by: Reduced = IN_FULL,
    keep: int = KEEP,
    keeper: Keeper | None = None,
    begin: Begin = Search,
) -> Outcome:
    """Explore a program with the reductions `by`, for which it must have been prepared.

    The search continues from the checkpoint of `keeper`, which also writes new ones. `begin`
    creates the search: in memory, on disk, or on several machines. Raises `ModelError` if the
    checkpoint does not fit.
    """
    started = time.perf_counter()
    saved = keeper.saved if keeper is not None else ()
    found = begin(prepared, request, clock, Work(workers, by, keep, clock.budget.max_states, keeper, saved))
    try:
        request.follow(bound(_violated, found))
        found.run()
        seconds = time.perf_counter() - started
        fired, blocked = found.coverage()
        reached, distinct = _paths_and_values(prepared, found, by)
        unknown = tuple(v.evaluator.property.name for v in found.valuations if v.unknown)
        return Outcome(
            interpreter=prepared.interpreter, started=found.started, whole=found.whole, reached=tuple(reached),
            taken_for_known=found.taken_for_known(), states=found.states, transitions=found.transitions,
            depth=found.depth, stopped=found.stopped, open=found.open, unknown=unknown,
            coverage=Coverage(fired, blocked, distinct), reductions=by.names, seconds=seconds,
            unshown=_unshown(found, reached),
        )  # fmt: skip
    finally:
        found.close()


def _violated(found: LevelSearch) -> list[str]:
    """The names of the properties that are violated, or witnessed, so far."""
    file = found.interpreter.program.file
    early = found.interpreter.initial_faults if found.started else ()
    return [
        *(goal.name for goal in goals_of(found)), *(fault_name(fault.kind, fault.span, file) for _, fault in early)
    ]  # fmt: skip


def _unshown(found: LevelSearch, reached: Sequence[Reached]) -> tuple[str, ...]:
    """The names of the goals to which no path is known."""
    shown = {one.goal.name for one in reached}
    return tuple(goal.name for goal in goals_of(found) if goal.name not in shown)


def _paths_and_values(prepared: Prepared, found: LevelSearch, by: Reduced) -> tuple[list[Reached], tuple[int, ...]]:
    """The paths to all goals, and the distinct values of each cell if the search was stopped. If a
    limit does not allow these, the search counts as stopped, and the rest is missing."""
    reached: list[Reached] = []
    try:
        for goal in goals_of(found):
            paths = _shortest_paths(prepared, found, by, goal)
            reached += [] if paths is None else [paths]
        return reached, found.distinct() if found.stopped is not None else ()
    except WHY_ENDED as ended:
        found.stopped = found.stopped or stop_of(ended)
    return reached, ()


def _shortest_paths(prepared: Prepared, found: LevelSearch, by: Reduced, goal: Goal) -> Reached | None:
    """The shortest paths to a goal, or None if there is no time for them. Dropped levels are read
    from the checkpoint, or found again by a second search."""
    clock = Moment(found.clock)
    if found.kept == 0 or not isinstance(found, Search):
        if not found.keeps(goal.base):
            return None
        return reach(prepared, found, goal, found.examined, clock.pressed, clock.exceeded)
    saved = found.saving.frames()
    work = Work(by=by, keep=1 << 62, limit=found.clock.budget.max_states, saved=saved)
    again = Search(prepared, SearchRequest(found.interpreter.program, []), clock, work, found.valuations)
    try:
        again.run(goal.base)
        if len(again.levels) <= goal.base or (
            again.stopped is not None and again.stopped.kind is not StopKind.MAX_STATES
        ):
            return None
        alone = len(found.workers) == 1 and (bool(saved) or found.saving.workers == 1)
        examined = [found.examined_in_order if alone else again.states]
        return reach(prepared, again, goal, examined, clock.pressed, clock.exceeded)
    finally:
        again.close()
