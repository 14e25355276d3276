"""Writeback clears its bit before the extent is converted (R13, ext4 with dioread_nolock).

A direct read flushes its range: it waits until the page is neither dirty nor under writeback. If writeback
clears its bit when the device is done and converts the unwritten extent later, a read in between maps an
unwritten extent and returns zeros for data that was written, and flushed, before it began. dccaf33fa37a
(2011) makes the reader wait for pending conversions, and calls itself a band-aid. The other fix is the
order: convert, then end writeback. Both hold here; the second needs no change to the reader.
"""

from dio_mc import Array, expect, invariant, operation, thread, wait_until
from dio_mc.kernel import Block, Data, File, PageCache, Slot


class EndsWritebackFirst(PageCache):
    """Before both fixes: write(2) has dirtied the page, and its block is allocated, unwritten."""

    slot = Array(Slot, size=File.pages, init=Slot.UPTODATE)
    page = Array(Data, size=File.pages, init=Data.NEW)
    dirty = Array(bool, size=File.pages, init=True)
    block = Array(Block, size=File.pages, init=Block.UNWRITTEN)
    disk = Array(Data, size=File.pages, init=Data.STALE)

    @thread
    def flusher(self):
        for i in range(self.pages):
            self.writepage(i)

    @operation(kernel="fs/ext4/page-io.c:ext4_end_bio @3.16-")
    def end_page_writeback(self, i):
        super().end_page_writeback(i)
        self.convert_unwritten(i)

    @thread
    def reader(self):
        for i in range(self.pages):
            self.filemap_write_and_wait_range(i)
            self.seen[i] = self.direct_read(i)

    @invariant
    def read_after_ack(self):
        return all(self.seen[i] in (Data.NOTHING, Data.NEW) for i in range(self.pages))


class FlushesConversions(EndsWritebackFirst):
    """The fix, dccaf33fa37a: the flush also waits for pending conversions."""

    @operation(kernel="fs/ext4/fsync.c:ext4_flush_completed_IO @2.6.37-3.6")
    def filemap_write_and_wait_range(self, i):
        super().filemap_write_and_wait_range(i)
        wait_until(self.block[i] != Block.UNWRITTEN)  # i_completed_io_list is empty


class ConvertsFirst(EndsWritebackFirst):
    """The order of later kernels."""

    @operation(kernel="fs/ext4/page-io.c:ext4_end_io @3.16-4.19")
    def end_page_writeback(self, i):
        self.convert_unwritten(i)
        self.writeback[i] = False


expect(EndsWritebackFirst, violates={"read_after_ack"})
expect(FlushesConversions, holds=True)
expect(ConvertsFirst, holds=True)
