"""The compiled search with all states on disk. It differs from `native.search` only in where states
are stored.

Successors are computed, evaluated and looked up in the table as in memory, but the table may have
dropped states. A successor that is not in the table is a candidate. Candidates that do not fit in
memory are written as sorted runs. At the end of a level a k-way merge removes duplicates and known
states. Known states are compared in one pass over those on disk, and only once the table has
dropped some. The remaining candidates are the next level, which is written to disk, and read to be
expanded.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dio_mc.engines.checkpoints.frame import Frame
from dio_mc.engines.checkpoints.place import refused
from dio_mc.engines.checkpoints.store import Keeper
from dio_mc.engines.disk.files import Block, Coder, Cut, Pile, Sorted
from dio_mc.engines.disk.levels_file import LevelsFile
from dio_mc.engines.disk.merging import Cursor, InMemory, Known, OnDisk, fewer, written
from dio_mc.engines.disk.saving import DiskRestored, DiskSaving
from dio_mc.engines.disk.sizes import Sizes
from dio_mc.engines.disk.sorting import Sorter
from dio_mc.engines.native.context import RECENT
from dio_mc.engines.native.levels import Level
from dio_mc.engines.native.memory import Region
from dio_mc.engines.native.moment import Clock, Moment
from dio_mc.engines.native.prepared import Prepared
from dio_mc.engines.native.saving import Stretch
from dio_mc.engines.native.search import PAUSE, STRETCH, Search, Work
from dio_mc.engines.native.visited import LEAPS, Visited
from dio_mc.engines.native.worker import NEVER, Worker
from dio_mc.errors import InternalError
from dio_mc.semantics.search import SearchRequest

BUNDLES: Final = 8
"""The number of known arrays of similar size beyond which they are merged into one."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The folder that a search may write to, the memory that it uses, and the bytes of the file
    system that must stay free."""

    folder: Path
    sizes: Sizes
    spare: int = 0

    def pile(self) -> Pile:
        """A new, empty file. Raises `Cut`."""
        return Pile(self.folder, self.spare)


class DiskSearch(Search):
    """One search. `levels` has only the numbers of states; the states themselves are `on_disk`, in
    the file `levels_pile`."""

    saving: DiskSaving

    def __init__(self, prepared: Prepared, request: SearchRequest, clock: Clock, work: Work, disk: Disk) -> None:
        self.disk, self._sizes = disk, disk.sizes
        self.on_disk: list[Sorted] = []
        self._runs: list[Sorted] = []
        self._known: list[Sorted] = []
        self._finished = 0
        self._forgetful = False
        self._looked = 0.0
        self._moment: Moment | None = None
        self.levels_pile = disk.pile()
        self._piles = ExitStack()
        self._piles.callback(lambda: self.levels_pile.close())
        with ExitStack() as opened:
            opened.callback(self._piles.close)
            self._runs_pile = disk.pile()
            self._piles.callback(self._runs_pile.close)
            super().__init__(prepared, request, clock, work)
            sorter = Sorter(self.module.packing.words, request.note)
            self._coder = Coder(sorter, self._sizes.block)
            self.starts = max(min(self.starts, self.workers[0].capacity // 4), 1)
            self._scratch = Region(max(worker.capacity for worker in self.workers) * sorter.size)
            self._source = Region(max(STRETCH, self._sizes.block) * sorter.size)
            opened.pop_all()

    def _reserve(self, count: int) -> None:
        """Allocate the table and the workers' arrays for candidates. An array has room for the
        successors of at least a few states."""
        least = 8 * self.module.packing.words * 8 * (self.module.most + 100)
        share = max(self._sizes.candidates // count, least)
        table = max(self._sizes.table, 4 * share * count)
        self.visited = Visited(self.module, table, min(LEAPS[0], table // 2))
        self.workers = [Worker(self.module, self.machine, self.visited, count, share) for _ in range(count)]

    # -- numbers -------------------------------------------------------------------------------------------------------

    @property
    def states(self) -> int:
        """States found. Within a level, candidates count, although some may turn out to be
        known."""
        return self._finished + self._candidates + self.unread

    @property
    def _candidates(self) -> int:
        return self.pool.sum("end") + sum(run.count for run in self._runs)

    @property
    def bytes_on_disk(self) -> int:
        """The current size of all files in bytes."""
        bundles = [array.pile for array in self._known if array.pile is not self.levels_pile]
        return sum(pile.end for pile in (self.levels_pile, self._runs_pile, *bundles))

    # -- levels --------------------------------------------------------------------------------------------------------

    def _open_level(self) -> None:
        self.levels.append([(0, 0)])

    def _expand_level(self, depth: int) -> None:
        """Expand the states of a level in pieces that are read from disk, then merge the
        candidates."""
        self.chunks.feed(0, self._source.address)
        rest: Level = [(0, 0)] * (len(self.workers) - 1)
        for count in self._coder.pieces(self.on_disk[depth], self._source.address, STRETCH):
            if not self._expand_parts([(0, count), *rest]):
                break
        self._take_level()

    def _take_level(self) -> None:
        """Merge the candidates into a level. If the search has been stopped, the merge is given up
        when the grace period ends."""
        stopped = self.stopped
        try:
            self.on_disk.append(self._merged())
        except Cut:
            if stopped is None:
                raise
            return
        self._finished += self.on_disk[-1].count
        if self.on_disk[-1].count:
            self._known.append(self.on_disk[-1])

    def _close_level(self) -> None:
        if len(self.on_disk) == len(self.levels):
            self.levels[-1] = [(0, self.on_disk[-1].count)]
        self._drop_candidates()

    def _drop_candidates(self) -> None:
        for worker in self.workers:
            worker.set(end=0)
        self._runs = []
        self._runs_pile.forget(0)

    def _merged(self) -> Sorted:
        """The new states among the candidates, as an array on disk."""
        self._runs = fewer(self._coder, self._runs_pile, self._runs, self.look)
        cursors: list[Cursor] = [OnDisk(self._coder, run) for run in self._runs]
        cursors += self._sorted_in_memory()
        if not self._forgetful:
            return written(self._coder, self.levels_pile, cursors, self.look)
        self._bundle()
        known = Known(self._coder, self._known, self._sizes.block, self.look)
        try:
            return written(self._coder, self.levels_pile, cursors, self.look, known)
        finally:
            known.close()

    def _sorted_in_memory(self) -> Iterator[InMemory]:
        """The candidates in the workers' arrays, sorted in place."""
        sorter = self._coder.sorter
        for worker in self.workers:
            address = worker.states.address
            count = sorter.sort(address, worker.get("end"), self._scratch.address) if worker.get("end") else 0
            worker.set(end=count)
            self.look()
            yield InMemory(sorter, address, count, self._sizes.block)

    def _bundle(self) -> None:
        """Merge the youngest known arrays once there are many of similar size, because every level
        is compared with all of them, and fewer arrays take less space and less time to read. A
        state is rewritten a logarithmic number of times."""
        count, size = 1, self._known[-1].count
        while count < len(self._known) and self._known[-count - 1].count <= 2 * size:
            count += 1
            size += self._known[-count].count
        if count > BUNDLES:
            self._known[-count:] = [self._bundled(self._known[-count:])]

    def _bundled(self, arrays: list[Sorted]) -> Sorted:
        """Merge some known arrays into one, in a file of its own; the files of earlier merges are
        closed."""
        pile = self.disk.pile()
        try:
            some = fewer(self._coder, self._runs_pile, arrays, self.look)
            bundle = written(self._coder, pile, [OnDisk(self._coder, one) for one in some], self.look)
        except BaseException:
            pile.close()
            raise
        for array in arrays:
            if array.pile is not self.levels_pile:
                array.pile.close()
        return bundle

    # -- going on ------------------------------------------------------------------------------------------------------

    def _begin_saving(self, keeper: Keeper | None) -> DiskSaving:
        return DiskSaving(self, keeper)

    def _restored(self, frames: Sequence[Frame]) -> DiskRestored:
        return DiskRestored(self, frames)

    def continue_with(self, file: LevelsFile, levels: Sequence[tuple[Block, ...]]) -> None:
        """Continue with the levels of an earlier run. They are inserted into the table if it has
        room for all of them, so that nothing is forgotten."""
        self.levels_pile.close()
        self.levels_pile, self.saving.file = file.pile, file
        self.on_disk = [Sorted(file.pile, blocks) for blocks in levels]
        self._known = [states for states in self.on_disk if states.count]
        self._finished, self.unread = self.unread, 0
        self._forgetful = not self._remembers()

    def _remembers(self) -> bool:
        """Insert all states into the table; return False if there is no room, or no time, for
        that."""
        (worker, *_), size = self.workers, self._coder.sorter.size
        try:
            self.enlarge_for(self._finished)
        except MemoryError:
            for one in self.workers:
                one.resize(self.visited.slots)
            return False
        most = worker.capacity - worker.ahead
        worker.set(max_states=NEVER)
        for states in self._known:
            for count in self._coder.pieces(states, self._source.address, STRETCH):
                if self.clock.exceeded() is not None:
                    return False
                for start in range(0, count, most):
                    self.take_in(self._source.address + start * size, min(most, count - start))
                    worker.set(end=0)
        return True

    def take_over(self, levels: Sequence[Stretch]) -> None:
        """Continue with the levels of a search in memory, which are sorted and written. Raises
        `ModelError` if a level has states of levels before it."""
        (worker, *_), size = self.workers, self._coder.sorter.size
        most = max(worker.capacity // 2, 1)
        worker.set(max_states=NEVER)
        for level in levels:
            address = level.frame.address + level.first * 8
            for start in range(0, level.count, most):
                self.stopped = self.clock.exceeded()
                if self.stopped is not None:
                    self._drop_candidates()
                    return
                some = min(most, level.count - start)
                self._make_room_for(some)
                self.take_in(address + start * size, some)
            level.frame.release()
            self._take_level()
            self._drop_candidates()
            if self.on_disk[-1].count != level.count:
                raise refused(level.frame.path, f"level {level.level} has a state that was known before")
            self.unread -= level.count

    # -- room ----------------------------------------------------------------------------------------------------------

    def _make_room_for(self, count: int) -> None:
        first = self.workers[0]
        if first.capacity < first.get("end") + count:
            self._spill()
        super()._make_room_for(count)

    def _share_room(self) -> None:
        if any(worker.capacity - worker.get("end") < 3 * worker.ahead for worker in self.workers):
            self._spill()
        super()._share_room()
        if self._limit != NEVER:
            (worker,) = self.workers
            worker.set(max_states=self._limit - self.states + worker.get("count"))

    def _spill(self) -> None:
        """Write the candidates in memory to disk, each worker's array as a run."""
        for cursor in list(self._sorted_in_memory()):
            self._runs.append(written(self._coder, self._runs_pile, [cursor], self.look))
        for worker in self.workers:
            worker.set(end=0)

    def _grow(self) -> None:
        """Enlarge the table; without memory for that, drop its states."""
        before = self.visited.slots
        try:
            self.visited.enlarge()
        except MemoryError:
            self._forget_states()
        else:
            self.pool.rehash(before, self.visited.slots)

    def _forget_states(self) -> None:
        """Reduce the table to the candidates in memory."""
        if self.pool.sum("end") > self.visited.most // 2:
            self._spill()
        self._forgetful = True
        self.visited.region.forget(0, self.visited.region.size)
        for worker in self.workers:
            ctypes.memset(worker.get("recent"), 0, RECENT)
        counts = [worker.get("end") for worker in self.workers]
        for worker in self.workers:
            worker.set(count=0, end=0, max_states=NEVER)
        for worker, count in zip(self.workers, counts, strict=True):
            code = self.machine.call["insert_all"](worker.address, worker.states.address, count)
            if self._check(code) or worker.get("end") != count:
                raise InternalError("the table does not take back the states that it had")

    # -- limits --------------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Poll the limits, now and then. The first limit starts a grace period for the end of the
        level; `Cut` is raised when that is over."""
        now = time.monotonic()
        if now - self._looked < PAUSE:
            return
        self._looked = now
        stop = self.clock.exceeded() if self._moment is None else self._moment.exceeded()
        if stop is None:
            return
        if self._moment is None:
            self._moment = Moment(self.clock)
        else:
            raise Cut(stop)

    # -- afterwards ----------------------------------------------------------------------------------------------------

    def keeps(self, depth: int) -> bool:
        """Return whether a level was written completely."""
        return depth < len(self.on_disk)

    def parts_of(self, depth: int, ends: Sequence[int] | None, size: int) -> Generator[tuple[Worker, int, int]]:
        """All states of a level; `ends` is ignored, because the order of discovery is lost."""
        (worker, *_) = self.workers
        with worker.reading(self._source.address):
            for count in self._coder.pieces(self.on_disk[depth], self._source.address, size):
                yield worker, 0, count

    def _survey(self) -> None:
        (worker, *_) = self.workers
        worker.set(table=self._source.address)
        for states in self.on_disk:
            for count in self._coder.pieces(states, self._source.address, STRETCH):
                worker.set(limit=count)
                super()._survey()
                if self.clock.exceeded() is not None and self._moment is not None and self._moment.exceeded():
                    return

    def close(self) -> None:
        """Free memory and delete the files."""
        super().close()
        for region in (self._scratch, self._source, self._coder):
            region.close()
        for array in self._known:
            if array.pile is not self.levels_pile:
                array.pile.close()
        self._piles.close()
