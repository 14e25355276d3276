"""btrfs until 2020: a lock over the range of the file, and ordered extents (4b46fce23349, 2010).

Direct IO locks the range without an ordered extent in it; a write goes through the cache if a page
is there (eb838e73dc21, fc4adbff823f). New data has an ordered extent until the map has its place. A
hole starts again if a page has come back, which faults can do forever: `i_mmap_lock` keeps them
out since v5.12 (btrfs_today.py).
"""

from btrfs_pages import BtrfsPages

from dio_mc import atomic, operation, wait_until
from dio_mc.kernel import Block, Slot


class Btrfs(BtrfsPages, abstract=True):
    """btrfs: the range lock of direct IO and of the paths that free blocks."""

    rule, since = "btrfs_range_lock", 2014

    @operation(kernel="fs/btrfs/inode.c:lock_extent_direct @3.16-6.1")
    def lock_ordered(self, i):
        with atomic():
            wait_until(all(p < i or not self.ordered[p] for p in range(self.pages)))
            self.extent.lock(i, self.pages)

    @operation(kernel="fs/btrfs/extent_io.c:lock_extent_bits @3.16-5.10")
    def lock_empty(self, i):
        self.lock_ordered(i)
        empty = all(p < i or self.slot[p] == Slot.ABSENT for p in range(self.pages))  # no page; else it is not kept
        if not empty:
            self.extent.unlock(i, self.pages)
        return empty

    @operation(kernel="fs/btrfs/inode.c:btrfs_direct_IO @3.16-5.10")
    def prepare_read(self, i):
        self.flush(i)
        with atomic():
            self.lock_ordered(i)
            self.extent.hand_over(i, self.pages)
        return self.get_block(i)

    @operation(kernel="fs/btrfs/inode.c:btrfs_endio_direct_read @3.16-4.19")
    def read_complete(self, i, last):
        self.extent.unlock_non_owner(i, self.pages)

    @operation(kernel="fs/btrfs/inode.c:lock_extent_direct @3.16-6.1")
    def prepare(self, i, value):
        """The page's lock is taken before the range and not awaited inside it: a page that is present gives ENOTBLK."""
        self.flush(i)
        self.drop(i)
        empty = self.lock_empty(i)
        if not empty:
            self.write_through_cache(i, value)
            return Block.HOLE
        self.inode_dio_begin()
        with atomic():
            for p in range(self.pages):
                self.ordered[p] = p >= i or self.ordered[p]  # btrfs_add_ordered_extent
        self.extent.unlock(i, self.pages)
        return Block.UNWRITTEN if self.pages <= self.i_size else Block.BEYOND

    @operation(kernel="fs/btrfs/inode.c:lock_extent_direct @3.16-6.1")
    def map_further(self, p):
        """The first page has locked the range and done the rest."""
        return Block.UNWRITTEN

    def is_unwritten(self, p):
        return self.ordered[p]

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def submitted(self, i, value):
        self.drop(i)
        return value

    @operation(kernel="fs/btrfs/file.c:btrfs_punch_hole @3.16-")
    def free_range(self, i):
        settled = False
        while not settled:
            self.truncate_pages(i)
            settled = self.lock_empty(i)
        super().free_range(i)
        self.extent.unlock(i, self.pages)
