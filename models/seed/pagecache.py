"""The base of the models in this folder: the page cache of a sparse file, mmap stores, writeback (Linux 2.6.18).

One page is one block. All blocks are holes at first; the block that the allocator will give to page i holds the
contents of its previous owner. Mapping, submission, transfer and completion of an IO are separate steps, and a
page that is being filled is in the cache, locked and not uptodate: most races happen between two of these steps.

Abstracted: pdflush also writes for a flush, which only waits; a store dirties its page at once (2.6.18 tests the
dirty bit of the pte in msync, munmap and reclaim); page contents (a fault finds zeros, the store makes them new).
"""

from enum import Enum

from dio_mc import Array, Model, PageLock, Param, atomic, operation, thread, wait_until


class Slot(Enum):  # contents of the page cache at an index
    ABSENT = 0
    PLACEHOLDER = 1  # placeholder.py
    FILLING = 2
    UPTODATE = 3


class Block(Enum):
    HOLE = 0
    MAPPED = 1
    UNWRITTEN = 2  # unwritten_extents.py
    DELALLOC = 3  # xfs_own_locking.py


class Data(Enum):
    STALE = 0  # of the block's previous owner
    ZERO = 1
    NEW = 2
    EIO = 3  # what a failed read reports, never on disk


class PageCache(Model, abstract=True):
    """One mmap store and one pdflush for every page, so that they overlap. A subclass adds `direct_read`."""

    pages = Param(1, min=1, max=4)
    readers = Param(1, min=1, max=4)

    slot = Array(Slot, size=pages)
    page_lock = Array(PageLock, size=pages)
    dirty = Array(bool, size=pages)
    writeback = Array(bool, size=pages)
    block = Array(Block, size=pages)
    disk = Array(Data, size=pages, init=Data.STALE)
    seen = Array(Data, size=pages, init=Data.ZERO)

    @thread(instances=readers)
    def reader(self):
        for index in range(self.pages):
            self.direct_read(index)

    @operation(kernel="mm/filemap.c:__filemap_fdatawrite_range @2.6.18")
    def fdatawrite(self, index):
        wait_until(not self.dirty[index])

    @operation(kernel="mm/filemap.c:wait_on_page_writeback_range @2.6.18")
    def fdatawait(self, index):
        wait_until(not self.writeback[index])

    @operation(kernel="fs/ext3/inode.c:ext3_get_block @2.6.18")
    def get_block(self, index):
        return self.block[index] == Block.MAPPED

    @operation(kernel="fs/direct-io.c:dio_await_completion")
    def transfer(self, index, mapped):
        with atomic():  # the device fills the user's page; a hole is zeroed by the CPU
            self.seen[index] = self.disk[index] if mapped else Data.ZERO

    @thread(instances=pages)
    def mapper(self, index):
        self.fault(index)
        self.store(index)

    @operation(kernel="mm/filemap.c:filemap_nopage @2.6.18")
    def fault(self, index):
        self.add_to_page_cache(index)
        with atomic():  # the end of readpage
            self.slot[index] = Slot.UPTODATE
            self.page_lock[index].unlock()

    @operation(kernel="mm/filemap.c:add_to_page_cache @2.6.18")
    def add_to_page_cache(self, index):
        with atomic():
            self.slot[index] = Slot.FILLING
            self.page_lock[index].lock()

    @operation(kernel="mm/page-writeback.c:set_page_dirty @2.6.18")
    def store(self, index):
        self.dirty[index] = True

    @thread(instances=pages, daemon=True)
    def pdflush(self, index):
        while True:
            self.writepage(index)

    @operation(kernel="fs/ext3/inode.c:ext3_ordered_writepage @2.6.18")
    def writepage(self, index):
        with atomic():  # fs/mpage.c:mpage_writepages finds the dirty tag, then locks the page
            wait_until(self.dirty[index])
            self.page_lock[index].lock()
        self.allocate(index)
        with atomic():  # set_page_writeback moves the tag
            self.dirty[index], self.writeback[index] = False, True
        self.page_lock[index].unlock()
        self.disk[index] = Data.NEW
        self.end_io(index)

    @operation(kernel="fs/ext3/inode.c:ext3_get_block @2.6.18")
    def allocate(self, index):
        self.block[index] = Block.MAPPED

    @operation(kernel="mm/filemap.c:end_page_writeback @2.6.18")
    def end_io(self, index):
        self.writeback[index] = False
