"""Garbage collection moves a block under a direct write in flight (R21, f2fs).

The cleaner copies a block that is in use, updates the map, and frees the old block. A direct write that has mapped the
old block, and transfers after the copy, is lost, and may overwrite another file. 82e0a5aa5ddf gives both a rwsem,
shared around the write, exclusive around the move, which excludes submission only. An asynchronous IO (`aio`) continues
without it; 73ac2f4e8256 waits for such IO with the lock held (ids not verified). See also r15_unaligned_zeroing.py.
"""

from dio_mc import (
    Array,
    DrainCounter,
    Model,
    Param,
    RWSem,
    Var,
    atomic,
    expect,
    invariant,
    operation,
    spawn,
    thread,
    wait_until,
)
from dio_mc.kernel import Data


class MovesFreely(Model):
    """Before both fixes. `place` is the block that the map gives; the old block goes to another file."""

    aio = Param(True)
    place = Var(range(2))
    disk = Array(Data, size=2, init=[Data.OLD, Data.NOTHING])
    written = Var(bool)

    @thread
    def program(self):
        self.direct_write()

    @operation(kernel="fs/f2fs/data.c:f2fs_direct_IO @3.16-5.10")
    def direct_write(self):
        place = self.place
        self.submit(place)
        wait_until(self.written or self.aio)

    @operation(kernel="block/blk-core.c:submit_bio @2.6.27-")
    def submit(self, place):
        spawn(self.device, place)

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def device(self, place):
        with atomic():
            self.disk[place], self.written = Data.NEW, True

    @thread
    def cleaner(self):
        self.move_data_block()

    @operation(kernel="fs/f2fs/gc.c:move_data_block @4.19-")
    def move_data_block(self):
        data = self.disk[0]
        self.disk[1] = data
        with atomic():
            self.place, self.disk[0] = 1, Data.SECRET

    @invariant
    def no_lost_write(self):
        return not self.at_rest() or self.disk[self.place] == Data.NEW

    @invariant
    def no_freed_io(self):
        return self.place == 0 or self.disk[0] != Data.NEW


class LocksSubmission(MovesFreely):
    """As of 82e0a5aa5ddf: the rwsem covers the submission, and the IO only if that is synchronous."""

    dio_rwsem = RWSem()

    @operation(kernel="fs/f2fs/data.c:f2fs_direct_IO @3.16-5.10")
    def direct_write(self):
        self.dio_rwsem.down_read()
        super().direct_write()
        self.dio_rwsem.up_read()

    @operation(kernel="fs/f2fs/gc.c:gc_data_segment @3.16-")
    def move_data_block(self):
        self.dio_rwsem.down_write()
        self.inode_dio_wait()
        super().move_data_block()
        self.dio_rwsem.up_write()

    @operation(kernel="fs/f2fs/gc.c:gc_data_segment @3.16-")
    def inode_dio_wait(self):
        """There is no wait yet."""


class Drains(LocksSubmission):
    """The fix, 73ac2f4e8256."""

    i_dio_count = DrainCounter(max=1)

    @operation(kernel="fs/f2fs/file.c:f2fs_dio_write_iter @6.1-")
    def submit(self, place):
        self.i_dio_count.begin()
        super().submit(place)

    @operation(kernel="fs/f2fs/file.c:f2fs_dio_write_end_io @6.1-")
    def device(self, place):
        super().device(place)
        self.i_dio_count.end()

    @operation(kernel="fs/inode.c:inode_dio_wait @3.16-")
    def inode_dio_wait(self):
        self.i_dio_count.wait()


expect(MovesFreely, violates={"no_lost_write", "no_freed_io"})
expect(LocksSubmission, violates={"no_lost_write", "no_freed_io"})
expect(LocksSubmission, holds=True, aio=False)
expect(Drains, holds=True)
