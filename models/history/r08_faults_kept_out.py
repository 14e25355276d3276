"""Page faults are excluded for as long as a direct write takes (R08): a design that no kernel has.

r08_mmap_dirties_under_dio.py with a lock that the write holds from its first invalidation and that faults take shared,
like `invalidate_lock` (2021) if direct IO took it, and like the place holders of 2006. The lock is needed until the
device has written; the second invalidation does not need it, and finds no old page. No commit id, since nothing like
it was merged; the cost is the deadlock of r35_own_buffer_fault.py when the user's buffer is a mapping of the file.
"""

from r08_mmap_dirties_under_dio import Silent

from dio_mc import RWSem, expect, operation


class KeepsFaultsOut(Silent):
    """The lock is held for the whole write."""

    invalidate_lock = RWSem()

    @operation(kernel="fs/iomap.c:iomap_dio_rw @4.10-5.2")
    def direct_write(self):
        self.invalidate_lock.down_write()
        super().direct_write()
        self.invalidate_lock.up_write()

    @operation(kernel="mm/filemap.c:filemap_fault @2.6.24-")
    def fault(self):
        self.invalidate_lock.down_read()
        super().fault()
        self.invalidate_lock.up_read()


class UntilTheTransfer(KeepsFaultsOut):
    """The lock is released when the device has written, which is enough."""

    @operation(kernel="fs/iomap.c:iomap_dio_rw @4.10-5.2")
    def direct_write(self):
        self.invalidate_lock.down_write()
        self.write_out()
        self.invalidate_lock.up_write()
        self.complete()


expect(KeepsFaultsOut, holds=True, any="all")
expect(UntilTheTransfer, holds=True, any="all")
