"""Chooses how to explore: the reference engine for small state spaces, the native engine for large
ones.

``auto`` starts on the interpreter and switches to machine code when `SWITCH` states are known. The
switch depends on the number of states, never on time, so a program is explored in the same way on
every machine. Both engines give the same result, byte for byte, except for the engine's name. If
the native engine cannot run a program, or llvmlite is missing, the reference engine explores it,
and the reason is reported.

Reductions also start at a number of states (`FULL`), with every engine. Modules that only large
models need are imported on demand, because importing them takes as long as checking most models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial as bound  # `partial` is a part of the states here
from typing import TYPE_CHECKING, Final

from dio_mc.cache import LEAST_FREE
from dio_mc.engines.compiled import compiled, makes, on_disk, on_ray
from dio_mc.engines.kept import Established, Remembering
from dio_mc.engines.limits import Limits
from dio_mc.engines.reducers import UNREDUCED, Reducers, persistent_sets_of, representatives_of
from dio_mc.engines.reference.engine import explore as explore_reference
from dio_mc.engines.reference.search import Taken
from dio_mc.engines.strategy import EngineName as EngineName
from dio_mc.engines.strategy import Strategy as Strategy
from dio_mc.errors import ModelError
from dio_mc.guard import WHY_ENDED, Guard, stop_of
from dio_mc.ir.program import LIVENESS
from dio_mc.semantics.search import (
    NO_REDUCTION,
    NOTHING,
    PARTIAL_ORDER,
    Budget,
    Exploration,
    OnRay,
    Reductions,
    SearchRequest,
)
from dio_mc.semantics.stop import Stop, StopKind

if TYPE_CHECKING:
    from pathlib import Path

    from dio_mc.analysis.partial_order.persistent import PersistentSets
    from dio_mc.analysis.symmetry.representatives import Representatives
    from dio_mc.analysis.values.facts import Facts
    from dio_mc.engines.checkpoints.store import Keeper, Store
    from dio_mc.engines.native.engine import Prepared, Reduced
    from dio_mc.semantics.interpreter import Interpreter

SWITCH: Final = 3_000
"""The number of states at which ``auto`` switches to machine code: interpreting these takes about
as long as compiling."""
SOON: Final = 1_000_000
"""The number of representatives beyond which a reduced search starts again in optimised machine
code. A full search does so beyond `FULL` states."""
FULL: Final = 100_000
"""The number of states up to which no search is reduced. A larger search starts again with the
reductions that are sound."""
IN_ORDER: Final = (
    "not divided among the workers of Ray: which states lie within --max-states depends on the order in which one "
    "machine finds them"
)
"""Why a search with a limit on states is not divided."""


def explore(
    request: SearchRequest,
    strategy: Strategy | None = None,
    limits: Limits | None = None,
    interpreter: Interpreter | None = None,
) -> Exploration:
    """Explore a program, with the default `Strategy` unless one is given, within `limits` whose
    clock is running (default: those of the request, from now on). An `interpreter` of the program
    serves the reference engine.

    A search starts with all states. If it finds more than `FULL`, it starts again with those
    reductions that are proved sound for the program and its properties. So small models have full
    counts, with every engine. `request.note` receives sentences on a change of the engine, and on
    what a partial search has covered. Raises `ModelError` if a checkpoint cannot be used or a
    cluster is not available, and `InternalError` if two searches contradict each other.
    """
    strategy, limits = strategy or Strategy(), limits or Limits(request.budget, request.stop)
    if strategy.partial is None:
        return Run(request, limits, interpreter).explore(strategy)
    from dio_mc.engines.partly import explore_part

    return explore_part(request, strategy.partial, limits)


class Run:
    """One exploration, possibly by several searches and engines. The clock runs through all of
    them, and what one of them has established stays."""

    def __init__(
        self, request: SearchRequest, limits: Limits | None = None, interpreter: Interpreter | None = None
    ) -> None:
        evaluators = [Remembering(evaluator) for evaluator in request.evaluators]
        self._request = replace(request, evaluators=evaluators)
        self._limits = limits or Limits(request.budget, request.stop)
        self._interpreter = interpreter
        self._store: Store | None = None
        self._begin()

    def explore(self, strategy: Strategy, *, full: int | None = None) -> Exploration:
        """Explore, reduced if there are more than `full` states (None: `FULL`).

        If something ends the exploration between two searches, the results of the first are kept.
        Raises `InternalError` if searches contradict each other.
        """
        self._begin()
        try:
            return self._kept(self._established.answer(self._explored(strategy, full)))
        except WHY_ENDED as ended:
            last = self._established.last
            if not self._established.interrupted() and last is None and isinstance(ended, KeyboardInterrupt):
                raise
            return self._kept(self._established.answer(replace(last or NOTHING, stopped=stop_of(ended))))
        finally:
            if self._store is not None:
                self._store.close()
                self._store = None

    def _begin(self) -> None:
        """Nothing is established. Searches are followed by what collects their results, not by this
        object: that would refer to itself, and it holds all of the program."""
        self._established = Established(self._request.program, self._request.evaluators)
        self._request = replace(self._request, follow=self._established.follow)

    def _kept(self, found: Exploration) -> Exploration:
        """The result, with the information whether the search can be resumed."""
        return replace(found, resumable=self._store is not None and self._store.resumable)

    def _checkpoints(self) -> Store | None:
        """The checkpoints of all searches, or None if none are requested."""
        if self._store is None and self._request.checkpoints is not None:
            from dio_mc.engines.checkpoints.store import Store

            self._store = Store(self._request.checkpoints, self._request.program)
        return self._store

    def _keeper(
        self, search: str, limits: Limits, by: Sequence[str], prepared: Prepared | None = None, **where: bool
    ) -> Keeper | None:
        """The checkpoints of one of the searches, or None if none are requested; `where` is as for
        `Store.keeper`. Raises `ModelError` if the checkpoint cannot be used."""
        if (store := self._checkpoints()) is None:
            return None
        engine, code = ("reference", "") if prepared is None else ("native", prepared.module.digest)
        of = {"engine": engine, "reduced": list(by), "first": self._request.first, "code": code}
        return store.keeper(search, of, lambda: limits.seconds, **where)

    def _explored(self, strategy: Strategy, full: int | None) -> Exploration:
        """The result of the deciding search, by the engine that the strategy and the program call
        for."""
        engine = strategy.engine
        alive = any(
            evaluator.property.kind in LIVENESS for evaluator in self._request.evaluators
        )  # the native engine keeps no graph
        if engine == "reference" or (engine == "auto" and alive):
            return self._by_reference(strategy, full)
        if engine == "auto":
            found = self._within(SWITCH, lambda budget: self._interpret(budget, UNREDUCED))
            if found is not None:
                return found
        from dio_mc.engines.native.engine import NoMachine, Unsupported

        try:
            return self._by_machine_code(strategy, full)
        except Unsupported as reason:
            if engine == "native" or isinstance(reason, NoMachine):
                self._request.note(f"explored by the reference engine: {reason}")
            return self._by_reference(strategy, full)

    def _by_reference(self, strategy: Strategy, full: int | None) -> Exploration:
        found = self._interpreted(strategy.reductions, full)
        if found.states > FULL and (strategy.disk, strategy.ray) != (None, None):
            where = "on disk" if strategy.ray is None else "on Ray"
            self._request.note(f"all states were kept in memory: the reference engine does not search {where}")
        return found

    def _interpreted(self, reductions: Reductions, full: int | None) -> Exploration:
        reducers = Reducers(self._representatives(reductions), self._selection(reductions))
        if reducers:
            found = self._within(FULL if full is None else full, lambda budget: self._interpret(budget, UNREDUCED))
            if found is not None:
                return found
        unordered = replace(reducers, selection=None)
        found = self._interpret(self._left(), reducers, "search")
        return self._shortest(found, lambda budget: self._interpret(budget, unordered, "orders"))

    def _by_machine_code(self, strategy: Strategy, full: int | None) -> Exploration:
        """Explore with the native engine. Raises `Unsupported` if that cannot run the program."""
        reductions = strategy.reductions
        from dio_mc.engines.native.engine import IN_FULL

        prepared = self._prepared(reductions)
        if reductions != NO_REDUCTION or not prepared.machine.optimised:
            found = self._within(FULL if full is None else full, bound(self._soon, prepared, by=IN_FULL))
            if found is not None:
                return found
        sets = self._selection(reductions, prepared.module.facts)
        if sets is not None:
            prepared = self._prepare(prepared.representatives, sets)
        by = prepared.able

        def again(budget: Budget) -> Exploration:
            limits, unordered = Limits(budget, self._request.stop), replace(by, order=False)
            return self._large(prepared, limits, strategy, unordered, "orders")

        if by != IN_FULL and not prepared.machine.optimised:
            found = self._within(SOON, bound(self._soon, prepared, by=by))
            if found is not None:
                return self._shortest(found, again)
        return self._shortest(self._large(prepared, self._limits, strategy, by, "search"), again)

    def _large(self, prepared: Prepared, limits: Limits, strategy: Strategy, by: Reduced, kept: str) -> Exploration:
        """A search in optimised code: in memory, with checkpoints under the name `kept`, on disk,
        or on Ray."""
        if strategy.ray is not None and limits.budget.max_states is None:
            return self._divided(prepared, limits, strategy, strategy.ray, by)
        if strategy.ray is not None:
            self._request.note(IN_ORDER)
        best, store = self._optimised(prepared), self._checkpoints()

        def keep_in(folder: Path, spare: int = 0, *, anew: bool = False) -> tuple[Exploration, bool]:
            begin = on_disk(folder, self._request.budget, spare)
            keeper = self._keeper(kept, limits, by.names, best, on_disk=True, anew=anew)
            found = compiled(best, self._request, limits, strategy.workers, by, keeper, begin=begin)
            return self._as_asked(found), keeper is not None and bool(keeper.saved)

        if strategy.disk is not None:
            return keep_in(strategy.disk)[0]
        was_on_disk = store is not None and store.has_on_disk(kept)
        if was_on_disk and strategy.overflow is not None and makes(strategy.overflow, self._request.note):
            return keep_in(strategy.overflow, LEAST_FREE)[0]
        found = self._compiled(best, limits, strategy.workers, by, kept)
        if found.stopped is None or found.stopped.kind not in (StopKind.MAX_MEMORY, StopKind.OUT_OF_MEMORY):
            return found
        if strategy.overflow is None:
            self._request.note("with --disk DIR the search keeps its states on disk, and memory does not end it")
            return found
        return self._overflowed(found, bound(keep_in, strategy.overflow, LEAST_FREE), strategy.overflow)

    def _overflowed(
        self, found: Exploration, keep: Callable[..., tuple[Exploration, bool]], folder: Path
    ) -> Exploration:
        """Continue a search on disk after it ran out of memory, from its checkpoint if possible.
        The first result is returned if the second search got no further."""
        if not makes(folder, self._request.note):
            return found
        try:
            again, went_on = keep()
        except ModelError:
            again, went_on = keep(anew=True)
        how = f"the search {'went on' if went_on else 'restarted'} with its states on disk"
        if again.stopped is not None and again.states <= found.states:
            self._request.note(f"{how} and got no further: {again.stopped}")
            return found
        self._request.note(f"memory ran out at {found.states:,} states: {how}")
        return again

    def _divided(self, prepared: Prepared, limits: Limits, strategy: Strategy, ray: OnRay, by: Reduced) -> Exploration:
        """A search divided among the workers of Ray."""
        from dio_mc.engines.native.engine import prepare

        with self._guard():
            best = prepare(self._request, prepared.representatives, sets=prepared.sets, divided=True)
        begin = on_ray(ray, strategy.disk, self._request.budget)
        return self._as_asked(compiled(best, self._request, limits, 1, by, begin=begin))

    def _prepared(self, reductions: Reductions) -> Prepared:
        """The program in quickly compiled machine code, with its symmetry if machine code can
        express that."""
        from dio_mc.engines.native.engine import NotPermutable

        named = self._representatives(reductions)
        try:
            return self._prepare(named)
        except NotPermutable:
            return self._prepare(None)

    def _prepare(self, representatives: Representatives | None, sets: PersistentSets | None = None) -> Prepared:
        from dio_mc.engines.native.engine import prepare

        with self._guard():
            return prepare(self._request, representatives, sets=sets, quick=True)

    def _optimised(self, prepared: Prepared) -> Prepared:
        from dio_mc.engines.native.engine import optimised

        with self._guard():
            return optimised(prepared, self._request.note)

    def _soon(self, prepared: Prepared, budget: Budget, *, by: Reduced) -> Exploration:
        return self._compiled(prepared, Limits(budget, self._request.stop), 1, by)

    def _shortest(self, found: Exploration, search: Callable[[Budget], Exploration]) -> Exploration:
        """Search for the canonical counterexamples of what a search by partial order has found,
        because that preserves verdicts but not lengths.

        `search` makes a search without partial order within a budget. Its depth is limited to the
        length of the schedules found; a deadlock is detected one level later, when its state is
        expanded. Raises `InternalError` if the two searches contradict each other.
        """
        new = [v for v in found.violations if not self._established.is_canonical(v.property)]
        if PARTIAL_ORDER not in found.reductions or not new:
            return found
        ended = found.stopped
        if ended is None or ended.kind in (StopKind.FIRST, StopKind.MAX_STATES):
            deepest = max(len(v.schedule) + (v.property == "deadlock") for v in new)
            again = search(replace(self._left(), max_depth=deepest))
            ended = again.stopped
            if ended in (None, Stop(StopKind.MAX_DEPTH, deepest)):
                self._established.confirm(again, [v.property for v in new], "the search of all orders")
                ended = None
            if found.stopped is None:
                self._established.confirm(found, [v.property for v in again.violations], "the search by partial order")
        if any(not self._established.is_canonical(v.property) for v in new):
            self._request.note(
                "schedules that are not canonical are of minimal length, but not the first ones: there are too many"
                if ended is None
                else f"the schedules shown are not known to be the shortest: {ended} ended the search for those"
            )
        return found

    def _within(self, limit: int, search: Callable[[Budget], Exploration]) -> Exploration | None:
        """The result of a search of all states, or None if there are more than `limit`."""
        most = self._request.budget.max_states
        if most is not None and most <= limit:
            return search(self._left())
        if limit == 0:
            return None
        found = search(replace(self._left(), max_states=limit))
        return None if found.stopped == Stop(StopKind.MAX_STATES, limit) else found

    def _representatives(self, reductions: Reductions) -> Representatives | None:
        if not reductions.symmetry:
            return None
        with self._guard():
            return representatives_of(self._request.program)

    def _guard(self) -> Guard:
        """A guard for preparations, which do not poll the limits."""
        return Guard(self._limits.exceeded)

    def _selection(self, reductions: Reductions, facts: Facts | None = None) -> PersistentSets | None:
        """The persistent sets, if partial order is sound and either requested or likely to pay. A
        search with a depth limit has none, because the depth of a state then depends on the order
        of steps."""
        if reductions.partial_order is False or self._request.budget.max_depth is not None:
            return None
        with self._guard():
            return persistent_sets_of(self._request, facts, always=reductions.partial_order is True)

    def _left(self) -> Budget:
        """The budget with the time that is left."""
        timeout = self._request.budget.timeout
        return (
            self._request.budget
            if timeout is None
            else replace(self._request.budget, timeout=timeout - self._limits.seconds)
        )

    def _interpret(self, budget: Budget, reducers: Reducers, saved: str | None = None) -> Exploration:
        """One search by the interpreter, with checkpoints under the name `saved`, if given."""
        taken = Taken(reducers.representatives, selection=reducers.selection)
        keeper = None if saved is None else self._keeper(saved, self._limits, reducers.names)
        asked = replace(self._request, budget=budget)
        return self._as_asked(explore_reference(asked, taken, self._interpreter, keeper))

    def _compiled(
        self, prepared: Prepared, limits: Limits, workers: int, by: Reduced, saved: str | None = None
    ) -> Exploration:
        """One search in machine code in memory, with checkpoints under the name `saved`, if
        given."""
        keeper = None if saved is None else self._keeper(saved, limits, by.names, prepared)
        return self._as_asked(compiled(prepared, self._request, limits, workers, by, keeper))

    def _as_asked(self, found: Exploration) -> Exploration:
        """Record the result of a search. A time limit is reported as requested, not as what was
        left of it for this search."""
        if found.stopped is not None and found.stopped.kind is StopKind.TIMEOUT:
            found = replace(found, stopped=Stop(StopKind.TIMEOUT, self._request.budget.timeout))
        self._established.note(found)
        return found
