"""The ranges, ordered extents and faults of btrfs_today.py.

What a kernel thread does while it holds the extent range only for a look at the map is one step
here, which waits for the range. Abstracted: a transfer reads the block that the map has at that
time (in the kernel the block that it had when it was asked; a replaced extent keeps its contents
until the transaction commits).
"""

from iomap_6 import Iomap6

from dio_mc import Array, RangeLock, RWSem, atomic, operation, wait_until
from dio_mc.kernel import Block, Data, File


class BtrfsRanges(Iomap6, abstract=True):
    """`ordered[i]`: an ordered extent, whose new block has the data `fresh`; `by_writeback`: writeback's."""

    i_mmap_lock, extent, dio_range = RWSem(), RangeLock(size=File.pages), RangeLock(size=File.pages)
    ordered, by_writeback = Array(bool, size=File.pages), Array(bool, size=File.pages)
    fresh = Array(Data, size=File.pages)
    anchors = {
        "start_direct_read": "fs/btrfs/direct-io.c:btrfs_direct_read @6.12-",
        "end_direct_read": "fs/btrfs/direct-io.c:btrfs_direct_read @6.12-",
        "end_direct_write": "fs/btrfs/direct-io.c:btrfs_direct_write @6.12-",
        "lock_inode": "fs/btrfs/inode.c:btrfs_inode_lock @6.1-",
        "unlock_inode": "fs/btrfs/inode.c:btrfs_inode_unlock @6.1-",
        "write_end": "fs/btrfs/file.c:btrfs_dirty_pages @3.16-6.12",
        "buffered_write": "fs/btrfs/file.c:btrfs_buffered_write @4.19-",
        "writepage": "fs/btrfs/extent_io.c:extent_write_cache_pages @3.16-",
        "submit_page": "fs/btrfs/bio.c:btrfs_submit_bbio @6.12-",
        "end_read": "fs/btrfs/extent_io.c:end_bbio_data_read @6.12-",
        "get_block": "fs/btrfs/inode.c:btrfs_get_extent @3.16-",
        "read_end_aio": "fs/btrfs/direct-io.c:btrfs_dio_end_io @6.12-",
        "dio_bio_end_aio": "fs/btrfs/direct-io.c:btrfs_dio_end_io @6.12-",
    }

    def on_disk(self, i):
        """The result of a read after pending changes of the map: readers wait until the map has the new block."""
        return self.fresh[i] if self.is_moving(i) else super().on_disk(i)

    def is_moving(self, i):
        return self.by_writeback[i] and not self.is_pending(i) and i < self.i_disksize

    def is_unwritten(self, p):
        return self.ordered[p] and not self.by_writeback[p]

    def unlocked(self, i):
        return not self.ordered[i] and not self.extent.is_locked(i)

    @operation(kernel="mm/filemap.c:filemap_get_pages @6.1-")
    def page_in(self, i):
        """Read a page in. No path takes invalidate_lock exclusive."""
        return self.fill(i)

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_dio_iomap_begin @6.12-")
    def map_for_read(self, i):
        self.dio_range.lock(i, i + 1)
        with atomic():
            self.dio_range.hand_over(i, i + 1)
            wait_until(not self.extent.is_locked(i) and (not self.ordered[i] or self.by_writeback[i]))
            block = self.get_block(i)
            return Block.DELALLOC if self.ordered[i] else block

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_dio_end_io @6.12-")
    def read_complete(self, i, last):
        self.dio_range.unlock_non_owner(i, last + 1)
        super().read_complete(i, last)

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_direct_read @6.12-")
    def refused(self, i):
        """ENOTBLK: the read does not wait for an ordered extent of writeback, but goes through the cache."""
        return self.read_pages(i)

    @operation(kernel="fs/btrfs/extent_io.c:btrfs_read_folio @6.1-")
    def read_page(self, i):
        with atomic():
            wait_until(self.unlocked(i))
            block = self.get_block(i)
        data = self.bio_read(i, block)
        self.end_read(i, data)
        return data

    @operation(kernel="fs/btrfs/inode.c:cow_file_range @3.16-")
    def map_for_writeback(self, i):
        with atomic():
            wait_until(self.unlocked(i))
            self.ordered[i], self.by_writeback[i] = True, True

    @operation(kernel="fs/btrfs/bio.c:btrfs_submit_bbio @6.12-")
    def bio_write(self, i, data):
        self.fresh[i] = data

    @operation(kernel="fs/btrfs/inode.c:btrfs_finish_ordered_io @3.16-")
    def convert_unwritten(self, i):
        with atomic():
            wait_until(not self.extent.is_locked(i))
            for s in range(self.sectors):
                self.disk[i * self.sectors + s] = self.fresh[i]
            self.block[i], self.ordered[i], self.by_writeback[i] = Block.MAPPED, False, False

    @operation(kernel="fs/btrfs/extent_io.c:end_bbio_data_write @6.12-")
    def end_page_writeback(self, i):
        super().end_page_writeback(i)
        self.convert_unwritten(i)

    @operation(kernel="fs/btrfs/file.c:prepare_pages @3.16-6.12")
    def write_begin(self, i):
        with atomic():
            wait_until(self.unlocked(i))
            super().write_begin(i)

    @operation(kernel="fs/btrfs/file.c:btrfs_page_mkwrite @6.12-")
    def store_through_pte(self, i, value):
        with atomic():
            wait_until(not self.writeback[i] and self.unlocked(i))
            return super().store_through_pte(i, value)

    def faults_kept_out(self):
        return self.i_mmap_lock.read_blocked()
