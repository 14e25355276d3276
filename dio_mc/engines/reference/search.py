"""Breadth-first search by levels over any transition system. Exact and deterministic; independent of properties.

The search knows states and levels. A `Watcher` observes it (properties, deadlocks, coverage). Successors come from a
`TransitionSystem`: the reference interpreter, or a reduction of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from dio_mc.engines.limits import Limits
from dio_mc.guard import GRACE, WHY_ENDED, Guard, stop_of
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Progress, Report, Representatives, Selection
from dio_mc.semantics.step import Step
from dio_mc.semantics.stop import FIRST, Stop, StopKind

POLL_EVERY: Final = 256
"""States expanded between two polls of clock, memory and `stop`."""

PATIENCE: Final = 0.3
"""Seconds that a search has to notice a limit itself, before it is interrupted."""


class TransitionSystem(Protocol):
    """Initial states and successors, both in a fixed order. A step with a fault has no successor."""

    def starting(self) -> Iterator[State]:
        """The initial states, each once."""
        ...

    def successors(self, state: State) -> Sequence[Step]:
        """Every step that exists in `state`."""
        ...


class Watcher(Protocol):
    """Observes a search."""

    def discovered(self, state: State, depth: int) -> None:
        """Called for a new state of level `depth`."""
        ...

    def expanded(self, state: State, steps: Sequence[Step], depth: int) -> None:
        """Called with all steps of a state of level `depth`."""
        ...

    def started(self) -> None:
        """Called when all initial states are known."""
        ...

    def level_ends(self, depth: int) -> bool:
        """Called when level `depth` has all its states (or the search was stopped in it). Returns whether a violation
        is known."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the reachable states. Of the initial states only the first `starts` are examined (None: all)."""

    states: Set[State]
    starts: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The part of a transition system that a search takes: with `representatives` one state of each orbit, with
    `within` only states of that part, with a `selection` only the steps that it selects."""

    representatives: Representatives | None = None
    within: Part | None = None
    selection: Selection | None = None


EVERYTHING: Final = Taken()


class Search:
    """One search. Its attributes are valid at any time, whatever ended `run`. It stores, expands and counts (in
    `transitions`) only what is `taken`; the watcher sees all steps. `outside` holds the states outside the part that
    steps lead to.

    `levels` holds the states by depth, in the order of discovery; `parents` maps every state to the one from which it
    was first found; `expanded` counts states whose successors are all known; `transitions` counts successors so far;
    `stopped` is the reason why the search ended early, None if it did not; `whole` is the number of levels expanded
    completely, so all levels up to that one have all their states (-1: not all initial states are known).
    """

    def __init__(
        self,
        system: TransitionSystem,
        watcher: Watcher,
        limits: Limits,
        report: Report | None = None,
        first: bool = False,
        taken: Taken = EVERYTHING,
    ) -> None:
        self.levels: list[list[State]] = []
        self.parents: dict[State, State | None] = {}
        self.expanded = 0
        self.transitions = 0
        self.stopped: Stop | None = None
        self.whole = -1
        self._system = system
        self._watcher = watcher
        self.limits = limits
        self._report = report
        self._first = first
        self._representatives, self._within, self._selection = taken.representatives, taken.within, taken.selection
        self.outside: set[State] = set()

    @property
    def depth(self) -> int:
        """The last non-empty level."""
        return max(len([level for level in self.levels if level]) - 1, 0)

    @property
    def open(self) -> int:
        """The number of states found but not expanded."""
        return len(self.parents) - self.expanded + len(self.outside)

    def run(self) -> None:
        """Search until all states are expanded or something ends the search, including an interrupt and a lack of
        memory. One state may have millions of successors, so a `Guard` checks the limits as well."""
        try:
            with Guard(self.limits.exceeded, grace=PATIENCE, patience=PATIENCE):
                self._run()
        except WHY_ENDED as ended:
            self.stopped = stop_of(ended)
            self._evaluate_last()

    def _evaluate_last(self) -> None:
        """Evaluate the states found before an interrupt, if there is time for it."""
        try:
            with Guard(self.limits.exceeded, GRACE):
                self._watcher.level_ends(len(self.levels) - 1)
        except WHY_ENDED:
            pass

    def _run(self) -> None:
        self.levels.append([])
        if self._take_initial():
            self.whole = 0
            self._watcher.started()
        while True:
            depth = len(self.levels) - 1
            violated = self._watcher.level_ends(depth)
            self._tell()
            if self.stopped is not None or not self.levels[-1]:
                return
            self.stopped = self._limit_before(depth, violated)
            if self.stopped is not None:
                return
            self.levels.append([])
            self._expand_level(depth)
            self.whole += self.stopped is None

    def _take_initial(self) -> bool:
        """Take the initial states; False if not all of them are known."""
        most = None if self._within is None else self._within.starts
        for number, state in enumerate(islice(self._system.starting(), most)):
            if number % POLL_EVERY == POLL_EVERY - 1:
                self._tell()
                self.stopped = self.limits.exceeded()
                if self.stopped is not None:
                    return False
            found = self._named(state)
            if self._within is not None and found not in self._within.states:
                self.outside.add(found)
            elif found not in self.parents and not self._add(found, None):
                return False
        return most is None

    def _limit_before(self, depth: int, violated: bool) -> Stop | None:
        """The reason not to expand level `depth`, or None."""
        if self._first and violated:
            return FIRST
        if depth == self.limits.budget.max_depth:
            return Stop(StopKind.MAX_DEPTH, depth)
        return None

    def _expand_level(self, depth: int) -> None:
        for state in self.levels[depth]:
            if self.expanded % POLL_EVERY == 0:
                self._tell()
                self.stopped = self.limits.exceeded()
                if self.stopped is not None:
                    return
            if not self._expand(state, depth):
                return
            self.expanded += 1

    def _expand(self, state: State, depth: int) -> bool:
        """Expand a state; False if not all successors could be stored."""
        steps = self._system.successors(state)
        self._watcher.expanded(state, steps, depth)
        room = True
        for step in steps if self._selection is None else self._selection.of(state, steps):
            if step.state is None:
                continue
            self.transitions += 1
            found = self._named(step.state)
            if self._within is not None and found not in self._within.states:
                self.outside.add(found)
            elif found not in self.parents:
                room = room and self._add(found, state)
        return room

    def _named(self, state: State) -> State:
        """The stored state that represents this one."""
        return state if self._representatives is None else self._representatives.of(state)

    def _add(self, state: State, parent: State | None) -> bool:
        """Store a new state; if there is no room for it, stop the search and return False."""
        limit = self.limits.budget.max_states
        if limit is not None and len(self.parents) >= limit:
            self.stopped = Stop(StopKind.MAX_STATES, limit)
            return False
        self.levels[-1].append(state)
        self.parents[state] = parent
        self._watcher.discovered(state, len(self.levels) - 1)
        return True

    def _tell(self) -> None:
        if self._report is not None:
            depth, seconds = self.depth, self.limits.seconds
            self._report(Progress(depth, len(self.parents), self.transitions, self.open, seconds))
