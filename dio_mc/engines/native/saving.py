"""Checkpoints of the compiled search: its levels as frames, and how a search continues.

A frame contains complete levels: their states in the order of discovery, worker by worker, and the
states or edges that first showed a valuation, which the evaluators decide again after a resumption.
Its text contains the rest, as of the end of its last level: transitions, the steps that fired and
were blocked, the levels of the first deadlock and the first fault of each kind. Observations in an
incomplete level are left out, because that level is repeated. So the search continues as if it had
never ended.

A level is dropped from memory only when it is on the disk. If saving begins late (after 60
seconds), the levels dropped by then are copied from the table. Their order is lost, but nothing
depends on it any more.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, Final

from dio_mc.engines.checkpoints.frame import WORD, Buffer, Frame, Refused
from dio_mc.engines.checkpoints.place import refused
from dio_mc.engines.checkpoints.store import Keeper
from dio_mc.engines.native.cursor import FAULTS
from dio_mc.engines.native.memory import Region

if TYPE_CHECKING:
    from dio_mc.engines.native.levels import Level
    from dio_mc.engines.native.search import Search

AT_ONCE: Final = 1 << 17
"""States that are inserted, or copied from the table, between two polls of the limits."""
MOST_WAITING: Final = 1 << 28
"""Bytes of levels that may wait to be written; with more, the search waits for the disk."""

News = tuple[int, int, tuple[int, ...], tuple[int, ...]]
"""A new valuation: the level, the number of the evaluator, the words of the state and those of its
successor (empty unless the property is about steps)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A search at the end of level `depth`: the states of the level are all known, and none is
    expanded. `news` counts the valuations observed until then and not yet written; `about` is the
    text of the frame."""

    depth: int
    news: int
    about: dict[str, Any]


class Saving:
    """The checkpoints of one search. The first `levels` levels are on the disk and may be dropped
    from memory."""

    def __init__(self, search: Search, keeper: Keeper | None) -> None:
        self._search, self._keeper = search, keeper
        self._news: list[News] = []
        self._mark: Mark | None = None
        self._handed: Mark | None = None
        self.levels = 0
        self.workers = len(search.workers)

    @property
    def is_on(self) -> bool:
        """Whether checkpoints are being written, so that levels must not be dropped before they are
        on the disk."""
        return self._keeper is not None and self._keeper.begun

    def may_forget(self, depth: int) -> int:
        """The number of levels, from the first on, that may be dropped once level `depth` is
        expanded."""
        return min(depth + 1, self.levels) if self.is_on else depth + 1

    def noticed(self, evaluator: int, words: tuple[int, ...], after: tuple[int, ...]) -> None:
        """Record a new valuation of the level that is being found."""
        if self._keeper is not None:
            self._news.append((len(self._search.levels) - 1, evaluator, words, after))

    def level_ends(self) -> None:
        """Called when a level is complete and its valuations are decided. Starts a write if one is
        due."""
        if self._keeper is None or self._keeper.ended:
            return
        self._mark = self._now()
        self._take_written(self._keeper, waits=self._waiting() > MOST_WAITING)
        if self._keeper.is_due(self._waiting()):
            self._hand_over(self._keeper, self._mark)

    def search_ends(self, *, write: bool) -> None:
        """Wait for the write in progress; with `write`, then write the complete levels that are not
        saved yet."""
        keeper = self._keeper
        if keeper is None:
            return
        keeper.close()
        self._take_written(keeper, waits=False)
        mark = self._mark
        if write and mark is not None and mark.depth >= self.levels and keeper.begun:
            self._hand_over(keeper, mark)
            keeper.close()
            self._take_written(keeper, waits=False)

    def frames(self) -> Sequence[Frame]:
        """The frames on the disk; none if one cannot be read or is damaged, or if some levels were
        copied from the table and so have lost their order."""
        if self._keeper is None or not self.levels:
            return ()
        try:
            found = self._keeper.frames()
        except (OSError, Refused, MemoryError):
            return ()
        return () if any(frame.about.get("gathered") for frame in found) else found

    def close(self) -> None:
        """Wait for the write in progress, because the memory of the search is about to be freed."""
        if self._keeper is not None:
            self._keeper.close()

    def go_on(self, restored: Restored) -> None:
        """Record that the search continues from frames, which stay on the disk."""
        self.levels = len(restored.sizes)
        self.workers = max(self.workers, restored.workers)

    # -- writing -------------------------------------------------------------------------------------------------------

    def _waiting(self) -> int:
        """Bytes of the levels in memory that are not on the disk."""
        first = max(self.levels, self._search.kept)
        if first >= len(self._search.levels):
            return 0
        starts = [part[0] for part in self._search.levels[first]]
        ends = [part[1] for part in self._search.levels[-1]]
        return (sum(ends) - sum(starts)) * self._search.module.packing.words * WORD

    def _now(self) -> Mark:
        """The mark of the current state of the search, at the end of its last level."""
        found = self._search
        depth = len(found.levels) - 1
        names = found.module.names.faults
        fired = [worker.marks("seen", 2 * len(found.module.names.places)) for worker in found.workers]
        about = {
            "transitions": found.transitions,
            "seen": bytes(max(marks) for marks in zip(*fired, strict=True)).hex(),
            "deadlock": found.deadlock,
            "faults": {names[flag - FAULTS]: length for flag, length in sorted(found.faults.items())},
            "workers": self.workers,
            "states": found.states,
        }
        return Mark(depth, len(self._news), about)

    def _take_written(self, keeper: Keeper, *, waits: bool) -> None:
        """Evaluate a write that has ended; with `waits`, wait for it first, as long as the limits
        allow."""
        if self._handed is None:
            return
        done = keeper.done(self._search.clock.exceeded if waits else None)
        if done is None:
            return
        if done:
            self.levels = self._handed.depth + 1
            self._mark = self._mark and Mark(self._mark.depth, self._mark.news - self._handed.news, self._mark.about)
            del self._news[: self._handed.news]
        self._handed = None

    def _hand_over(self, keeper: Keeper, mark: Mark) -> None:
        """Start a write of everything up to the mark that is not saved yet."""
        found, size = self._search, self._search.module.packing.words
        gathered = found.kept if found.kept > self.levels else 0
        first = 0 if gathered else self.levels
        levels = found.levels[first : mark.depth + 1]
        table = found.states if gathered else 0
        states = sum(end - start for level in levels[gathered:] for start, end in level) + table
        tail = array("Q", news_words(self._news[: mark.news], size))
        about = {
            **mark.about, "first": first, "levels": [[end - start for start, end in level] for level in levels],
            "gathered": gathered, "table": table, "news": mark.news,
        }  # fmt: skip
        words = [*(part for level in levels[gathered:] for part in self._bytes(level))]
        self._handed = mark
        keeper.write(
            about, states * size + len(tail), chain(words, self._gathered() if gathered else (), [tail.tobytes()])
        )
        if gathered:  # the table must not change while it is copied
            keeper.close()

    def _bytes(self, level: Level) -> list[Buffer]:
        """The states of a level, in place in the workers' arrays."""
        size = self._search.module.packing.words * WORD
        return [
            memoryview((ctypes.c_char * ((end - start) * size)).from_address(w.states.address + start * size)).cast("B")
            for w, (start, end) in zip(self._search.workers, level, strict=True)
            if end > start
        ]

    def _gathered(self) -> Iterator[Buffer]:
        """All states, copied from the table in pieces."""
        found, size = self._search, self._search.module.packing.words * WORD
        out = Region(AT_ONCE * size, huge=False)
        try:
            limit = found.workers[0].get("limit")
            for first in range(0, limit, AT_ONCE):
                end = min(first + AT_ONCE, limit)
                count = found.machine.call["gather"](found.workers[0].address, first, end, out.address)
                yield ctypes.string_at(out.address, count * size)
        finally:
            out.close()


def news_words(news: Sequence[News], size: int) -> Iterator[int]:
    """Valuations as words: the level, the evaluator, the state, and its successor (zeros if it has
    none)."""
    for level, evaluator, words, after in news:
        yield level
        yield evaluator
        yield from words
        yield from after or (0,) * size


# --- going on ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stretch:
    """States of a frame that lie together, from word `first` of it: those of a `level`, or (None)
    those copied from the table."""

    frame: Frame
    first: int
    count: int
    level: int | None


class Restored:
    """The contents of frames. Raises `ModelError` if these do not fit together, or do not fit the
    search."""

    def __init__(self, search: Search, frames: Sequence[Frame]) -> None:
        self._search, self._frames = search, frames
        self.stretches: list[Stretch] = []
        self.news: list[News] = []
        self.sizes: list[list[int]] = []
        self.gathered = 0
        for frame in frames:
            try:
                self._take(frame)
            except (KeyError, TypeError, ValueError, IndexError):
                raise refused(frame.path, "it is not what dio-mc writes") from None
        self.about = frames[-1].about

    @property
    def states(self) -> int:
        """The number of states."""
        return sum(map(sum, self.sizes))

    def _take(self, frame: Frame) -> None:
        """Locate the levels of a frame and read its valuations. Raises `ValueError` if the frame
        contradicts itself or the one before."""
        about, size = frame.about, self._search.module.packing.words
        levels: list[list[int]] = about["levels"]
        gathered, at = about["gathered"], 0
        if about["first"] != len(self.sizes) or not all(count >= 0 for level in levels for count in level):
            raise ValueError
        for number, level in enumerate(levels):
            self.sizes.append(level)
            if number >= gathered:
                self.stretches.append(Stretch(frame, at, sum(level), about["first"] + number))
                at += sum(level) * size
        if gathered:
            self.gathered = gathered
            self.stretches.append(Stretch(frame, at, about["table"], None))
            at += about["table"] * size
        self._take_news(frame, at, about["news"])

    def _take_news(self, frame: Frame, at: int, count: int) -> None:
        """Read the valuations of a frame, from word `at` on. Raises `ValueError` for words that are
        not a packed state."""
        size = self._search.module.packing.words
        each = 2 + 2 * size
        if at + count * each != frame.words:
            raise ValueError
        numbers = frame.numbers(at, count * each)
        for start in range(0, len(numbers), each):
            level, evaluator, *rest = numbers[start : start + each]
            words, after = tuple(rest[:size]), tuple(rest[size:])
            stepwise = self._search.valuations[evaluator].stepwise
            for state in (words, after) if stepwise else (words,):
                if self._search.module.packing.encode(self._search.module.packing.decode(state)) != state:
                    raise ValueError
            self.news.append((level, evaluator, words, after))

    def check(self) -> None:
        """Raise `ModelError` if the checkpoint already exceeds a limit of the search."""
        budget, path = self._search.clock.budget, self._frames[-1].path
        depth = len(self.sizes) - 1
        if budget.max_depth is not None and depth > budget.max_depth:
            raise refused(path, f"it is {depth} levels deep already, and --max-depth is {budget.max_depth}")
        if budget.max_states is None:
            return
        if self.states > budget.max_states:
            raise refused(path, f"it has {self.states:,} states already, and --max-states is {budget.max_states:,}")
        if self.workers > 1:
            raise refused(path, "it was written with --workers, and what lies within --max-states is a matter of order")

    @property
    def workers(self) -> int:
        """The largest number of workers of any run that took part."""
        return max(int(frame.about["workers"]) for frame in self._frames)

    # -- into the search -----------------------------------------------------------------------------------------------

    def recall(self) -> None:
        """Restore the observations: have evaluators decide the valuations again, level by level,
        and set coverage, deadlock, faults and transitions."""
        found, decode = self._search, self._search.module.packing.decode
        for level, news in groupby(self.news, key=lambda one: one[0]):
            for _, number, words, after in news:
                valuations = found.valuations[number]
                valuations.recall(decode(words), decode(after) if valuations.stepwise else None)
            for valuations in found.valuations:
                valuations.decide(level)
        about, names = self.about, found.module.names
        marks = bytes.fromhex(about["seen"])
        try:
            if len(marks) != 2 * len(names.places):
                raise ValueError
            found.faults.update({FAULTS + names.faults.index(name): int(at) for name, at in about["faults"].items()})
            found.deadlock = None if about["deadlock"] is None else int(about["deadlock"])
            found.workers[0].set(transitions=int(about["transitions"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise refused(self._frames[-1].path, "it is not what dio-mc writes") from None
        ctypes.memmove(found.workers[0].get("seen"), marks, len(marks))

    def take_in(self, deepest: int | None = None) -> None:
        """Insert the states of the levels up to `deepest` (None: all). The search is then at the
        end of its last level.

        If a limit ends this early, the search counts as stopped there, with states that were not
        read (`unread`). Raises `ModelError` if states are missing.
        """
        found, frontier = self._search, sum(self.sizes[-1])
        found.levels = [[(0, sum(level)), *[(0, 0)] * (len(found.workers) - 1)] for level in self.sizes]
        found.started, found.whole, found.kept = True, len(self.sizes) - 1, len(self.sizes)
        found.unread = self.states
        found.went_on(expanded=self.states - frontier)
        found.enlarge_for(self.states)
        kept = self.gathered
        for stretch in self.stretches:
            if not self._insert(stretch):
                return
            stretch.frame.release()
            if stretch.level is not None:
                end = found.workers[0].get("end")
                found.levels[stretch.level][0] = (end - stretch.count, end)
                kept = self._forgotten(kept, stretch.level)
                if stretch.level == deepest:
                    del found.levels[deepest + 1 :]
                    found.unread = 0
                    break
        if found.unread:
            raise refused(self._frames[-1].path, "it does not have the states that it says")
        found.kept = kept
        found.workers[0].set(next=found.levels[-1][0][0], stop=found.levels[-1][0][0])

    def _forgotten(self, kept: int, level: int) -> int:
        """Free the memory of the levels before `level`, if all states take more than the search
        keeps. Return the number of levels that are dropped now."""
        worker, size = self._search.workers[0], self._search.module.packing.words * WORD
        if worker.get("end") * size <= self._search.keep or level <= kept:
            return kept
        worker.states.forget(0, self._search.levels[level][0][0] * size)
        return level

    def _insert(self, stretch: Stretch) -> bool:
        """Insert the states of a stretch; return False if a limit ended this. Raises `ModelError`
        for states that contradict the frame."""
        found, worker = self._search, self._search.workers[0]
        size = found.module.packing.words * WORD
        before, begin = worker.get("count"), worker.get("end")
        for start in range(0, stretch.count, AT_ONCE):
            found.stopped = found.clock.exceeded()
            if found.stopped is not None:
                return False
            some = min(AT_ONCE, stretch.count - start)
            if worker.capacity - worker.get("end") < some + worker.ahead:
                raise MemoryError("no address space for more states")
            address = stretch.frame.address + stretch.first * WORD + start * size
            known = worker.get("count")
            found.take_in(address, some)
            found.unread -= worker.get("count") - known
            if stretch.level is None:
                worker.states.forget(begin * size, worker.get("end") * size)
        if stretch.level is not None and worker.get("count") - before != stretch.count:
            raise refused(stretch.frame.path, f"level {stretch.level} has a state that was known before")
        if worker.get("news_length"):
            raise refused(stretch.frame.path, "it has a state with values of which it says nothing")
        return True
