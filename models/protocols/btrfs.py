"""btrfs until 2020: a lock over the range of the file, and ordered extents (4b46fce23349, 2010).

Direct IO locks the range without an ordered extent in it; a write goes through the cache if a page
is there (eb838e73dc21, fc4adbff823f). New data has an ordered extent until the map has its place. A
hole starts again if a page has come back, which faults can do forever: `i_mmap_lock` keeps them
out since v5.12 (btrfs_today.py).
"""

from inode_mutex import InodeMutex

from dio_mc import Array, RangeLock, atomic, operation, wait_until
from dio_mc.kernel import Block, Data, File, Slot


class Btrfs(InodeMutex, abstract=True):
    """`fresh` is what the ordered extent's new place has."""

    rule, since = "btrfs_range_lock", 2014
    extent = RangeLock(size=File.pages)
    ordered, fresh = Array(bool, size=File.pages), Array(Data, size=File.pages)

    @operation(kernel="fs/btrfs/inode.c:lock_extent_direct @3.16-6.1")
    def lock_ordered(self, i):
        with atomic():
            wait_until(not self.ordered[i])
            self.extent.lock(i, i + 1)

    @operation(kernel="fs/btrfs/extent_io.c:lock_extent_bits @3.16-5.10")
    def lock_empty(self, i):
        self.lock_ordered(i)
        empty = self.slot[i] == Slot.ABSENT  # no page either; else the range is not kept
        if not empty:
            self.extent.unlock(i, i + 1)
        return empty

    @operation(kernel="fs/btrfs/inode.c:btrfs_direct_IO @3.16-5.10")
    def prepare_read(self, i):
        self.filemap_write_and_wait_range(i)
        with atomic():
            self.lock_ordered(i)
            self.extent.hand_over(i, i + 1)
        return self.get_block(i)

    @operation(kernel="fs/btrfs/inode.c:btrfs_endio_direct_read @3.16-4.19")
    def read_complete(self, i):
        self.extent.unlock_non_owner(i, i + 1)

    @operation(kernel="fs/btrfs/inode.c:lock_extent_direct @3.16-6.1")
    def prepare(self, i, value):
        """A page's lock comes before the range, and is not waited for inside: a page that is there is ENOTBLK."""
        self.filemap_write_and_wait_range(i)
        self.invalidate_inode_pages2_range(i)
        empty = self.lock_empty(i)
        if not empty:
            self.write_through_cache(i, value)
            return Block.HOLE
        self.inode_dio_begin()
        self.ordered[i] = True  # btrfs_add_ordered_extent
        self.extent.unlock(i, i + 1)
        return Block.UNWRITTEN if i < self.i_size else Block.BEYOND

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def submitted(self, i, value):
        self.invalidate_inode_pages2_range(i)
        return value

    @operation(kernel="fs/btrfs/inode.c:btrfs_submit_direct @3.16-6.1")
    def bio_write(self, i, value):
        self.fresh[i] = value

    @operation(kernel="fs/btrfs/inode.c:btrfs_finish_ordered_io @3.16-")
    def convert_unwritten(self, i):
        with atomic():
            for s in range(self.sectors):
                self.disk[i * self.sectors + s] = self.fresh[i]
            self.block[i], self.ordered[i] = Block.MAPPED, False

    @operation(kernel="fs/btrfs/inode.c:btrfs_readpage @3.16-5.10")
    def read_page(self, i):
        self.lock_ordered(i)
        data = super().read_page(i)
        self.extent.unlock(i, i + 1)
        return data

    @operation(kernel="fs/btrfs/inode.c:cow_file_range @3.16-")
    def map_for_writeback(self, i):
        with atomic():
            wait_until(self.unlocked(i))
            self.ordered[i] = True

    @operation(kernel="fs/btrfs/extent_io.c:end_bio_extent_writepage @3.16-6.1")
    def end_page_writeback(self, i):
        self.convert_unwritten(i)
        super().end_page_writeback(i)

    @operation(kernel="fs/btrfs/inode.c:btrfs_page_mkwrite @3.16-6.1")
    def store_through_pte(self, i, value):
        with atomic():
            wait_until(not self.page_lock[i].is_locked() and self.unlocked(i))
            return super().store_through_pte(i, value)

    @operation(kernel="fs/btrfs/file.c:btrfs_dirty_pages @3.16-6.12")
    def write_end(self, i, data):
        with atomic():
            wait_until(self.unlocked(i))
            super().write_end(i, data)

    def unlocked(self, i):
        return not self.ordered[i] and not self.extent.is_locked(i)

    @operation(kernel="fs/btrfs/file.c:btrfs_punch_hole @3.16-")
    def free_blocks(self, i):
        settled = False
        while not settled:
            self.truncate_inode_pages_range(i)
            settled = self.lock_empty(i)
        super().free_blocks(i)
        self.extent.unlock(i, i + 1)
