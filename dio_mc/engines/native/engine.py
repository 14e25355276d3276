"""The native engine as a whole: program, judges, budget in; what the facade needs to word an answer out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dio_mc.analysis.partial_order.persistent import PersistentSets
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.analysis.values.sets import Unsupported as Unsupported
from dio_mc.engines.native.counterexample import Reached, goals_of, reach
from dio_mc.engines.native.machine import Machine, compile_text, missing
from dio_mc.engines.native.module import Module, write_module
from dio_mc.engines.native.permute import Askew as Askew
from dio_mc.engines.native.search import KEEP, Clock, Search
from dio_mc.ir.program import LIVENESS, Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.judge import Judge
from dio_mc.semantics.search import PARTIAL_ORDER, SYMMETRY, Approximate, Budget, Coverage, Note, Report, unheard
from dio_mc.semantics.stop import INTERRUPTED, OUT_OF_MEMORY, Stop

ENGINE = "native"
"""The engine's name in an `Exploration`."""


class NoMachine(Unsupported):
    """There is nothing to make machine code with."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the compiled search found; `reached` pairs goals with the states on the shortest paths to them;
    `started` when all initial states were known; `whole` levels were expanded to the end; `reductions` as in an
    `Exploration`;
    `seconds` is the wall time until all was."""

    interpreter: Interpreter
    started: bool
    whole: int
    states: int
    transitions: int
    depth: int
    stopped: Stop | None
    open: int
    unknown: tuple[str, ...]
    coverage: Coverage
    reached: tuple[Reached, ...]
    reductions: tuple[str, ...]
    taken_for_known: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """A program in machine code, ready for any number of searches; with `representatives` or persistent `sets`,
    reduced ones too."""

    module: Module
    machine: Machine
    interpreter: Interpreter
    representatives: Representatives | None
    sets: PersistentSets | None

    @property
    def able(self) -> Reduced:
        """All that a search of it can be reduced by."""
        return Reduced(self.representatives is not None, self.sets is not None)


@dataclass(frozen=True, slots=True)
class Reduced:
    """By what a search is reduced: `symmetry` explores one state of each orbit, `order` takes the steps of persistent
    sets."""

    symmetry: bool = False
    order: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """As in an `Exploration`."""
        return (SYMMETRY,) * self.symmetry + (PARTIAL_ORDER,) * self.order


IN_FULL = Reduced()


class _Again:
    """The clock of a search that is repeated: none."""

    seconds = 0.0
    budget = Budget()

    def exceeded(self) -> Stop | None:
        """No reason to stop."""
        return None


def prepare(
    program: Program,
    judges: Sequence[Judge],
    representatives: Representatives | None = None,
    note: Note = unheard,
    approximate: Approximate | None = None,
    *,
    sets: PersistentSets | None = None,
    quick: bool = False,
) -> Prepared:
    """Compile a program, `quick` for a short search. Raises `Unsupported` with a reason where it is for the reference
    engine, `Askew` where only its `representatives` are. `note` is told in words what does not change the answer."""
    reason = missing()
    if reason is not None:
        raise NoMachine(reason)
    live = [judge.property.name for judge in judges if judge.property.kind in LIVENESS]
    if live:
        raise Unsupported(f"`{live[0]}` is decided on the graph of all states")
    module = write_module(program, judges, representatives, approximate, sets)
    machine = compile_text(module.text, note, quick=quick)
    return Prepared(module, machine, Interpreter(program), representatives, sets)


def optimised(prepared: Prepared, note: Note) -> Prepared:
    """The same program in optimised code."""
    if prepared.machine.optimised:
        return prepared
    return replace(prepared, machine=compile_text(prepared.module.text, note, quick=False))


def search(
    prepared: Prepared,
    judges: Sequence[Judge],
    clock: Clock,
    report: Report | None = None,
    first: bool = False,
    workers: int = 1,
    keep: int = KEEP,
    by: Reduced = IN_FULL,
) -> Outcome:
    """Explore a program, reduced `by` what it was prepared for."""
    started = time.perf_counter()
    found = Search(
        prepared.module, prepared.machine, prepared.interpreter, judges, clock, report, first, keep,
        limit=clock.budget.max_states, workers=workers, reduced=by.symmetry, ordered=by.order,
    )  # fmt: skip
    try:
        found.run()
        seconds = time.perf_counter() - started
        fired, blocked = found.coverage()
        reached, distinct = _told(prepared, found, by)
        unknown = tuple(v.judge.property.name for v in found.valuations if v.unknown)
        return Outcome(
            prepared.interpreter, found.started, found.whole, found.states, found.transitions, found.depth,
            found.stopped, found.open, unknown, Coverage(fired, blocked, distinct), tuple(reached), by.names,
            found.taken_for_known(), seconds,
        )  # fmt: skip
    finally:
        found.close()


def _told(prepared: Prepared, found: Search, by: Reduced) -> tuple[list[Reached], tuple[int, ...]]:
    """The ways back, and distinct values. Where the user or the memory does not allow that, less: what has no way to
    it is not claimed, and the search counts as stopped."""
    reached: list[Reached] = []
    try:
        reached = _way_back(prepared, found, by)
        return reached, found.distinct() if found.stopped is not None else ()
    except KeyboardInterrupt:
        found.stopped = found.stopped or INTERRUPTED
    except MemoryError:
        found.stopped = found.stopped or OUT_OF_MEMORY
    return reached, ()


def _way_back(prepared: Prepared, found: Search, by: Reduced) -> list[Reached]:
    """The shortest paths to all goals; levels that were given up are found again."""
    goals, representatives = goals_of(found), prepared.representatives if by.symmetry else None
    if not goals or found.kept == 0:
        return reach(found, goals, found.looked_at, representatives)
    again = Search(
        prepared.module, prepared.machine, found.interpreter, [], _Again(), keep=1 << 62, known=found.valuations,
        limit=found.clock.budget.max_states, reduced=by.symmetry, ordered=by.order,
    )  # fmt: skip
    try:
        again.run(max(goal.base for goal in goals))
        alone = len(found.workers) == 1
        return reach(again, goals, found.looked_at if alone else [again.states], representatives)
    finally:
        again.close()
