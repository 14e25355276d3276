"""Buffered readers and direct writers exclude each other as two classes (R19, ceph and NFS).

The race of r05_refill_behind_dio_write.py over the network: the server's reply to a buffered read arrives
after a direct write has ended, and fills the cache with old data. NFS took `i_mutex` for all direct IO
(a9ab5e840669, 2013), then got a lock of two classes (a5864c999de6, 2016), and so did ceph (321fe13c9398,
2019, after occasional failures of xfstests generic/451): buffered users run in parallel, direct users run
in parallel, and the classes exclude each other. A second invalidation is not needed then.

r19_minority.py checks that a class with few users makes progress.
"""

from r05_refill_behind_dio_write import InvalidatesBefore

from dio_mc import TwoClassLock, expect, operation


class CephUnlocked(InvalidatesBefore):
    """Before 321fe13c9398: the race of the generic code of 2007."""


class CephTwoClasses(CephUnlocked):
    """The fix, 321fe13c9398."""

    io_lock = TwoClassLock()

    @operation(kernel="fs/ceph/io.c:ceph_start_io_direct @5.10-")
    def direct_write(self, i):
        self.io_lock.lock_direct()
        super().direct_write(i)
        self.io_lock.unlock_direct()

    @operation(kernel="fs/ceph/io.c:ceph_start_io_read @5.10-")
    def buffered_read(self, i):
        self.io_lock.lock_buffered()
        data = super().buffered_read(i)
        self.io_lock.unlock_buffered()
        return data


class UnlocksBeforeTheReply(CephTwoClasses):
    """The mistake: the lock covers only the invalidation, and is released before the write is sent."""

    @operation(kernel="fs/ceph/io.c:ceph_start_io_direct @5.10-")
    def direct_write(self, i):
        self.io_lock.lock_direct()
        self.invalidate_inode_pages2_range(i)
        self.io_lock.unlock_direct()
        self.submit(i)


expect(CephUnlocked, violates={"coherent_at_rest", "read_after_ack"})
expect(CephTwoClasses, holds=True, any="all")
expect(UnlocksBeforeTheReply, violates={"coherent_at_rest", "read_after_ack"})
