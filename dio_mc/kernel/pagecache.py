"""The page cache of a file: buffered reads and writes, writeback, invalidation."""

from dio_mc.kernel.file import File
from dio_mc.kernel.words import Data, Slot
from dio_mc.lang import Array, PageLock, atomic, operation, wait_until


class PageCache(File, abstract=True):
    """`page[i]` is the contents of page i in the cache: `NOTHING` if there is none or it is being filled.

    There is no writeback thread: a model that dirties pages adds a daemon that calls `writepage`; a flush only waits.
    """

    slot = Array(Slot, size=File.pages)
    page = Array(Data, size=File.pages)
    page_lock = Array(PageLock, size=File.pages)
    dirty = Array(bool, size=File.pages)
    writeback = Array(bool, size=File.pages)

    @operation(kernel="mm/filemap.c:do_generic_file_read @2.6.27-4.9")
    def buffered_read(self, i):
        """Copy from the page; read it in if it is missing, wait if another thread is reading it in."""
        with atomic():
            wait_until(self.slot[i] != Slot.FILLING)
            missing = self.slot[i] == Slot.ABSENT
            data = self.copy_to_user(i)
            if missing:
                self.add_to_page_cache(i)
        if missing:
            data = self.read_page(i)
        return data

    def copy_to_user(self, i):
        """The result of a read from the page, in one step."""
        return self.page[i]

    def will_have(self, i):
        """The contents of the page, if it has not been written back yet."""
        return self.page[i] if self.is_pending(i) else self.on_disk(i)

    def is_pending(self, i):
        """Whether the page has not been written back yet (pure)."""
        return self.slot[i] == Slot.UPTODATE and (self.dirty[i] or self.writeback[i])

    def file_has(self, i):
        """The contents of the page, if there is one."""
        return self.copy_to_user(i) if self.slot[i] == Slot.UPTODATE else self.on_disk(i)

    @operation(kernel="mm/filemap.c:add_to_page_cache_lru @-5.10")
    def add_to_page_cache(self, i):
        """Insert a locked page without contents."""
        with atomic():
            self.slot[i] = Slot.FILLING
            self.page_lock[i].lock()

    @operation(kernel="fs/mpage.c:mpage_readpage @-5.10")
    def read_page(self, i):
        """Fill the page that this thread has inserted."""
        block = self.get_block(i)
        data = self.bio_read(i, block)
        self.end_read(i, data)
        return data

    @operation(kernel="fs/mpage.c:mpage_end_io_read @-2.6.27")
    def end_read(self, i, data):
        """Mark the page uptodate and unlock it (SetPageUptodate, unlock_page)."""
        with atomic():
            self.page[i], self.slot[i] = data, Slot.UPTODATE
            self.page_lock[i].unlock()

    @operation(kernel="mm/filemap.c:generic_perform_write @2.6.24-")
    def buffered_write(self, i, data):
        """Overwrite the whole page in the cache; its contents are TORN until the last sector is copied."""
        self.write_begin(i)
        for _ in range(1, self.sectors):
            self.page[i] = Data.TORN
        self.write_end(i, data)

    @operation(kernel="fs/buffer.c:generic_write_end @2.6.24-")
    def write_end(self, i, data):
        """After the copy: mark the page uptodate and dirty, and unlock it."""
        with atomic():
            self.page[i], self.slot[i], self.dirty[i] = data, Slot.UPTODATE, True
            self.page_lock[i].unlock()

    @operation(kernel="fs/buffer.c:block_write_begin @2.6.24-")
    def write_begin(self, i):
        """Find or insert the page and lock it, without reading it in: all of it is overwritten."""
        with atomic():
            self.page_lock[i].lock()
            if self.slot[i] == Slot.ABSENT:
                self.slot[i] = Slot.FILLING

    @operation(kernel="mm/filemap.c:filemap_write_and_wait_range")
    def filemap_write_and_wait_range(self, i):
        """Wait until the page is clean, then until its IO has ended."""
        wait_until(not self.dirty[i])
        wait_until(not self.writeback[i])

    @operation(kernel="mm/page-writeback.c:write_cache_pages @2.6.24-6.12")
    def writepage(self, i):
        """Wait for a dirty page and write it; the contents written are those at the time of the transfer."""
        with atomic():
            wait_until(self.dirty[i])
            self.page_lock[i].lock()
        self.map_for_writeback(i)
        with atomic():  # clear_page_dirty_for_io, set_page_writeback, unlock_page
            self.dirty[i], self.writeback[i] = False, True
            self.page_lock[i].unlock()
        self.submit_page(i)
        self.end_page_writeback(i)

    @operation(kernel="fs/buffer.c:submit_bh @-6.12")
    def submit_page(self, i):
        """The device writes the contents of the page as they are now."""
        with atomic():
            self.bio_write(i, self.page[i])

    @operation(kernel="fs/ext3/inode.c:ext3_get_block @-4.2")
    def map_for_writeback(self, i):
        """Allocate the block if it is missing; the page is locked. A mapped block needs nothing."""

    @operation(kernel="mm/filemap.c:end_page_writeback @-5.10")
    def end_page_writeback(self, i):
        """End the writeback of the page."""
        self.writeback[i] = False

    @operation(kernel="mm/truncate.c:invalidate_inode_pages2_range")
    def invalidate_inode_pages2_range(self, i):
        """Wait for the page's lock and writeback, then drop it unless it is dirty. Returns whether it is gone."""
        with atomic():
            wait_until(not self.page_lock[i].is_locked() and not self.writeback[i])
            gone = not self.dirty[i]
            if gone:
                self.remove_from_page_cache(i)
        return gone

    @operation(kernel="mm/truncate.c:truncate_inode_pages_range")
    def truncate_inode_pages_range(self, i):
        """Wait for the page's lock and writeback, then drop it, even if it is dirty."""
        with atomic():
            wait_until(not self.page_lock[i].is_locked() and not self.writeback[i])
            self.dirty[i] = False
            self.remove_from_page_cache(i)

    @operation(kernel="mm/filemap.c:__remove_from_page_cache @-2.6.27")
    def remove_from_page_cache(self, i):
        """Remove the page from its slot."""
        with atomic():
            self.slot[i], self.page[i] = Slot.ABSENT, Data.NOTHING
