"""XFS keeps its own lock and takes no page locks: the race of 2006 as it is today, a reported collision (R03).

"For the XFS guys, you probably want to avoid the page locking steps as well": the mail of 20 Oct 2006. XFS reads under
its iolock, shared, and nothing else. Three periods, all after write faults began to reserve blocks (`page_mkwrite`):

- up to v4.9 a direct read that maps a delalloc extent is a BUG(), and writeback turns delalloc into mapped blocks
  before the data is on disk, so that the stale read of the 2006 mail is possible too;
- v4.10, 04197b341f23: the collision fails that one read with EIO; the stale read is still possible;
- v5.8, a5949d3faedf: writeback allocates unwritten and converts at the end of its IO. Only the EIO remains.

A failed read is not a violation: zeros, new data and EIO are all correct. The page cache is that of pagecache.py except
for the write fault, which locks the page and reserves a block. Up to v4.9 nothing is reported: see its expectation.
"""

from pagecache import Block, Data, PageCache
from unwritten_extents import UnwrittenExtents

from dio_mc import Kernel, RWSem, atomic, expect, operation, reachable, window


class Xfs(UnwrittenExtents):
    """v5.8 and later."""

    iolock = RWSem()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_read @6.1-")
    def direct_read(self, index):
        self.iolock.down_read()
        self.fdatawrite(index)
        with window("read"):
            self.fdatawait(index)
            self.map_and_read(index)
        self.iolock.up_read()

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_iter @5.14-")
    def map_and_read(self, index):
        block = self.block[index]
        if block == Block.DELALLOC:
            self.seen[index] = Data.EIO
        else:
            self.transfer(index, block == Block.MAPPED)

    @operation(kernel="fs/iomap/buffered-io.c:iomap_page_mkwrite @5.3-")
    def store(self, index):
        self.page_lock[index].lock()
        with atomic():
            if self.block[index] == Block.HOLE:
                self.block[index] = Block.DELALLOC
        self.dirty[index] = True
        self.page_lock[index].unlock()

    @reachable
    def collision_is_reported(self):
        return any(self.seen[i] == Data.EIO for i in range(self.pages))


class XfsMapsAtWriteback(Xfs):
    """v4.10 to v5.7."""

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_iomap_write_allocate @2.6.18")
    def allocate(self, index):
        PageCache.allocate(self, index)

    @operation(kernel="fs/xfs/xfs_aops.c:xfs_destroy_ioend @3.16-4.19")
    def end_io(self, index):
        PageCache.end_io(self, index)


class XfsAsserts(XfsMapsAtWriteback):
    """Up to v4.9."""

    @operation(kernel="fs/xfs/xfs_aops.c:__xfs_get_blocks @3.16-4.9")
    def map_and_read(self, index):
        block = self.block[index]
        assert block != Block.DELALLOC, "a direct read maps a delalloc extent"
        self.transfer(index, block == Block.MAPPED)


expect(Xfs, holds=True, any="readers,pages")
expect(Xfs, holds=True, pages=2)
expect(XfsMapsAtWriteback, violates={"no_stale_exposure"})
expect(
    XfsAsserts,
    violates={"assertion", "no_stale_exposure", "collision_is_reported"},
    kernel=Kernel(
        "xfs",
        threads={"reader": "pread_direct", "mapper": "mmap_store:NEW", "pdflush": "writeback"},
        turns="reader until xfs_read_iomap_begin, mapper, reader",
        shows={"assertion": {"reader": "error"}},
        has=("5.10", "6.1", "6.12", "7.3", "6.12 ext4", "7.3 ext4"),
        mended=("5.10 ext4", "6.1 ext4", "6.12 btrfs"),
    ),
)
