"""One page of btrfs.py with its ordered extent."""

from inode_mutex import InodeMutex

from dio_mc import Array, RangeLock, atomic, operation, wait_until
from dio_mc.kernel import Block, Data, File


class BtrfsPages(InodeMutex, abstract=True):
    """`fresh` is the data in the new block of the ordered extent."""

    extent = RangeLock(size=File.pages)
    ordered, fresh = Array(bool, size=File.pages), Array(Data, size=File.pages)

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
        with atomic():
            wait_until(not self.ordered[i])
            self.extent.lock(i, i + 1)
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
