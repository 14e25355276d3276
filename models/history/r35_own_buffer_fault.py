"""Direct IO whose user buffer is a mapping of the range that it reads (R35, btrfs and gfs2).

The read locks the range and pins the buffer; that faults, and the fault reads the page in and locks the same range:
a deadlock of one thread. models/seed/own_buffer.py is the same in 2006. btrfs 51bd9563b678 (Oct 2021), gfs2
b01b2d72da25; xfstests generic/647: no faults while the range is locked; on -EFAULT unlock, fault in, retry.

The fix has two regressions. generic/729: the IO is a write, which invalidates the cached pages of its range, so that
the buffer is not resident in any retry, and the loop never ends; fixed by a buffered write when an attempt transfers
nothing. generic/708: the data of the first attempt was dropped, which left a hole (r35_partial_result.py).
"""

from dio_mc import Kernel, Model, RangeLock, Var, expect, operation, progress, thread


class FaultsLocked(Model):
    """Before 51bd9563b678."""

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
    """The fix, 51bd9563b678."""

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
        """A read does not invalidate."""

    @operation(kernel="lib/iov_iter.c:fault_in_iov_iter_writeable @6.1-")
    def retry(self):
        self.fault_in()


class DropsItsBuffer(FaultsUnlocked):
    """The regression: a write of a mapped page onto itself."""

    @operation(kernel="mm/truncate.c:invalidate_inode_pages2_range")
    def begin(self):
        self.resident = False


class FallsBack(DropsItsBuffer):
    """If an attempt transfers nothing: a buffered write, which needs the buffer once and does not invalidate."""

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
