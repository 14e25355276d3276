"""Writeback clears its bit before the extent is converted (R13, ext4 with dioread_nolock).

A direct read flushes its range: it waits for the page to be clean and not under writeback. If writeback ends its bit
when the device is done and converts the unwritten extent after that, a read in between maps "unwritten" and returns
zeros for data that was written, and flushed, before it began. dccaf33fa37a (2011) has the reader wait for pending
conversions, and calls itself a band-aid. The other repair is the order: convert, then end writeback. Both hold here;
the second is local.
"""

from dio_mc import Array, expect, invariant, operation, thread, wait_until
from dio_mc.kernel import Block, Data, File, PageCache, Slot


class EndsWritebackFirst(PageCache):
    """Before: the page was written by write(2) and is dirty, its block is allocated, unwritten."""

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
    """dccaf33fa37a: the flush also waits for conversions that are still to come."""

    @operation(kernel="fs/ext4/fsync.c:ext4_flush_completed_IO @2.6.37-3.6")
    def filemap_write_and_wait_range(self, i):
        super().filemap_write_and_wait_range(i)
        wait_until(self.block[i] != Block.UNWRITTEN)  # i_completed_io_list is empty


class ConvertsFirst(EndsWritebackFirst):
    """The order that later kernels have."""

    @operation(kernel="fs/ext4/page-io.c:ext4_end_io @3.16-4.19")
    def end_page_writeback(self, i):
        self.convert_unwritten(i)
        self.writeback[i] = False


expect(EndsWritebackFirst, violates={"read_after_ack"})
expect(FlushesConversions, holds=True)
expect(ConvertsFirst, holds=True)
