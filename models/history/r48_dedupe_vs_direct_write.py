"""Two files are compared equal, one is written directly, and then they are made to share their block (R48, XFS).

Deduplication compares the blocks of two files and maps the second file to the block of the first. A direct write
in between loses its block, and with it an acknowledged write. 5d888b481e6a (id not verified): both inodes' IO is
locked exclusively and direct IO is drained from before the comparison until the blocks are shared. The page
cache, which is flushed then too, is not in this model.
"""

from dio_mc import Array, DrainCounter, Model, Param, Range, RWSem, Var, expect, invariant, operation, spawn, thread
from dio_mc.kernel import Data


class ComparesUnlocked(Model):
    """Before 5d888b481e6a. `block` is that of the second file: 0, the first file's block, or 1, its own."""

    aio = Param(0, min=0, max=1)
    block = Var(Range(0, 1), init=1)
    disk = Array(Data, size=2, init=Data.OLD)
    iolock, i_dio_count = RWSem(), DrainCounter(max=1)
    acknowledged = Var(bool, ghost=True)

    @thread
    def deduplicator(self):
        self.remap_file_range()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_remap_range @5.10-")
    def remap_file_range(self):
        first = self.disk[0]
        equal = first == self.disk[1]
        if equal:
            self.block = 0

    @thread
    def writer(self):
        self.iolock.down_read()
        self.i_dio_count.begin()
        if self.aio == 1:
            spawn(self.end_io)
        else:
            self.transfer()
        self.iolock.up_read()

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_bio_end_io @5.10-")
    def end_io(self):
        self.transfer()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-")
    def transfer(self):
        """Write to the own block: a shared block is copied on write, so the map has the own block again at the end."""
        shared = self.block == 0
        self.disk[1] = Data.NEW
        if shared:
            self.block = 1
        self.acknowledged = True
        self.i_dio_count.end()

    @invariant
    def no_lost_write(self):
        return not self.at_rest() or self.disk[self.block] == Data.NEW


class LocksBoth(ComparesUnlocked):
    """The fix, 5d888b481e6a."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_remap_range @5.10-")
    def remap_file_range(self):
        self.iolock.down_write()
        self.i_dio_count.wait()
        super().remap_file_range()
        self.iolock.up_write()


class DoesNotDrain(ComparesUnlocked):
    """The mistake: no drain; the submitter's lock does not cover asynchronous IO."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_remap_range @5.10-")
    def remap_file_range(self):
        self.iolock.down_write()
        super().remap_file_range()
        self.iolock.up_write()


class UnlocksToShare(LocksBoth):
    """The mistake: the comparison is protected, the remapping after it is not."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_remap_range @5.10-")
    def remap_file_range(self):
        self.iolock.down_write()
        self.i_dio_count.wait()
        first = self.disk[0]
        equal = first == self.disk[1]
        self.iolock.up_write()
        if equal:
            self.block = 0


expect(ComparesUnlocked, violates={"no_lost_write"})
expect(ComparesUnlocked, aio=1, violates={"no_lost_write"})
expect(LocksBoth, holds=True, any="all")
expect(LocksBoth, aio=1, holds=True)
expect(DoesNotDrain, holds=True, any="all")
expect(DoesNotDrain, aio=1, violates={"no_lost_write"})
expect(UnlocksToShare, violates={"no_lost_write"})
