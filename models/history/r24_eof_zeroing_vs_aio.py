"""A write beyond the end of the file zeroes the data of an append in flight (R24, XFS).

A write at block 2 of an empty file zeroes the range from i_size to the block. If an earlier asynchronous
append to block 0 is in flight and has not yet raised i_size, its data is in that range. 40c63fbc55a9
(2015): with the lock exclusive, drain direct IO, then read i_size again. 3136e8bb3054 (2015): also if the
lock was exclusive from the start (`unaligned`), where the first fix did not drain. xfstests generic/114.
"""

from dio_mc import Array, DrainCounter, Kernel, Model, Param, Range, RWSem, Var, expect, invariant, operation, thread
from dio_mc.kernel import Data


class NoDrain(Model):
    """Before both fixes: i_size is read under the exclusive lock without a drain."""

    unaligned = Param(False)

    disk = Array(Data, size=3)
    i_size = Var(Range(0, 3))
    acknowledged = Var(bool)
    i_rwsem = RWSem()
    i_dio_count = DrainCounter(max=1)

    @thread
    def appender(self):
        self.i_rwsem.down_read()
        self.i_dio_count.begin()
        self.i_rwsem.up_read()  # -EIOCBQUEUED
        self.disk[0] = Data.NEW
        self.end_io()

    @operation(kernel="fs/xfs/xfs_aops.c:xfs_end_io_direct_write @3.16-4.9")
    def end_io(self):
        grows = self.i_size < 1
        if grows:
            self.i_size = 1
        self.acknowledged = True
        self.i_dio_count.end()

    @thread
    def writer(self):
        self.i_rwsem.down_write()
        size = self.checks()
        self.write(size)
        self.i_rwsem.up_write()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_aio_write_checks @3.16-5.10")
    def checks(self):
        return self.i_size

    @operation(kernel="fs/xfs/xfs_file.c:xfs_zero_eof @3.16-4.9")
    def write(self, size):
        for i in range(2):
            if i >= size:
                self.disk[i] = Data.ZERO
        self.disk[2] = Data.NEW
        self.i_size = 3

    @invariant
    def no_lost_write(self):
        return not self.acknowledged or self.disk[0] == Data.NEW


class SizeThenDrain(NoDrain):
    """The mistake: direct IO is drained, and then the size read before the drain is used."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_aio_write_checks @3.16-5.10")
    def checks(self):
        size = self.i_size
        self.i_dio_count.wait()
        return size


class DrainsOnUpgrade(NoDrain):
    """40c63fbc55a9: only a writer that upgrades its lock to exclusive drains."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_aio_write_checks @3.16-5.10")
    def checks(self):
        if not self.unaligned:
            self.i_dio_count.wait()
        return self.i_size


class Drains(NoDrain):
    """The fix, 3136e8bb3054: every writer drains."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_aio_write_checks @3.16-5.10")
    def checks(self):
        self.i_dio_count.wait()
        return self.i_size


expect(
    NoDrain,
    violates={"no_lost_write"},
    kernel=Kernel(
        "xfs",
        layout="empty",
        threads={"appender": "pwrite_direct:NEW", "writer": "pwrite_beyond:NEWER"},
        gates={"appender.end_io": "xfs_dio_write_end_io"},
        shows={"no_lost_write": {"appender": "new", "file": "zero"}},
        mended=("5.10", "6.12", "7.3"),
    ),
)
expect(SizeThenDrain, violates={"no_lost_write"})
expect(DrainsOnUpgrade, holds=True, any="all")
expect(DrainsOnUpgrade, violates={"no_lost_write"}, unaligned=True)
expect(Drains, holds=True, any="all")
expect(Drains, holds=True, unaligned=True)
