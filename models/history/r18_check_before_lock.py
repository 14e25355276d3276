"""A direct write tests for cached pages before it takes the lock (R18, XFS and btrfs).

A direct write tests whether the mapping has pages, takes the inode's lock, and invalidates the pages if it saw any. A
page inserted between the test and the lock stays in the cache, with old data. XFS c58cb165bd44 (Aug 2011) tests again
under the lock. (3d751af2cbe9, 2015, flushes the whole file to avoid the repeated cost; it is for performance, and not
modelled.) The lock is modelled as exclusive: r05_refill_behind_dio_write.py shows the effects of a shared one.

btrfs has the race with a range lock: eb838e73dc21 (2012), fc4adbff823f (2014). Reading a page takes the page lock, then
the range, so the owner of the range must not wait for a page: it tests, unlocks, invalidates the pages, and retries.
"""

from dio_mc import Mutex, RangeLock, expect, operation, thread
from dio_mc.kernel import CoherentAtRest, Data, File, Slot


class TestsFirst(CoherentAtRest):
    """Before c58cb165bd44: the test without the lock decides."""

    iolock = Mutex()

    @thread
    def writer(self):
        for i in range(self.pages):
            self.direct_write(i)

    @operation(kernel="fs/xfs/linux-2.6/xfs_file.c:xfs_file_dio_aio_write @2.6.38-3.0")
    def direct_write(self, i):
        cached = self.slot[i] != Slot.ABSENT
        self.iolock.lock()
        self.write_locked(i, cached)
        self.iolock.unlock()

    @operation(kernel="fs/xfs/linux-2.6/xfs_file.c:xfs_file_dio_aio_write @2.6.38-3.0")
    def write_locked(self, i, cached):
        if cached:
            self.invalidate_inode_pages2_range(i)
        self.bio_write(i, Data.NEW)

    @thread
    def reader(self):
        for i in range(self.pages):
            self.read(i)

    @operation(kernel="fs/xfs/linux-2.6/xfs_file.c:xfs_file_aio_read @-2.6.27")
    def read(self, i):
        self.iolock.lock()
        self.seen[i] = self.buffered_read(i)
        self.iolock.unlock()


class TestsAgain(TestsFirst):
    """The fix, c58cb165bd44."""

    @operation(kernel="fs/xfs/linux-2.6/xfs_file.c:xfs_file_dio_aio_write @2.6.38-3.0")
    def write_locked(self, i, cached):
        cached = self.slot[i] != Slot.ABSENT
        super().write_locked(i, cached)


class RangeLoop(TestsFirst):
    """btrfs: the loop ends with the range locked and nothing cached in it."""

    extents = RangeLock(size=File.pages)

    @operation(kernel="fs/btrfs/inode.c:lock_extent_direct @3.16-6.1")
    def direct_write(self, i):
        cached = True
        while cached:
            self.extents.lock(i, i + 1)
            cached = self.slot[i] != Slot.ABSENT
            if cached:
                self.extents.unlock(i, i + 1)
                self.invalidate_inode_pages2_range(i)
        self.bio_write(i, Data.NEW)
        self.extents.unlock(i, i + 1)

    @operation(kernel="mm/filemap.c:generic_file_aio_read @-2.6.27")
    def read(self, i):
        self.seen[i] = self.buffered_read(i)

    @operation(kernel="fs/btrfs/extent_io.c:__do_readpage @3.16-4.19")
    def read_page(self, i):
        self.extents.lock(i, i + 1)
        block = self.get_block(i)
        data = self.bio_read(i, block)
        self.extents.unlock(i, i + 1)
        self.end_read(i, data)
        return data


class DropsUnderTheRange(RangeLoop):
    """The mistake: the write waits for the page lock with the range locked."""

    @operation(kernel="fs/btrfs/inode.c:lock_extent_direct @3.16-6.1")
    def direct_write(self, i):
        self.extents.lock(i, i + 1)
        cached = self.slot[i] != Slot.ABSENT
        self.write_locked(i, cached)
        self.extents.unlock(i, i + 1)


expect(TestsFirst, violates={"coherent_at_rest"})
expect(TestsAgain, holds=True, any="all")
expect(RangeLoop, holds=True, any="all")
expect(DropsUnderTheRange, violates={"deadlock"})
