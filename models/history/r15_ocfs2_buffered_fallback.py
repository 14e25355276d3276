"""The second of two sub-block writes goes through the cache and writes a stale page back (R15, ocfs2).

If the block is not allocated, ocfs2 falls back to a buffered write. While an asynchronous direct write to one half of
a block is in flight, the buffered write of the other half reads the block into a page, without the data of the first
half, and later writes the whole page back over it. a11f7e63 allows only one unaligned asynchronous write per inode at
a time, and the fallback waits for it. This loses a write; r15_unaligned_zeroing.py has writes that are zeroed.
"""

from dio_mc import Array, DrainCounter, Model, Mutex, atomic, expect, invariant, operation, thread
from dio_mc.kernel import Data


class FallsBackBeside(Model):
    """Before a11f7e63: one block of two sectors; the direct write has the first, the buffered one the second."""

    disk = Array(Data, size=2, init=Data.OLD)
    page = Array(Data, size=2)
    acknowledged = Array(bool, size=2)
    rw_lock = Mutex()

    @thread
    def direct_writer(self):
        self.rw_lock.lock()
        self.begin()
        self.rw_lock.unlock()  # -EIOCBQUEUED
        self.end_io()

    @operation()
    def begin(self):
        """The IO is not counted."""

    @operation(kernel="fs/ocfs2/aops.c:ocfs2_dio_end_io")
    def end_io(self):
        self.disk[0] = Data.NEW
        self.acknowledged[0] = True

    @thread
    def buffered_writer(self):
        self.rw_lock.lock()
        self.buffered_write()
        self.writepage()  # with O_DIRECT a buffered write is flushed before it returns
        self.rw_lock.unlock()
        self.acknowledged[1] = True

    @operation(kernel="fs/ocfs2/aops.c:ocfs2_write_begin @2.6.24-")
    def buffered_write(self):
        with atomic():
            self.page[0], self.page[1] = self.disk[0], self.disk[1]
        self.page[1] = Data.NEW

    @operation(kernel="fs/ocfs2/aops.c:ocfs2_writepage @-6.1")
    def writepage(self):
        with atomic():
            self.disk[0], self.disk[1] = self.page[0], self.page[1]

    @invariant
    def no_lost_write(self):
        return all(not self.acknowledged[k] or self.disk[k] == Data.NEW for k in range(2))


class Serialised(FallsBackBeside):
    """The fix, a11f7e63: unaligned asynchronous IO is counted, and drained under the lock."""

    unaligned_aio = DrainCounter(max=1)

    @operation(kernel="fs/ocfs2/file.c:ocfs2_file_aio_write @-2.6.27")
    def begin(self):
        self.unaligned_aio.begin()

    @operation(kernel="fs/ocfs2/aops.c:ocfs2_dio_end_io")
    def end_io(self):
        super().end_io()
        self.unaligned_aio.end()

    @operation(kernel="fs/ocfs2/file.c:ocfs2_aiodio_wait @2.6.38-3.0")
    def buffered_write(self):
        self.unaligned_aio.wait()
        super().buffered_write()


expect(FallsBackBeside, violates={"no_lost_write"})
expect(Serialised, holds=True, any="all")
