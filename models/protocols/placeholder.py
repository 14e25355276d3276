"""The proposal of October 2006 (P5): a place holder, or the page's lock, from before the map until after the IO.

Chris Mason, "place holder pages for O_DIRECT", linux-fsdevel, 20 Oct 2006, against 2.6.18. models/seed/placeholder.py
has the mistakes that one can make with it. A direct write holds `i_mutex` against write(2), as before; a page that it
finds is dropped, and a place holder takes its slot. The completion of the IO releases both, and truncate waits for
that (P8). `i_alloc_sem` is no longer needed. placeholder_2006.py has the variants that were discussed.
"""

from ext3_2_6_18 import Ext3

from dio_mc import Array, atomic, operation, wait_until
from dio_mc.kernel import Block, File, Slot


class Placeholder(Ext3, abstract=True):
    """A path that inserts a page waits for `stub`; writepage waits for the page lock. One stub per direct IO."""

    rule, since = "placeholder", 2006
    most_pages = 1, "its completion releases page 0 alone: how it came to know the whole range was never settled"
    stub = Array(bool, size=File.pages)

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def prepare_read(self, i):
        self.pin(i)
        return self.get_block(i)

    @operation(kernel="fs/direct-io.c:direct_io_worker @-3.1")
    def read_submitted(self):
        """Nothing to release: a read holds no lock but the range."""

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def pin(self, i):
        """Flush and lock, until the page is clean under the lock: it may be dirtied after the flush."""
        settled = False
        while not settled:
            self.filemap_write_and_wait_range(i)
            self.lock_page_range(i)
            with atomic():
                settled = not self.dirty[i] and not self.writeback[i]
            if not settled:
                self.unlock_page_range(i)

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def prepare(self, i, value):
        self.pin(i)
        self.replace_page(i)
        block = self.map_for_write(i)
        if block == Block.HOLE:
            self.inode_dio_end()
            self.write_through_cache(i, value)
        return block

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def submitted(self, i, value):
        return value

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def lock_page_range(self, i):
        with atomic():
            self.wait_for_stub(i)
            if self.slot[i] == Slot.ABSENT:
                self.insert_stub(i)
            else:
                self.page_lock[i].lock()
                self.page_lock[i].hand_over()

    @operation(kernel="fs/direct-io.c:unlock_page_range @unmerged")
    def unlock_page_range(self, i):
        with atomic():
            if self.stub[i]:
                self.remove_stub(i)
            else:
                self.page_lock[i].unlock_non_owner()

    @operation(kernel="fs/direct-io.c:dio_complete")
    def inode_dio_end(self):
        self.unlock_page_range(0)

    @operation(kernel="mm/filemap.c:__remove_from_page_cache @-2.6.27")
    def replace_page(self, i):
        """Drop the page. If a store through a pte comes before this step, it stays and is written back."""
        with atomic():
            if not self.stub[i] and not self.dirty[i]:
                self.remove_from_page_cache(i)
                self.page_lock[i].unlock_non_owner()
                self.insert_stub(i)

    @operation(kernel="mm/filemap.c:add_to_page_cache @-2.6.24")
    def add_to_page_cache(self, i):
        with atomic():
            self.wait_for_stub(i)
            super().add_to_page_cache(i)

    @operation(kernel="fs/buffer.c:block_write_begin @2.6.24-")
    def write_begin(self, i):
        with atomic():
            self.wait_for_stub(i)
            super().write_begin(i)

    @operation(kernel="mm/truncate.c:truncate_inode_pages_range")
    def truncate_inode_pages_range(self, i):
        with atomic():
            self.wait_for_stub(i)
            super().truncate_inode_pages_range(i)

    @operation(kernel="mm/filemap.c:wait_on_placeholder @unmerged")
    def wait_for_stub(self, i):
        wait_until(not self.stub[i])

    @operation(kernel="mm/filemap.c:insert_placeholder @unmerged")
    def insert_stub(self, i):
        self.stub[i] = True

    @operation(kernel="mm/filemap.c:remove_placeholder @unmerged")
    def remove_stub(self, i):
        self.stub[i] = False
