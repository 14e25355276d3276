"""The compiled search, level by level: ``Module`` -> counts, coverage, and the levels of the
nearest violations.

All workers expand the states of a level, in work chunks of a few states (`chunks`), and insert the
successors into one shared table (`table`). Each worker appends the states that it was the first to
find to its own array. The set of states in a level, and so the answer, does not depend on the
number of workers; only the distribution of the states over the arrays does.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from typing import Final

from dio_mc.engines.checkpoints.frame import Frame
from dio_mc.engines.checkpoints.store import Keeper
from dio_mc.engines.native.chunks import Chunks, first_of
from dio_mc.engines.native.context import ENDED, FULL, GROW, LOST
from dio_mc.engines.native.levels import Level, LevelSearch
from dio_mc.engines.native.memory import Region, reservable
from dio_mc.engines.native.moment import Clock
from dio_mc.engines.native.pool import WorkerPool
from dio_mc.engines.native.prepared import IN_FULL, Prepared, Reduced
from dio_mc.engines.native.records import Part, Records, RecordTable, Shape, taken
from dio_mc.engines.native.saving import Restored, Saving
from dio_mc.engines.native.valuations import Valuations
from dio_mc.engines.native.visited import Visited
from dio_mc.engines.native.worker import LAG, NEVER, WAITING, Worker, taken_for_known
from dio_mc.guard import WHY_ENDED, stop_of
from dio_mc.semantics.search import SearchRequest
from dio_mc.semantics.stop import Stop, StopKind

STRETCH: Final = 1 << 18
"""States that each worker expands between two polls of the limits."""
PAUSE: Final = 0.01
"""Seconds between two polls of the limits within a level. Near a limit on states a stretch is a
single state, and a poll opens files."""
TOGETHER: Final = 1 << 10
"""Fewer states than this are expanded by one worker, because waking the others takes longer."""
STARTS: Final = 1 << 14
"""Initial states that are inserted at once."""
KEEP: Final = 16 << 20
"""Bytes of states that are kept in memory for counterexamples. Beyond this, expanded levels are
dropped, and found again when they are needed."""


@dataclass(frozen=True, slots=True)
class Work:
    """How a search is made.

    `workers` threads run it, with the reductions `by`. Of its expanded levels about `keep` bytes
    stay in memory. `limit` bounds the number of states (None: no bound). The search continues from
    the frames `saved`, if any, and `keeper` writes its checkpoints.
    """

    workers: int = 1
    by: Reduced = IN_FULL
    keep: int = KEEP
    limit: int | None = None
    keeper: Keeper | None = None
    saved: Sequence[Frame] = ()


class Search(LevelSearch):
    """One compiled search.

    A search with a `limit` on states, or with approximate storage, has one worker, because the
    states within it depend on the order of discovery. `unread` states of a checkpoint have not been
    read yet.
    """

    def __init__(
        self,
        prepared: Prepared,
        request: SearchRequest,
        clock: Clock,
        work: Work,
        known: Sequence[Valuations] | None = None,
    ) -> None:
        super().__init__(prepared, request, clock, known)
        self.prepared, self.keep, self.reduced = prepared, work.keep, work.by.symmetry
        self.starts = STARTS
        self._limit = NEVER if work.limit is None else work.limit
        alone = work.limit is not None or self.module.approximate is not None
        self._reserve(1 if alone else work.workers)
        self.chunks = Chunks([worker.states.address for worker in self.workers])
        self.pool = WorkerPool(self.workers, self.chunks)
        self._before = 0
        self.tables = (ctypes.c_int64 * max(len(self.valuations), 1))(*(v.table.address for v in self.valuations))
        self.pool.set(
            watched=ctypes.addressof(self.tables), max_states=self._limit, reduced=int(work.by.symmetry),
            ordered=int(work.by.order), chunks=self.chunks.address,
        )  # fmt: skip
        self.unread = 0
        self._saved = work.saved
        self.saving = self._begin_saving(work.keeper)

    def _reserve(self, count: int) -> None:
        """Allocate the table and the workers' arrays, together about half of the address space that
        can be reserved, so that the backward pass has some too.

        The table gets a third and the arrays a quarter: a table at its load factor of three
        quarters has as many states as the arrays hold.
        """
        space = reservable()
        self.visited = Visited(self.module, space // 3)
        share = space // (4 * count)
        self.workers = [Worker(self.module, self.machine, self.visited, count, share) for _ in range(count)]

    # -- numbers -------------------------------------------------------------------------------------------------------

    @property
    def states(self) -> int:
        """States found."""
        return self.pool.sum("count") + self.unread

    @property
    def transitions(self) -> int:
        """Successors found, including known ones and self-loops."""
        return self.pool.sum("transitions")

    @property
    def expanded(self) -> int:
        """States that have been fully expanded."""
        return self._before + self.chunks.taken - self.pool.sum("stop") + self.pool.sum("next")

    @property
    def examined(self) -> list[int]:
        """For each worker, the number of one past the last state whose steps have been examined.

        A limit on states stops a single worker among the successors of a state: its steps have been
        examined, but it does not count as expanded. With several workers there is no order of
        discovery, and all states count.
        """
        if len(self.workers) > 1:
            return [worker.get("end") for worker in self.workers]
        (worker,) = self.workers
        return [worker.get("next") + (worker.get("full") != 0)]

    @property
    def examined_in_order(self) -> int:
        """The number of states whose steps a single worker has examined, in order of discovery."""
        return self.expanded + (self.workers[0].get("full") != 0)

    # -- levels --------------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        """Write the complete levels that are not saved yet, if a later run may need them."""
        try:
            self.saving.search_ends(write=self.stopped is not None or self.violated)
        except WHY_ENDED as ended:
            self.stopped = self.stopped or stop_of(ended)

    def _begin(self, deepest: int | None) -> None:
        """See `LevelSearch`."""
        self.pool.set(lag=0)
        if self._saved:
            self._go_on(deepest)
        else:
            self._start()

    def _save_level(self) -> None:
        self.saving.level_ends()

    def _go_on(self, deepest: int | None) -> None:
        """Continue from the last level of a checkpoint. Raises `ModelError` if the checkpoint is
        not of this search."""
        restored = self._restored(self._saved)
        restored.check()
        if not self._adopted:
            restored.recall()
        self.saving.go_on(restored)
        restored.take_in(deepest)
        for frame in self._saved:
            frame.close()

    def _begin_saving(self, keeper: Keeper | None) -> Saving:
        return Saving(self, keeper)

    def _restored(self, frames: Sequence[Frame]) -> Restored:
        return Restored(self, frames)

    def enlarge_for(self, states: int) -> None:
        """Enlarge the empty table to hold this number of states. Raises `MemoryError`."""
        while not self.visited.fixed and self.visited.most < states + 2 * len(self.workers) * self.workers[0].ahead:
            self.visited.enlarge()
        for worker in self.workers:
            worker.resize(self.visited.slots)

    def take_in(self, address: int, count: int) -> None:
        """Insert `count` states at `address`; there must be room for them."""
        self.workers[0].set(lag=LAG)
        self._check(self.machine.call["insert_all"](self.workers[0].address, address, count))

    def went_on(self, expanded: int) -> None:
        """Record that an earlier run expanded this number of states."""
        self._before = expanded

    def _start(self) -> None:
        """Find the initial states."""
        self._open_level()
        states = map(self.module.packing.encode, self.interpreter.starting())
        most = min(self.starts, self.workers[0].most_at_once)
        try:
            while self.stopped is None and (some := list(islice(states, most))):
                self._make_room_for(len(some))
                self._check(self.workers[0].insert(some))
                self._take_news()
                self.stopped = self.stopped or self.clock.exceeded()
            self._take_level()
            self.started = self.stopped is None
            self.whole += self.started
        finally:
            self._close_level()

    def _open_level(self) -> None:
        self.levels.append([(worker.get("end"), worker.get("end")) for worker in self.workers])

    def _take_level(self) -> None:
        """Called when all states of a level have been found; a search on disk merges its candidates
        here."""

    def _close_level(self) -> None:
        self.levels[-1] = [(first, w.get("end")) for (first, _), w in zip(self.levels[-1], self.workers, strict=True)]

    def _expand_level(self, depth: int) -> None:
        if self._expand_parts(self.levels[depth]):
            self._forget(depth)

    def _expand_parts(self, parts: Level) -> bool:
        """Expand a range of states in each worker's array; return whether all were expanded."""
        looked = -PAUSE
        while any(first < end for first, end in parts):
            if self.clock.seconds - looked >= PAUSE:
                self._tell()
                self.stopped = self.clock.exceeded()
                if self.stopped is not None:
                    return False
                looked = self.clock.seconds
            self._set_lag()
            offered = first_of(parts, self._stretch() * len(self.workers))
            if not self._expand(offered):
                return False
            parts = [(stop, end) for (_, stop), (_, end) in zip(offered, parts, strict=True)]
        return True

    def _expand(self, offered: Level) -> bool:
        """Expand all states offered; return False if the limit on states was reached."""
        self._before = self.expanded
        self.chunks.share(offered)
        together = sum(end - first for first, end in offered) >= TOGETHER
        for number, worker in enumerate(self.workers):
            worker.set(part=number, parts_left=len(self.workers))
        return self._work([worker.expand for worker in (self.workers if together else self.workers[:1])])

    def _work(self, tasks: Sequence[Callable[[], int]]) -> bool:
        """Run one task per worker until it has ended, and take new valuations and make room
        whenever it returns for that; return False if the limit on states was reached."""
        while True:
            self._share_room()
            self.chunks.halt(whether=False)
            codes = self.pool.run(tasks)
            self._take_news()
            if self._check(*codes):
                return False
            if all(code in ENDED for code in codes):
                return True
            if GROW in codes:
                self._make_room()

    # -- room ----------------------------------------------------------------------------------------------------------

    def _room(self) -> int:
        """The number of states that the table can still take before it grows."""
        return NEVER if self.visited.fixed else self.visited.most - self.pool.sum("count")

    def _make_room_for(self, count: int) -> None:
        """Make room for `count` states to be inserted by the first worker. Raises `MemoryError`."""
        first = self.workers[0]
        while self._room() < count + first.ahead:
            self._grow()
        if first.capacity < first.get("end") + count:
            raise MemoryError("no address space for more states")

    def _share_room(self) -> None:
        """Divide the room among the workers. Raises `MemoryError` if an array is full."""
        self.pool.share_room(self._room())

    def _make_room(self) -> None:
        """Enlarge the table unless much of it is free and only one worker's share is used up."""
        if self._room() < max(self.visited.slots // 64, 2 * len(self.workers) * self.workers[0].ahead):
            self._grow()

    def _grow(self) -> None:
        before = self.visited.slots
        self.visited.enlarge()
        self.pool.rehash(before, self.visited.slots)

    def _stretch(self) -> int:
        """The number of states to expand between two polls: few if `max_states` is near."""
        left = self._limit - self.states
        return max(min(STRETCH, left // (self.module.most + 1)), 1)

    def _set_lag(self) -> None:
        """Set the lag of the rings. No state beyond the limit may be counted, so close to it the
        successors of a state are inserted before the next state is expanded."""
        close = self._limit - self.states <= (self._stretch() + 1) * self.module.most + WAITING
        self.pool.set(lag=0 if close else LAG)

    def _check(self, *codes: int) -> bool:
        """Evaluate the workers' return codes; return whether the limit on states is reached. Raises
        `MemoryError` if probing ran past the end of the table."""
        if LOST in codes:
            raise MemoryError("the table has no place left")
        if FULL in codes:
            self.stopped = Stop(StopKind.MAX_STATES, self._limit)
        return FULL in codes

    def _forget(self, depth: int) -> None:
        """Free the memory of expanded levels, if all states take more than `keep` bytes."""
        size = 8 * self.module.packing.words
        kept = self.saving.may_forget(depth)
        if self.pool.sum("end") * size <= self.keep or kept <= self.kept:
            return
        for worker, (_, end) in zip(self.workers, self.levels[kept - 1], strict=True):
            worker.states.forget(0, end * size)
        self.kept = kept

    def keeps(self, depth: int) -> bool:
        """Return whether the states of level `depth` are still available."""
        return self.kept <= depth < len(self.levels)

    def parts_of(self, depth: int, ends: Sequence[int] | None, size: int) -> Generator[tuple[Worker, int, int]]:
        """The states of a kept level in pieces of at most `size`: the worker, and the numbers of
        the first state and of one past the last in its array. `ends` restricts each worker's part
        to the states before a number."""
        for number, (worker, (first, last)) in enumerate(zip(self.workers, self.levels[depth], strict=True)):
            end = last if ends is None else max(min(last, ends[number]), first)
            for start in range(first, end, size):
                yield worker, start, min(start + size, end)

    def scanned(
        self, name: str, goal: int, depth: int, ends: Sequence[int] | None, needed: Records | None, size: int
    ) -> Generator[Part]:
        """See `LevelSearch`; the records are in each worker's order of discovery."""
        shape = Shape.of(self.prepared)
        with ExitStack() as stack:
            found = Region(8 * shape.size * size, huge=False)
            stack.callback(found.close)
            more = []
            if needed is not None:
                more = [stack.enter_context(closing(RecordTable(self.prepared, needed, reduced=False))).address]
            for worker, first, last in stack.enter_context(closing(self.parts_of(depth, ends, size))):
                worker.set(goal=goal, found=found.address, found_length=0)
                self.machine.call[name](worker.address, *more, first, last)
                yield taken(shape, found.address, worker.get("found_length"))

    # -- what was noticed ----------------------------------------------------------------------------------------------

    def _take_news(self) -> None:
        """Pass the new valuations that the workers have reported on to the evaluators' tables and
        the checkpoints."""
        decode = self.module.packing.decode
        for worker in self.workers:
            for number, words, after in worker.take_news():
                valuations = self.valuations[number]
                valuations.note(decode(words), decode(after) if valuations.stepwise else None)
                self.saving.noticed(number, words, after if valuations.stepwise else ())

    def _survey(self) -> None:
        """Mark the values of the states found."""
        self.machine.call["survey"](self.workers[0].address)

    def _marks(self, name: str, size: int) -> list[bytes]:
        return [worker.marks(name, size) for worker in self.workers]

    def _surveyed(self, size: int) -> bytes:
        with closing(Region(size)) as region:
            self.workers[0].set(survey=region.address)
            self._survey()
            return ctypes.string_at(region.address, size)

    def taken_for_known(self) -> float:
        """See `LevelSearch`."""
        return taken_for_known(self.module.approximate, self.states, self.workers[0])

    def close(self) -> None:
        """Free all memory and stop the pool."""
        self.saving.close()
        self.pool.close()
        for worker in self.workers:
            worker.close()
        self.chunks.close()
        self.visited.close()
        super().close()
