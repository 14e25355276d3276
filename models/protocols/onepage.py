"""One page of one file, mapped and unmapped, without any lock but the page's: what all rules in this folder start from.

Abstracted: one page is one block and its IO is never torn; a freed block belongs to another file at once, so that its
contents are STALE, and a write to it is `freed_io`. A block that is freed and allocated again is the same block. A
pte lives as long as its page; a store dirties the page at once. pdflush is the daemon, and a flush waits for it.
"""

from dio_mc import Var, atomic, operation, thread
from dio_mc.kernel import Block, Data, PageCache, Slot


class OnePage(PageCache, abstract=True):
    """Linux without anybody's locks."""

    freed_io = Var(bool, ghost=True)

    @thread(daemon=True)
    def pdflush(self):
        while True:
            self.writepage(0)

    @operation(kernel="mm/filemap.c:filemap_fault")
    def filemap_fault(self, i):
        return super().buffered_read(i)

    @operation(kernel="mm/readahead.c:force_page_cache_readahead")
    def force_page_cache_readahead(self, i):
        super().buffered_read(i)

    @operation(kernel="mm/page-writeback.c:set_page_dirty")
    def store_through_pte(self, i, value):
        with atomic():
            present = self.slot[i] == Slot.UPTODATE
            if present:
                self.page[i], self.dirty[i] = value, True
        return present

    @operation(kernel="fs/aio.c:io_submit_one")
    def aio_write(self, i, value):
        """To submit may block; here it does, and there is nothing to wait for."""
        return self.direct_write(i, value)

    @operation(kernel="block/bio.c:bio_endio")
    def bio_write(self, i, data):
        with atomic():
            self.disk[i] = data
            self.freed_io = self.freed_io or self.block[i] == Block.HOLE

    @operation(kernel="fs/direct-io.c:direct_io_worker")
    def write_blocks(self, i, block, value):
        self.bio_write(i, value)
        if block == Block.UNWRITTEN:
            self.convert_unwritten(i)

    @operation(kernel="fs/ext3/inode.c:ext3_get_block")
    def map_for_writeback(self, i):
        """Allocated as written, before the data is there."""
        self.block[i] = Block.MAPPED

    @operation(kernel="fs/ext4/mballoc.c:ext4_free_blocks")
    def free_blocks(self, i):
        with atomic():
            if self.block[i] in (Block.UNWRITTEN, Block.MAPPED):
                self.disk[i] = Data.STALE
            self.block[i] = Block.HOLE
