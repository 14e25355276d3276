"""Zeroing looks up one fork and then the other, and the extent moves in between (R57, XFS).

Copy on write keeps new data in a separate fork until its IO has ended; then the extent moves to the data fork. Zeroing
of the rest of a block skips a range that is a hole in both. It looked up the data fork, a hole, and then the other, a
hole by then: bytes that should be zero stay. 2f46c239fce6 (2026, zoned files): both are looked up under one lock.
"""

from dio_mc import Model, Mutex, Var, atomic, expect, invariant, operation, thread
from dio_mc.kernel import Block, Data


class LooksTwice(Model):
    """Before 2f46c239fce6."""

    data_fork = Var(Block, init=Block.HOLE)
    cow_fork = Var(Block, init=Block.MAPPED)
    disk = Var(Data, init=Data.NEW)
    i_lock = Mutex()

    @thread
    def zeroing(self):
        skip = self.is_hole()
        if not skip:
            self.disk = Data.ZERO

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_buffered_write_iomap_begin @5.10-")
    def is_hole(self):
        hole = self.data_fork == Block.HOLE
        if hole:
            hole = self.cow_fork == Block.HOLE
        return hole

    @thread
    def completion(self):
        self.end_cow()

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_end_cow @4.9-")
    def end_cow(self):
        self.i_lock.lock()
        with atomic():
            self.data_fork, self.cow_fork = Block.MAPPED, Block.HOLE
        self.i_lock.unlock()

    @invariant
    def zeroed(self):
        return not self.at_rest() or self.disk == Data.ZERO


class LooksUnderOneLock(LooksTwice):
    """The fix, 2f46c239fce6."""

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_buffered_write_iomap_begin @5.10-")
    def is_hole(self):
        self.i_lock.lock()
        hole = super().is_hole()
        self.i_lock.unlock()
        return hole


class OtherOrder(LooksTwice):
    """A fix without a lock: extents move in one direction, so a lookup of the source fork first cannot miss one."""

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_buffered_write_iomap_begin @5.10-")
    def is_hole(self):
        hole = self.cow_fork == Block.HOLE
        if hole:
            hole = self.data_fork == Block.HOLE
        return hole


class LocksEach(LooksTwice):
    """The mistake: the lock is taken for each lookup separately."""

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_buffered_write_iomap_begin @5.10-")
    def is_hole(self):
        self.i_lock.lock()
        hole = self.data_fork == Block.HOLE
        self.i_lock.unlock()
        if hole:
            self.i_lock.lock()
            hole = self.cow_fork == Block.HOLE
            self.i_lock.unlock()
        return hole


expect(LooksTwice, violates={"zeroed"})
expect(LooksUnderOneLock, holds=True, any="all")
expect(OtherOrder, holds=True, any="all")
expect(LocksEach, violates={"zeroed"})
