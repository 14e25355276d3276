"""btrfs of today, read in 6.12.117 (and 6.1.192): two range locks, ordered extents, `i_mmap_lock`
(btrfs_direct.py).

- By default a file has checksums, and no direct write is direct since 6.12.77: it goes through the
  cache, is flushed, and its clean page dropped. `btrfs_nodatasum` is what is left of direct writes,
  and all of them in 6.1.
- A direct read has the inode shared and, until its IO has ended, the direct range
  (EXTENT_DIO_LOCKED); the extent range (EXTENT_LOCKED) only round the map (in 6.1: until the end
  too). It waits for ordered extents of direct writes; one of writeback sends it through the cache.
  What a page was dirtied with since the flush is not in the map: never EIO.
- Writeback goes to a new place, and ends before the map has it; who maps waits for the ordered
  extent.
- A fault that writes has `i_mmap_lock` shared (v5.12), a hole exclusive; a hole does not drain
  direct IO, and starts again if a page came back. A freed extent stays what it was until the
  transaction commits, so nobody else has it.

Not modelled: the commit, compressed and inline extents, nodatacow, data profiles with copies
(buffered too).
"""

from btrfs_direct import BtrfsRanges

from dio_mc import atomic, me, operation, wait_until
from dio_mc.kernel import Block, Slot


class BtrfsDriver(BtrfsRanges, abstract=True):
    """Punching holes, truncation, and direct writes that fall back to the cache."""

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_direct_write @6.12-")
    def fall_back(self, i, value):
        self.buffered_write(i, value)
        self.flush(i)
        self.drop_clean(i)

    @operation(kernel="fs/btrfs/file.c:btrfs_punch_hole @3.16-")
    def fallocate_punch_hole(self, i):
        self.lock_inode()
        self.i_mmap_lock.down_write()
        self.flush(i)
        wait_until(all(p < i or not self.ordered[p] for p in range(self.pages)))
        if any(p >= i and self.block[p] != Block.HOLE for p in range(self.pages)):
            self.lock_range_without_pages(i)
            self.free_range(i)
            self.extent.unlock(i, self.pages)
        self.i_mmap_lock.up_write()
        self.unlock_inode()

    @operation(kernel="fs/btrfs/file.c:btrfs_punch_hole_lock_range @4.19-")
    def lock_range_without_pages(self, i):
        settled = False
        while not settled:
            self.truncate_pages(i)
            self.extent.lock(i, self.pages)
            settled = all(p < i or self.slot[p] == Slot.ABSENT for p in range(self.pages))
            if not settled:
                self.extent.unlock(i, self.pages)

    @operation(kernel="fs/btrfs/inode.c:btrfs_setsize @3.16-")
    def do_truncate(self):
        self.lock_inode()
        with atomic():
            self.i_size, self.i_disksize = 0, 0
        self.truncate_pages(0)
        self.i_dio_count.wait()
        with atomic():  # btrfs_truncate: the range without an ordered extent in it
            wait_until(all(self.unlocked(p) for p in range(self.pages)))
            self.free_range(0)
        self.unlock_inode()

    @operation(kernel="fs/btrfs/file.c:btrfs_replace_file_extents @5.10-")
    def free_blocks(self, i):
        self.block[i] = Block.HOLE


class BtrfsToday(BtrfsDriver, abstract=True):
    """6.12.117, default mount."""

    rule, since = "btrfs_today", 2026
    kernel = "6.12"

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_direct_write @6.12-")
    def direct_write(self, i, value):
        self.fall_back(i, value)
        return value

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_direct_write @6.12-")
    def aio_write(self, i, value):
        self.fall_back(i, value)
        self.aio_complete(me, value)


class BtrfsNoDataSum(BtrfsDriver, abstract=True):
    """`-o nodatasum`, single or RAID0: direct writes are direct."""

    rule, since = "btrfs_nodatasum", 2026
    kernel = "6.12"

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_direct_write @6.12-")
    def start_direct_write(self, i):
        if self.pages > self.i_size:
            self.i_rwsem.down_write()
        else:
            self.i_rwsem.down_read()

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_dio_iomap_begin @6.12-")
    def map_for_write(self, i):
        """A page that has come back gives ENOTBLK; otherwise the ordered extent and the size come before the data."""
        with atomic():
            wait_until(not self.dio_range.is_locked(i) and self.unlocked(i))
            block = Block.HOLE
            if self.slot[i] == Slot.ABSENT:
                block = Block.UNWRITTEN if i < self.i_size else Block.BEYOND
                self.ordered[i] = True
                self.i_size = max(self.i_size, i + 1)
            return block

    @operation(kernel="fs/btrfs/inode.c:btrfs_finish_ordered_io @3.16-")
    def raise_size(self):
        self.i_disksize = self.i_size
