"""What the locking rules in this folder share: system calls on one page of one file, and what they leave on record.

A workload calls `pread`, `pwrite`, `pread_direct`, `pwrite_direct`, `aio_pwrite`, `mmap_load`, `mmap_store`,
`readahead`, `fsync` and `punch_hole`, and nothing else; a rule overrides the kernel functions below them. Each call
leaves a record of its own in ghosts, which no rule can read: the result and the one before it, what had been
acknowledged when the call began, what it meant to write. `dio_mc.study` reads them where everything has ended.

"""

from onepage import OnePage

from dio_mc import PerThread, Var, me, operation, reachable
from dio_mc.kernel import Data


class SystemCalls(OnePage, abstract=True):
    """A rule derives from this and says what it is called (`rule`) and since when it is there (`since`)."""

    outcome = PerThread(Data, ghost=True)
    earlier = PerThread(Data, ghost=True)
    floor = PerThread(Data, ghost=True)
    wrote = PerThread(Data, ghost=True)
    acknowledged = Var(Data, ghost=True)

    @operation()
    def pread(self, i):
        self.floor[me] = self.acknowledged
        data = self.buffered_read(i)
        self.earlier[me], self.outcome[me] = self.outcome[me], data

    @operation()
    def pread_direct(self, i):
        self.floor[me] = self.acknowledged
        data = self.direct_read(i)
        self.earlier[me], self.outcome[me] = self.outcome[me], data

    @operation()
    def mmap_load(self, i):
        self.floor[me] = self.acknowledged
        data = self.filemap_fault(i)
        self.earlier[me], self.outcome[me] = self.outcome[me], data

    @operation()
    def pwrite(self, i, value):
        self.floor[me], self.wrote[me] = self.acknowledged, value
        self.buffered_write(i, value)
        self.outcome[me], self.acknowledged = value, value

    @operation()
    def pwrite_direct(self, i, value):
        self.floor[me], self.wrote[me] = self.acknowledged, value
        result = self.direct_write(i, value)
        self.outcome[me], self.acknowledged = result, self.acknowledged if result == Data.EIO else value

    @operation()
    def aio_pwrite(self, i, value):
        self.floor[me], self.wrote[me] = self.acknowledged, value
        result = self.aio_write(i, value)
        self.outcome[me], self.acknowledged = result, self.acknowledged if result == Data.EIO else value

    @operation()
    def mmap_store(self, i, value):
        self.floor[me], self.wrote[me] = self.acknowledged, value
        stored = False
        while not stored:
            self.filemap_fault(i)
            stored = self.store_through_pte(i, value)
        self.outcome[me], self.acknowledged = value, value

    @operation()
    def punch_hole(self, i):
        self.floor[me], self.wrote[me] = self.acknowledged, Data.ZERO
        self.fallocate_punch_hole(i)
        self.outcome[me], self.acknowledged = Data.ZERO, Data.ZERO

    @operation()
    def readahead(self, i):
        self.force_page_cache_readahead(i)

    @operation()
    def fsync(self, i):
        self.filemap_write_and_wait_range(i)

    @reachable
    def all_ended(self):
        """Every thread of the workload has ended."""
        return self.at_rest()
