"""The search of a program whose states are divided among the parts of a cluster. It sends requests
and holds no states.

A level is found in rounds: every part expands some states, and inserts those that the others have
sent. Two rounds are in progress at a time, so that no part waits for this process. At the end of a
level every part reports its observations and writes the level to a file. A part that dies is
restored from its files, or else all parts start again; then the level is repeated.
"""

from __future__ import annotations

import ctypes
import time
from array import array
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from dio_mc.engines.cluster.messages import Cluster, Died, Handle, LevelReport, Round
from dio_mc.engines.disk.files import Cut
from dio_mc.engines.native.levels import LevelSearch
from dio_mc.engines.native.module import Module
from dio_mc.engines.native.moment import Clock, Moment
from dio_mc.engines.native.prepared import Prepared, Reduced
from dio_mc.engines.native.records import Part, Records
from dio_mc.engines.native.search import STARTS, Work
from dio_mc.errors import InternalError
from dio_mc.semantics.search import SearchRequest
from dio_mc.semantics.stop import Stop, StopKind

LOOK: Final = 0.1
"""Seconds between two polls of the limits while the parts work."""
DEATHS: Final = 3
"""The number of deaths of parts that a search survives in one level."""
AHEAD: Final = 2
"""The number of rounds in progress."""

Answer = TypeVar("Answer")
Connect = Callable[[Module, Reduced, Callable[[], Stop | None]], Cluster]
"""Creates the parts for a program and its reductions; the limit ends the wait for them."""


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of one level, or of all complete levels."""

    states: int = 0
    transitions: int = 0
    expanded: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(
            self.states + other.states, self.transitions + other.transitions, self.expanded + other.expanded
        )  # fmt: skip


def found_by(reports: Sequence[Round | LevelReport]) -> Found:
    """The sum over all parts."""
    return sum((Found(one.states, one.transitions, one.expanded) for one in reports), Found())


class ClusterSearch(LevelSearch):
    """One search. `levels` has the numbers of states of each part; `sent` has the bytes transferred
    in each level."""

    def __init__(self, prepared: Prepared, request: SearchRequest, clock: Clock, work: Work, connect: Connect) -> None:
        super().__init__(prepared, request, clock)
        self.reduced = work.by.symmetry
        self.sent: list[int] = []
        self._moment: Moment | None = None
        self._done, self._now = Found(), Found()
        self._saved = 0
        self._seen: list[bytes] = []
        self._flags: list[bytes] = []
        self._lost: set[int] = set()
        self._known: set[tuple[int, tuple[int, ...]]] = set()
        try:
            self._cluster = connect(prepared.module, work.by, clock.exceeded)
        except BaseException:
            super().close()
            raise

    # -- numbers -------------------------------------------------------------------------------------------------------

    @property
    def states(self) -> int:
        """States found."""
        return self._done.states + self._now.states

    @property
    def transitions(self) -> int:
        """Successors found, including known ones and self-loops."""
        return self._done.transitions + self._now.transitions

    @property
    def expanded(self) -> int:
        """States that have been fully expanded."""
        return self._done.expanded + self._now.expanded

    @property
    def examined(self) -> None:
        """None: it is not known which states of an incomplete level were expanded."""
        return

    # -- asking --------------------------------------------------------------------------------------------------------

    @property
    def _parts(self) -> range:
        return range(self._cluster.parts)

    def _all(self, name: str, *arguments: object) -> list[Handle]:
        """Send the same request to every part."""
        return [self._cluster.ask(part, "ask", name, *arguments)[0] for part in self._parts]

    def _answers(self, handles: Sequence[Handle], kind: type[Answer]) -> list[Answer]:
        """The answers, all of type `kind`. Raises `Cut` if a part reports a limit, or when the
        grace period after a limit is over, and `Died`."""
        while (found := self._cluster.answers(handles, LOOK)) is None:
            self._look()
        for one in found:
            if isinstance(one, Stop):
                raise Cut(one)
            if not isinstance(one, kind):
                raise InternalError(f"a part of the states has answered {one!r}")
        return list(found)  # type: ignore[arg-type]  # looked at just now

    def _look(self) -> None:
        """Report the progress and poll the limits."""
        self._tell()
        stop = self._pressed()
        self.stopped = self.stopped or stop

    def _pressed(self) -> Stop | None:
        """The limit that has just been reached, or None. It starts a grace period for the requests
        in progress; `Cut` is raised when that is over."""
        if self._moment is None:
            stop = self.clock.exceeded()
            self._moment = None if stop is None else Moment(self.clock)
            return stop
        stop = self._moment.exceeded()
        if stop is not None:
            raise Cut(stop)
        return None

    def _end_soon(self, stop: Stop) -> None:
        """Stop, for this reason, after a grace period for the requests in progress."""
        self.stopped = self.stopped or stop
        self._moment = self._moment or Moment(self.clock)

    # -- levels --------------------------------------------------------------------------------------------------------

    def _begin(self, deepest: int | None) -> None:
        self._open_level()
        try:
            self._with_deaths(-1, self._find_first)
            self.started = self.stopped is None
            self.whole += self.started
        finally:
            self._close_level()

    def _open_level(self) -> None:
        self.levels.append([])

    def _expand_level(self, depth: int) -> None:
        self._with_deaths(depth, lambda: self._find_next(depth))

    def _with_deaths(self, depth: int, find: Callable[[], None]) -> None:
        """Find a level, with `find`, take the reports and have the level written; repeat this if a
        part dies."""
        deaths = 0
        while True:
            try:
                if deaths:
                    self._revive(depth)
                find()
                self._take_reports()
                self._write()
                return
            except Died as died:
                deaths += 1
                if deaths > DEATHS:
                    raise Cut(
                        Stop(StopKind.RAY, f"workers have died {deaths} times in level {depth + 1}: {died}")
                    ) from died

    def _find_first(self) -> None:
        """Find the initial states."""
        self._now = Found()
        states = map(self.module.packing.encode, self.interpreter.starting())
        while self.stopped is None and (some := list(islice(states, STARTS))):
            data = array("Q", (word for state in some for word in state)).tobytes()
            stored = self._cluster.put(data)
            self._answers(self._all("offer", stored), object)
            self._cluster.drop([stored])
            self._look()

    def _find_next(self, depth: int) -> None:
        """Find the successors of level `depth`."""
        self._now = Found()
        self._answers(self._all("begin", depth), object)
        rounds = deque(self._round() for _ in range(AHEAD))
        while rounds:
            progress = self._progress(rounds.popleft())
            if self.stopped is None and any(one.left for one in progress):
                rounds.append(self._round())

    def _round(self) -> tuple[list[Handle], list[Handle]]:
        """Request that every part expands some states and inserts those that the others send."""
        parts = self._parts
        sent = [self._cluster.ask(part, "expand", answers=len(parts) + 1) for part in parts]
        taken = [
            self._cluster.ask(part, "ask", "take", *(sent[other][1 + part] for other in parts if other != part))[0]
            for part in parts
        ]
        for one in sent:
            self._cluster.drop(one[1:])
        return [one[0] for one in sent], taken

    def _progress(self, round_: tuple[list[Handle], list[Handle]]) -> list[Round]:
        """The progress of all parts after a round."""
        expanded, taken = round_
        progress: list[Round] = []
        try:
            progress = self._answers(expanded, Round)
            self._answers(taken, object)
        except Cut as cut:
            if self._moment is not None and self._moment.exceeded() is not None:
                raise
            self._end_soon(cut.stop)
        if progress:
            self._now = found_by(progress)
        self._look()
        return progress

    def _take_reports(self) -> None:
        """Take the parts' reports on the level."""
        reports = self._answers(self._all("level"), LevelReport)
        self.levels[-1] = [(0, report.states) for report in reports]
        self._now = found_by(reports)
        self.sent = [*self.sent[: len(self.levels) - 1], sum(report.sent for report in reports)]
        self._flags = [report.flags for report in reports]
        seen = [*self._seen, *(report.seen for report in reports)]
        self._seen = [bytes(map(max, zip(*seen, strict=True)))]
        for report in reports:
            self._note(report)

    def _note(self, report: LevelReport) -> None:
        """Note the valuations of a report that no earlier report had, to be decided."""
        decode = self.module.packing.decode
        for number, words, after in report.news:
            valuations = self.valuations[number]
            state, later = decode(words), decode(after) if valuations.stepwise else None
            seen = number, valuations.of(state, later)
            if seen not in self._known:
                self._known.add(seen)
                valuations.note(state, later)

    def _write(self) -> None:
        """Have all parts write the level."""
        self._answers(self._all("save"), object)
        self._saved = len(self.levels)

    def _close_level(self) -> None:
        self._done, self._now = self._done + self._now, Found()

    def _take_news(self) -> None:
        """Nothing to do: valuations are noted with the reports."""

    def _save_level(self) -> None:
        """Nothing to do: every level has been written."""

    def _end(self) -> None:
        """Grant the backward pass a grace period of its own."""
        self._moment = None

    def _marks(self, name: str, size: int) -> Sequence[bytes]:
        return self._flags if name == "flags" else self._seen or [bytes(size)]

    # -- deaths --------------------------------------------------------------------------------------------------------

    def _revive(self, depth: int) -> None:
        """Replace dead parts and restore their levels up to `depth` from files. If that fails,
        start again with all parts. If another part dies meanwhile, the next attempt does the rest."""
        self._lost |= {part for part in self._parts if not self._lives(part)}
        for part in self._lost:
            self._cluster.renew(part)
        if depth < 0 or not self._restored(depth):
            self._lost = set(self._parts)
            self._begin_again(depth)
        self._lost = set()

    def _restored(self, depth: int) -> bool:
        """Whether the levels of all lost parts could be read."""
        lost = sorted(self._lost)
        counts = [tuple(level[part][1] for level in self.levels[: depth + 1]) for part in lost]
        try:
            asked = [self._cluster.ask(part, "ask", "restore", depth)[0] for part in lost]
            return self._answers(asked, tuple) == counts
        except Cut as cut:
            if cut.stop.kind is StopKind.RAY:
                return False
            raise

    def _lives(self, part: int) -> bool:
        try:
            self._answers(self._cluster.ask(part, "ask", "process"), int)
        except Died:
            return False
        return True

    def _begin_again(self, depth: int) -> None:
        """Replace all parts, which find and write the levels up to `depth` again."""
        now = self._now
        for part in self._parts:
            self._cluster.renew(part)
        if depth >= 0:
            self._find_first()
            self._answers(self._all("save"), object)
        for level in range(depth):
            self._find_next(level)
            self._answers(self._all("save"), object)
        self._now = now

    # -- afterwards ----------------------------------------------------------------------------------------------------

    def keeps(self, depth: int) -> bool:
        """Return whether all parts have written a level."""
        return depth < self._saved

    def scanned(
        self, name: str, goal: int, depth: int, ends: Sequence[int] | None, needed: Records | None, size: int
    ) -> Generator[Part]:
        """See `LevelSearch`; all records of a part are yielded at once, and empty arrays while it
        works."""
        stored = None if needed is None else self._cluster.put(b"".join(map(bytes, needed.parts)))
        handles = self._all("scan", name, goal, depth, self._wanted(goal), stored)
        try:
            for handle in handles:
                while (found := self._cluster.answers([handle], LOOK)) is None:
                    self._pressed()
                    yield (ctypes.c_uint64 * 0)()
                (data,) = found
                if not isinstance(data, bytes):
                    raise Cut(data) if isinstance(data, Stop) else InternalError(f"a part has answered {data!r}")
                yield (ctypes.c_uint64 * (len(data) // 8)).from_buffer_copy(data)
        except Died as died:
            raise Cut(Stop(StopKind.RAY, f"a worker has died: {died}")) from died
        finally:
            self._cluster.drop(handles if stored is None else [*handles, stored])

    def _wanted(self, goal: int) -> tuple[int, bytes] | None:
        """The number of the evaluator that a goal belongs to, and the positions of the valuations
        that violate it; None for deadlocks and faults."""
        number = goal - self.module.flags
        if number < 0:
            return None
        marks = ctypes.string_at(self.valuations[number].table.address, self.module.tables[number])
        places, at = array("Q"), marks.find(2)
        while at >= 0:
            places.append(at)
            at = marks.find(2, at + 1)
        return number, places.tobytes()

    def _surveyed(self, size: int) -> bytes:
        marks = 0
        for data in self._answers(self._all("survey", size), bytes):
            marks |= int.from_bytes(data, "little")
        return marks.to_bytes(size, "little")

    def close(self) -> None:
        """Remove the files and end all parts."""
        with suppress(Died, Cut):
            asked, until = self._all("remove"), time.monotonic() + 1
            while self._cluster.answers(asked, LOOK) is None and time.monotonic() < until:
                pass
        self._cluster.close()
        super().close()
