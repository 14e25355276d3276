"""A size that was read before the lock makes fallocate zero valid data (R23, ocfs2).

fallocate zeroes from the end of the file to the end of the block. f267aeb (2021) reads i_size under
the lock: the value read before it was stale when another write had extended the file, and the
zeroing overwrote that write. Unlike r23_fallocate_vs_append.py, this loses data.
"""

from dio_mc import Model, Range, RWSem, Var, expect, invariant, operation, thread
from dio_mc.kernel import Data


class ReadsBeforeTheLock(Model):
    """Before f267aeb."""

    i_size = Var(Range(0, 1))
    disk = Var(Data, init=Data.ZERO)
    acknowledged = Var(bool)
    i_rwsem = RWSem()

    @thread
    def writer(self):
        self.i_rwsem.down_write()
        self.disk = Data.NEW
        self.i_size = 1
        self.i_rwsem.up_write()
        self.acknowledged = True

    @thread
    def allocator(self):
        self.fallocate()

    @operation(kernel="fs/ocfs2/file.c:__ocfs2_change_file_space @2.6.24-")
    def fallocate(self):
        size = self.i_size
        self.i_rwsem.down_write()
        self.zero_range(size)
        self.i_rwsem.up_write()

    @operation(kernel="fs/ocfs2/file.c:ocfs2_zero_partial_clusters @2.6.24-")
    def zero_range(self, size):
        if size < 1:
            self.disk = Data.ZERO

    @invariant
    def no_lost_write(self):
        return not self.acknowledged or self.disk == Data.NEW


class ReadsUnderTheLock(ReadsBeforeTheLock):
    """The fix, f267aeb."""

    @operation(kernel="fs/ocfs2/file.c:__ocfs2_change_file_space @2.6.24-")
    def fallocate(self):
        self.i_rwsem.down_write()
        size = self.i_size
        self.zero_range(size)
        self.i_rwsem.up_write()


expect(ReadsBeforeTheLock, violates={"no_lost_write"})
expect(ReadsUnderTheLock, holds=True, any="all")
