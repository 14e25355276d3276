"""The thread that completes IO waits for a page that only it can complete (R40, FUSE and iomap).

Asynchronous direct writes need the second invalidation at completion (r06_aio_no_late_invalidate.py). It waits
for the lock of a page that a buffered reader has inserted; the reader's IO is completed by the same thread. FUSE
2b0408d0284f (2026) invalidates from a workqueue. iomap's direct completions document the same deadlock and have a
shortcut: if nothing is cached, complete at once and do not invalidate. That leaves a small window for a page
inserted before the extent is converted (r07_invalidate_before_conversion.py), which the comment in iomap accepts.
"""

from dio_mc import Array, Var, expect, operation, spawn, thread, wait_until
from dio_mc.kernel import Block, CoherentAtRest, Data, File, Slot


class CompletesInline(CoherentAtRest):
    """Before 2b0408d0284f. One page; `io_thread` completes all IO, in submission order if two are ready."""

    block = Array(Block, size=File.pages, init=Block.UNWRITTEN)
    disk = Array(Data, size=File.pages, init=Data.STALE)
    read_pending = Var(bool)

    @thread
    def io_thread(self):
        self.bio_write(0, Data.NEW)
        self.write_done(0)
        wait_until(self.read_pending)
        self.read_pending = False

    @operation(kernel="fs/fuse/file.c:fuse_aio_complete_req @3.16-")
    def write_done(self, i):
        self.complete_write(i)

    @operation(kernel="fs/fuse/file.c:fuse_aio_complete @3.16-", slots=1)
    def complete_write(self, i):
        self.convert_unwritten(i)
        self.invalidate_inode_pages2_range(i)

    @thread
    def reader(self):
        self.seen[0] = self.buffered_read(0)
        self.read_pending = True

    @operation(kernel="fs/fuse/file.c:fuse_readahead @5.10-")
    def bio_read(self, i, block):
        self.read_pending = True
        wait_until(not self.read_pending)
        return super().bio_read(i, block)


class Deferred(CompletesInline):
    """The fix, 2b0408d0284f."""

    @operation(kernel="fs/fuse/file.c:fuse_aio_invalidate_worker @7.2-")
    def write_done(self, i):
        spawn(self.complete_write, i)


class SkipsIfNothingIsCached(Deferred):
    """iomap's shortcut."""

    @operation(kernel="fs/iomap/direct-io.c:iomap_finish_ioend_direct @7.2-")
    def write_done(self, i):
        cached = self.slot[i] != Slot.ABSENT
        if cached:
            super().write_done(i)
        else:
            self.convert_unwritten(i)


expect(CompletesInline, violates={"deadlock"})
expect(Deferred, holds=True)
expect(SkipsIfNothingIsCached, violates={"coherent_at_rest"})
