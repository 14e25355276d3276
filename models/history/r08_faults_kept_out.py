"""Faults are kept out for as long as a direct write takes (R08): the design that no kernel has.

r08_mmap_dirties_under_dio.py with a lock that the write holds from its first invalidation and that faults take shared,
as `invalidate_lock` (2021) would be if direct IO took it, and as the place holders of 2006 were. It is needed until the
device has written; the second invalidation may come without it, and finds nothing old. No commit id, since nothing like
it was merged; its price is the deadlock of r35_own_buffer_fault.py, when the user's buffer is a mapping of the file.
"""

from r08_mmap_dirties_under_dio import Silent

from dio_mc import RWSem, expect, operation


class KeepsFaultsOut(Silent):
    """The whole write."""

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
    """Not a mistake: released when the device is done."""

    @operation(kernel="fs/iomap.c:iomap_dio_rw @4.10-5.2")
    def direct_write(self):
        self.invalidate_lock.down_write()
        self.write_out()
        self.invalidate_lock.up_write()
        self.complete()


expect(KeepsFaultsOut, holds=True, any="all")
expect(UntilTheTransfer, holds=True, any="all")
