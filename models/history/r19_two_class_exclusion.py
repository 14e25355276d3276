"""Buffered readers and direct writers keep each other out, by class (R19, ceph and NFS).

The race of r05_refill_behind_dio_write.py on the network: the server's reply to a buffered read arrives after a direct
write has gone by, and leaves old bytes in the cache. NFS took `i_mutex` for all direct IO (a9ab5e840669, 2013), then
got a lock of two classes (a5864c999de6, 2016), and so did ceph (321fe13c9398, 2019, after xfstests generic/451 had
failed now and then): buffered users run together, direct users run together, the classes exclude each other. No second
invalidation is needed then.

Whether the class that is in the minority gets its turn is asked in r19_minority.py.
"""

from r05_refill_behind_dio_write import InvalidatesBefore

from dio_mc import TwoClassLock, expect, operation


class CephUnlocked(InvalidatesBefore):
    """Before: nothing new over the generic code of 2007, except the distance."""


class CephTwoClasses(CephUnlocked):
    """321fe13c9398."""

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
    """The mistake: the lock covers what happens before the request is sent."""

    @operation(kernel="fs/ceph/io.c:ceph_start_io_direct @5.10-")
    def direct_write(self, i):
        self.io_lock.lock_direct()
        self.invalidate_inode_pages2_range(i)
        self.io_lock.unlock_direct()
        self.submit(i)


expect(CephUnlocked, violates={"coherent_at_rest", "read_after_ack"})
expect(CephTwoClasses, holds=True, any="all")
expect(UnlocksBeforeTheReply, violates={"coherent_at_rest", "read_after_ack"})
