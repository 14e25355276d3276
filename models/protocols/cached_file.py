"""The pages of a file, mapped and unmapped, with no lock but the page's: the base of all rules in this folder.

Abstracted: one page is one block of `sectors` sectors. A freed block belongs to another file at once, so its
contents are STALE, and a write to it is `freed_io`; when it is allocated again it is the same block. A pte
lives as long as its page; a store is one step and dirties the page. pdflush is the daemon, and a flush waits
for it. Sizes are in pages: `i_size` is the size in memory, `i_disksize` the size on disk. A call on several
pages is in ranges.py; here an operation is about page i alone.
"""

from dio_mc import Range, Var, atomic, operation, thread
from dio_mc.kernel import Block, Data, File, PageCache, Slot


class CachedFile(PageCache, abstract=True):
    """Linux without the locks of any filesystem."""

    freed_io = Var(bool, ghost=True)
    i_size = Var(Range(0, File.pages), init=File.pages)
    i_disksize = Var(Range(0, File.pages), init=File.pages)

    @thread(daemon=True, instances=File.pages)
    def pdflush(self, k):
        while True:
            self.writepage(k)

    @operation(kernel="fs/direct-io.c:get_more_blocks")
    def get_block(self, i):
        """Look up the block map; a read past the end of the file does not."""
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
        """Read the page in and map it; EOF stands for SIGBUS."""
        return super().buffered_read(i)

    @operation(kernel="mm/page-writeback.c:set_page_dirty @-5.10")
    def store_through_pte(self, i, value):
        """Store if there is a pte; returns whether there was one. A page past the end of the file has none."""
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
        """Allocate a written block, before its data is there."""
        self.block[i] = Block.MAPPED

    @operation(kernel="fs/ext4/mballoc.c:ext4_free_blocks @3.16-")
    def free_blocks(self, i):
        with atomic():
            if self.block[i] in (Block.UNWRITTEN, Block.MAPPED):
                for s in range(self.sectors):
                    self.disk[i * self.sectors + s] = Data.STALE
            self.block[i] = Block.HOLE
