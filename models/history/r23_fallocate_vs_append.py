"""fallocate computes the new size before an asynchronous append has finished (R23, XFS).

The inode's lock only excludes submission. Under it fallocate reads i_size and decides that the file must
grow to 1; the completion of an append sets it to 2; fallocate then writes 1. "xfs: properly serialise
fallocate against AIO+DIO" (Oct 2019; 249bd9087a52, id not verified, the parent of ae7e403fa5bb) drains
direct IO after taking the lock. xfstests generic/586. In r23_ocfs2_stale_size.py a stale size destroys data.
"""

from dio_mc import DrainCounter, Kernel, Model, Range, RWSem, Var, expect, invariant, operation, thread


class LockOnly(Model):
    """Before 249bd9087a52. The append ends at 2."""

    i_size = Var(Range(0, 2))
    i_rwsem = RWSem()
    i_dio_count = DrainCounter(max=1)

    @thread
    def appender(self):
        self.i_rwsem.down_write()
        self.i_dio_count.begin()
        self.i_rwsem.up_write()  # -EIOCBQUEUED
        self.end_io()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-")
    def end_io(self):
        self.i_size = 2
        self.i_dio_count.end()

    @thread
    def allocator(self):
        self.i_rwsem.down_write()
        self.fallocate()
        self.i_rwsem.up_write()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fallocate @3.16-")
    def fallocate(self):
        size = self.i_size
        if size < 1:
            self.i_size = 1

    @invariant
    def size_ok(self):
        return not self.at_rest() or self.i_size == 2

    @invariant
    def size_never_shrinks(self, after):
        return after.i_size >= self.i_size


class Drains(LockOnly):
    """The fix, 249bd9087a52."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fallocate @3.16-")
    def fallocate(self):
        self.i_dio_count.wait()
        super().fallocate()


expect(
    LockOnly,
    violates={"size_ok", "size_never_shrinks"},
    kernel=Kernel(
        "xfs",
        layout="empty",
        threads={"appender": "pwrite_direct:NEW", "allocator": "fallocate"},
        turns="appender until xfs_iomap_write_unwritten, allocator, appender",
        shows={"size_ok": {"appender": "new", "file": "eof"}},
        mended=("5.10", "6.12", "7.3"),
    ),
)
expect(Drains, holds=True, any="all")
