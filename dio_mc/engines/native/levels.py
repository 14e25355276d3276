"""A breadth-first search by levels, independent of where the states are: its end, its observations,
its numbers.

`search.Search` holds the states in memory, a search on disk in files, and `cluster.search` in other
processes. A level has the same states in all of them, so the result is the same too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from typing import Final

from dio_mc.engines.native.cursor import ASTRAY, DEADLOCK, FAULTS
from dio_mc.engines.native.moment import Clock
from dio_mc.engines.native.prepared import Prepared
from dio_mc.engines.native.records import Part, Records
from dio_mc.engines.native.survey import distinct_values, survey_size
from dio_mc.engines.native.valuations import Valuations
from dio_mc.errors import InternalError
from dio_mc.guard import WHY_ENDED, stop_of
from dio_mc.semantics.search import Progress, SearchRequest
from dio_mc.semantics.stop import FIRST, Stop, StopKind

LARGEST_SURVEY: Final = 1 << 26
"""The largest byte map of a survey."""

Level = list[tuple[int, int]]
"""The states of a level: for each worker, the number of the first in its array, and of one past the
last."""


class LevelSearch(ABC):
    """One search, with symmetry if it is `reduced`.

    `levels` locates the states of each level; the levels before `kept` have been dropped from
    memory. `started` is set when all initial states are known, `whole` is the number of fully
    expanded levels (-1 before that).
    """

    reduced: bool

    def __init__(
        self, prepared: Prepared, request: SearchRequest, clock: Clock, known: Sequence[Valuations] | None = None
    ) -> None:
        self.module, self.machine, self.interpreter = prepared.module, prepared.machine, prepared.interpreter
        self.clock, self.report, self.first = clock, request.report, request.first
        self.stopped: Stop | None = None
        self.started = False
        self.whole = -1
        self.levels: list[Level] = []
        self.kept = 0
        self._adopted = known is not None
        self.valuations = list(known or ())
        if known is None:
            trios = zip(request.evaluators, self.module.tables, self.module.formulas, strict=True)
            self.valuations = [
                Valuations(evaluator, self.interpreter, self.module.facts, size, formulas)
                for evaluator, size, formulas in trios
            ]
        self.deadlock: int | None = None
        self.faults: dict[int, int] = {}

    # -- numbers -------------------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def states(self) -> int:
        """States found."""

    @property
    @abstractmethod
    def transitions(self) -> int:
        """Successors found, including known ones and self-loops."""

    @property
    @abstractmethod
    def expanded(self) -> int:
        """States that have been fully expanded."""

    @property
    def open(self) -> int:
        """States found and not expanded."""
        return self.states - self.expanded

    @property
    @abstractmethod
    def examined(self) -> Sequence[int] | None:
        """For each worker, one past the last state whose steps were examined; None if that is not
        known."""

    @property
    def depth(self) -> int:
        """The last level that is not empty."""
        return max(sum(1 for level in self.levels if any(a < b for a, b in level)) - 1, 0)

    @property
    def violated(self) -> bool:
        """Whether a violation is known; witnesses do not count."""
        known = any(v.length is not None and v.evaluator.property.kind != "reachable" for v in self.valuations)
        early = self.started and bool(self.interpreter.initial_faults)
        return known or self.deadlock is not None or bool(self.faults) or early

    # -- levels --------------------------------------------------------------------------------------------------------

    def run(self, deepest: int | None = None) -> None:
        """Search until all states are expanded, level `deepest` is found, or a limit is reached."""
        try:
            self._run(deepest)
        except WHY_ENDED as ended:
            self.stopped = stop_of(ended)
            self._take_last()
        self._end()

    @abstractmethod
    def _end(self) -> None:
        """Called once, when the search has ended."""

    def _take_last(self) -> None:
        """Evaluate what was observed in the level in which the search ended.

        A second interrupt, a limit or a lack of memory must not lose it; only valuations that are
        not decided yet may be lost.
        """
        if not self.levels:
            return
        try:
            self._take_news()
            self._level_ends(len(self.levels) - 1)
        except WHY_ENDED:
            pass

    def _run(self, deepest: int | None) -> None:
        """The main loop: begin, then evaluate, save and expand level by level."""
        self._begin(deepest)
        while True:
            depth = len(self.levels) - 1
            self._level_ends(depth)
            if self.stopped is None:
                self._save_level()
            self._tell()
            if self.stopped is not None or not any(a < b for a, b in self.levels[-1]) or depth == deepest:
                return
            self.stopped = self._limit_before(depth)
            if self.stopped is not None:
                return
            self._open_level()
            try:
                self._expand_level(depth)
            finally:
                self._close_level()
            self.whole += self.stopped is None

    @abstractmethod
    def _begin(self, deepest: int | None) -> None:
        """Find the initial states, or continue from a checkpoint."""

    @abstractmethod
    def _save_level(self) -> None:
        """Called when the last level is complete and evaluated."""

    @abstractmethod
    def _open_level(self) -> None:
        """Begin the next level."""

    @abstractmethod
    def _expand_level(self, depth: int) -> None:
        """Find the states of the open level: the successors of level `depth`, or some of them if a
        limit is reached."""

    @abstractmethod
    def _close_level(self) -> None:
        """Called when no more states are added to the open level."""

    def _limit_before(self, depth: int) -> Stop | None:
        """The reason not to expand level `depth`, or None."""
        if self.first and self.violated:
            return FIRST
        if depth == self.clock.budget.max_depth:
            return Stop(StopKind.MAX_DEPTH, depth)
        return None

    # -- what was noticed ----------------------------------------------------------------------------------------------

    @abstractmethod
    def _take_news(self) -> None:
        """Pass the new valuations on to the evaluators' tables, to be decided at the end of the
        level."""

    @abstractmethod
    def _marks(self, name: str, size: int) -> Sequence[bytes]:
        """The bytes of ``flags`` or ``seen`` of every worker or process."""

    def _level_ends(self, depth: int) -> None:
        """Decide the new valuations of a level, and evaluate the flags that its discovery has set.

        A deadlock is found when a state of the level before is expanded, so it is one step nearer.
        """
        for valuations in self.valuations:
            valuations.decide(depth)
        for flags in self._marks("flags", self.module.flags):
            if flags[ASTRAY]:
                raise InternalError("the native engine reached a state that its analysis has not foreseen")
            if flags[DEADLOCK] and self.deadlock is None:
                self.deadlock = depth - 1
            for flag in range(FAULTS, self.module.flags):
                if flags[flag]:
                    self.faults.setdefault(flag, depth)

    def _tell(self) -> None:
        """Report the progress, if a receiver was given."""
        if self.report is not None:
            self.report(Progress(self.depth, self.states, self.transitions, self.open, self.clock.seconds))

    def taken_for_known(self) -> float:
        """With approximate storage, the share of new states that would now be taken for known ones;
        otherwise 0."""
        return 0.0

    def distinct(self) -> tuple[int, ...]:
        """The number of distinct values of each cell among the states found; empty if there are too
        many values to count, or with approximate storage."""
        size = survey_size(self.module.packing)
        if not self.states or size > LARGEST_SURVEY or self.module.approximate is not None:
            return ()
        return distinct_values(self.module.packing, self._surveyed(size))

    @abstractmethod
    def _surveyed(self, size: int) -> bytes:
        """The values of the states found: one byte per value of each field (`survey`)."""

    def coverage(self) -> tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]:
        """The (template, location) pairs whose steps have fired, and those whose steps were
        blocked."""
        places = self.module.names.places
        marks = self._marks("seen", 2 * len(places))
        fired = frozenset(pair for pair, n in places.items() if any(m[2 * n] for m in marks))
        blocked = frozenset(pair for pair, n in places.items() if any(m[2 * n + 1] for m in marks))
        return fired, blocked

    # -- afterwards ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def keeps(self, depth: int) -> bool:
        """Return whether the states of a level are still available."""

    @abstractmethod
    def scanned(
        self, name: str, goal: int, depth: int, ends: Sequence[int] | None, needed: Records | None, size: int
    ) -> Generator[Part]:
        """Call a function on the states of a level, at most `size` at a time, and yield the records
        found.

        The function is ``examine``, or ``rest`` with the records `needed` of the next level; `goal`
        is the flag of the goal. `ends` restricts each worker's part to the states before a number.
        """

    def close(self) -> None:
        """Free all memory."""
        for valuations in () if self._adopted else self.valuations:
            valuations.table.close()
