"""Whether there are pages to drop is tested before the lock is taken (R18, XFS and btrfs).

A direct write looks whether the mapping has pages, takes the inode's lock, and drops the pages if it saw any. What came
into the cache between the test and the lock stays, old. XFS c58cb165bd44 (Aug 2011) tests again under the lock. (To
flush the whole file so as not to pay for this again and again, 3d751af2cbe9, 2015, is performance, and not here.)
The lock is modelled as exclusive: what happens under a shared one is r05_refill_behind_dio_write.py.

btrfs has it with a range lock: eb838e73dc21 (2012), fc4adbff823f (2014). Reading a page takes the page's lock, then
the range, so whoever has the range must not wait for a page: look, let go, drop the pages, and begin again.
"""

from dio_mc import Mutex, RangeLock, expect, operation, thread
from dio_mc.kernel import CoherentAtRest, Data, File, Slot


class TestsFirst(CoherentAtRest):
    """Before: the test decides."""

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
    """c58cb165bd44."""

    @operation(kernel="fs/xfs/linux-2.6/xfs_file.c:xfs_file_dio_aio_write @2.6.38-3.0")
    def write_locked(self, i, cached):
        cached = self.slot[i] != Slot.ABSENT
        super().write_locked(i, cached)


class RangeLoop(TestsFirst):
    """btrfs: the range is locked, and nothing is cached in it."""

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
    """The mistake: to wait for the page's lock with the range locked."""

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
