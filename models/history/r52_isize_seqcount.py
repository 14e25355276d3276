"""Two writers of a sequence counter leave it odd, and its readers spin forever (R52, FUSE).

On 32-bit machines i_size is read under a sequence counter, whose writers must exclude each other: an increment is a
load, an addition and a store. One of two increments is lost, the counter stays odd, and i_size_read never returns. FUSE
set the size from attributes and from writes without a common lock; 9ffbb9162312 (id not verified): `fi->lock` for both.
"""

from dio_mc import Model, Range, SpinLock, Var, expect, operation, progress, thread


class NoLock(Model):
    """Before 9ffbb9162312."""

    sequence = Var(Range(0, 4))
    low, high = Var(Range(0, 2)), Var(Range(0, 2))
    lock = SpinLock()

    @thread
    def attributes(self):
        self.change_attributes()

    @operation(kernel="fs/fuse/inode.c:fuse_change_attributes")
    def change_attributes(self):
        self.i_size_write(1)

    @thread
    def write(self):
        self.write_update_size()

    @operation(kernel="fs/fuse/file.c:fuse_direct_io")
    def write_update_size(self):
        self.i_size_write(2)

    @operation(kernel="include/linux/fs.h:i_size_write")
    def i_size_write(self, size):
        self.count()
        self.low = size
        self.high = size
        self.count()

    @operation(kernel="include/linux/fs.h:i_size_write")
    def count(self):
        before = self.sequence
        self.sequence = before + 1

    @thread
    def reader(self):
        self.i_size_read()

    @operation(kernel="include/linux/fs.h:i_size_read")
    def i_size_read(self):
        good = False
        while not good:
            before = self.sequence
            low = self.low
            high = self.high
            good = self.sequence == before
            good = good and before % 2 == 0
            assert not good or low == high, "half of one size and half of another"

    @progress
    def i_size_read_returns(self):
        return self.finished(self.reader)


class OneLock(NoLock):
    """The fix, 9ffbb9162312."""

    @operation(kernel="fs/fuse/inode.c:fuse_change_attributes")
    def change_attributes(self):
        self.lock.lock()
        super().change_attributes()
        self.lock.unlock()

    @operation(kernel="fs/fuse/file.c:fuse_direct_io")
    def write_update_size(self):
        self.lock.lock()
        super().write_update_size()
        self.lock.unlock()


class OnlyOneOfThem(OneLock):
    """The mistake: only one of the two writers takes the lock."""

    @operation(kernel="fs/fuse/file.c:fuse_direct_io")
    def write_update_size(self):
        NoLock.write_update_size(self)


expect(NoLock, violates={"i_size_read_returns", "assertion@59"})
expect(OneLock, holds=True)
expect(OnlyOneOfThem, violates={"i_size_read_returns", "assertion@59"})
