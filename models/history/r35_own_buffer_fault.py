"""Direct IO whose user buffer is a mapping of the range that it reads (R35, btrfs and gfs2).

The read locks the range and pins the buffer; that faults; the fault reads the page in and wants the same range. One
thread, standing still by itself; models/seed/own_buffer.py is the same of 2006. btrfs 51bd9563b678 (Oct 2021), gfs2
b01b2d72da25; xfstests generic/647: no faults while the range is locked; on -EFAULT let go, fault in, try again.

Two sequels of the repair. generic/729: the IO is a write, which drops the cached pages of its range, so that the buffer
is never resident when it is tried again, and the loop never ends; repaired by a buffered write when nothing has moved.
generic/708: what the first try had written was dropped, and left a hole (r35_partial_result.py).
"""

from dio_mc import Kernel, Model, RangeLock, Var, expect, operation, progress, thread


class FaultsLocked(Model):
    """Before."""

    extents = RangeLock(size=1)
    resident = Var(bool)

    @thread
    def program(self):
        self.direct_io()

    @operation(kernel="fs/btrfs/inode.c:btrfs_direct_IO @3.16-5.10")
    def direct_io(self):
        self.extents.lock(0, 1)
        self.fault_in()  # get_user_pages
        self.extents.unlock(0, 1)

    @operation(kernel="fs/btrfs/extent_io.c:extent_readahead @5.10-6.1")
    def fault_in(self):
        self.extents.lock(0, 1)
        self.resident = True
        self.extents.unlock(0, 1)

    @progress
    def io_ends(self):
        """The IO comes to an end."""
        return self.at_rest()


class FaultsUnlocked(FaultsLocked):
    """51bd9563b678."""

    @operation(kernel="fs/btrfs/file.c:btrfs_direct_read @6.1-6.1")
    def direct_io(self):
        done = False
        while not done:
            self.begin()
            self.extents.lock(0, 1)
            done = self.resident
            self.extents.unlock(0, 1)
            if not done:  # -EFAULT
                self.retry()

    @operation()
    def begin(self):
        """A read has nothing to drop."""

    @operation(kernel="lib/iov_iter.c:fault_in_iov_iter_writeable @6.1-")
    def retry(self):
        self.fault_in()


class DropsItsBuffer(FaultsUnlocked):
    """The same for a write of a mapped page onto itself."""

    @operation(kernel="mm/truncate.c:invalidate_inode_pages2_range")
    def begin(self):
        self.resident = False


class FallsBack(DropsItsBuffer):
    """A buffered write, which needs the buffer once and drops nothing, when a round has moved nothing."""

    @operation(kernel="fs/btrfs/file.c:btrfs_direct_write @6.1-6.1")
    def direct_io(self):
        self.begin()
        self.extents.lock(0, 1)
        done = self.resident
        self.extents.unlock(0, 1)
        if not done:
            self.fault_in()  # btrfs_buffered_write


expect(
    FaultsLocked,
    violates={"deadlock", "io_ends"},
    kernel=Kernel(
        "btrfs",
        layout="written",
        threads={"program": "pread_direct_own"},
        shows={"deadlock": {"all": "deadlock"}},
        has=("5.10",),
        mended=("6.1", "6.12", "7.3"),
    ),
)
expect(FaultsUnlocked, holds=True, any="all")
expect(DropsItsBuffer, violates={"io_ends"})
expect(FallsBack, holds=True, any="all")
