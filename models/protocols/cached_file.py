"""The pages of a file, mapped and unmapped, without any lock but the page's: what all rules in this folder start from.

Abstracted: one page is one block of `sectors` sectors; a freed block belongs to another file at once, so that its
contents are STALE, and a write to it is `freed_io`. A block that is freed and allocated again is the same block. A
pte lives as long as its page; a store is one step and dirties the page at once. pdflush is the daemon, and a flush
waits for it. Sizes are in pages: `i_size` is what the kernel goes by, `i_disksize` what is on disk. What a call does to
all of its pages is in ranges.py; here an operation is about page i alone.
"""

from dio_mc import Range, Var, atomic, operation, thread
from dio_mc.kernel import Block, Data, File, PageCache, Slot


class CachedFile(PageCache, abstract=True):
    """Linux without anybody's locks."""

    freed_io = Var(bool, ghost=True)
    i_size = Var(Range(0, File.pages), init=File.pages)
    i_disksize = Var(Range(0, File.pages), init=File.pages)

    @thread(daemon=True, instances=File.pages)
    def pdflush(self, k):
        while True:
            self.writepage(k)

    @operation(kernel="fs/direct-io.c:get_more_blocks")
    def get_block(self, i):
        """A read that is past the end of the file does not ask the map."""
        return self.block[i] if i < self.i_size else Block.BEYOND

    @operation(kernel="fs/mpage.c:mpage_end_io_read @-2.6.27")
    def end_read(self, i, data):
        super().end_read(i, Data.ZERO if data == Data.EOF else data)

    def copy_to_user(self, i):
        return self.page[i] if i < self.i_size else Data.EOF

    def on_disk(self, i):
        return self.block_has(i) if i < self.i_disksize else Data.EOF

    def file_has(self, i):
        return Data.EOF if i >= self.i_size else self.page[i] if self.slot[i] == Slot.UPTODATE else self.block_has(i)

    @operation(kernel="fs/buffer.c:generic_write_end @2.6.24-")
    def write_end(self, i, data):
        with atomic():
            super().write_end(i, data)
            self.i_size = max(self.i_size, i + 1)

    @operation(kernel="mm/filemap.c:end_page_writeback @-5.10")
    def end_page_writeback(self, i):
        with atomic():
            super().end_page_writeback(i)
            self.i_disksize = max(self.i_disksize, min(self.i_size, i + 1))

    @operation(kernel="mm/filemap.c:filemap_fault @2.6.24-")
    def filemap_fault(self, i):
        """EOF is SIGBUS."""
        return super().buffered_read(i)

    @operation(kernel="mm/page-writeback.c:set_page_dirty @-5.10")
    def store_through_pte(self, i, value):
        """Says whether there was a pte; a page beyond the end of the file has none."""
        with atomic():
            present = self.slot[i] == Slot.UPTODATE and i < self.i_size
            if present:
                self.page[i], self.dirty[i] = value, True
        return present

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_write(self, i, data):
        for s in range(self.sectors):
            with atomic():
                self.disk[i * self.sectors + s] = data
                self.freed_io = self.freed_io or self.block[i] == Block.HOLE

    @operation(kernel="fs/ext3/inode.c:ext3_get_block @-4.2")
    def map_for_writeback(self, i):
        """Allocated as written, before the data is there."""
        self.block[i] = Block.MAPPED

    @operation(kernel="fs/ext4/mballoc.c:ext4_free_blocks @3.16-")
    def free_blocks(self, i):
        with atomic():
            if self.block[i] in (Block.UNWRITTEN, Block.MAPPED):
                for s in range(self.sectors):
                    self.disk[i * self.sectors + s] = Data.STALE
            self.block[i] = Block.HOLE
