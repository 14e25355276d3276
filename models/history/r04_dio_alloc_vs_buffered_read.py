"""A direct write allocates a block inside i_size, and a buffered read sees it before the data (R04, ext2/3/4).

fs/direct-io.c has a rule: inside i_size a direct write must not allocate mapped blocks; it falls back to a buffered
write. The test for "inside" compared block numbers, `block < i_size >> blkbits`, and was wrong for the block that
contains i_size, such as the only block of a small sparse file. 9ecd10b7a027 (May 2016, v4.7) compares with the last
block that i_size touches. A filesystem with extents may instead allocate unwritten and convert after the write.

A related fix in f2fs ("avoid racing in between read and OPU dio write", 0cac51185e65) has readers wait for direct
writes in flight. Its author says that it does not cover every case; `ReadersDrain` shows one.
"""

from dio_mc import Array, DrainCounter, Kernel, expect, operation, thread
from dio_mc.kernel import Block, Data, File, NoStaleExposure


class DirectWriteAllocates(NoStaleExposure):
    """Before v4.7, in the block that contains i_size. The write ends with the invalidation of the cached pages."""

    block = Array(Block, size=File.pages, init=Block.HOLE)
    disk = Array(Data, size=File.pages, init=Data.STALE)

    @thread
    def writer(self):
        for i in range(self.pages):
            self.direct_write(i)

    @operation(kernel="fs/direct-io.c:do_blockdev_direct_IO @3.16-5.10")
    def direct_write(self, i):
        self.allocate(i)
        self.bio_write(i, Data.NEW)
        self.invalidate_inode_pages2_range(i)

    @operation(kernel="fs/ext2/inode.c:ext2_get_block")
    def allocate(self, i):
        self.block[i] = Block.MAPPED

    @thread
    def reader(self):
        for i in range(self.pages):
            self.seen[i] = self.buffered_read(i)


class FallsBack(DirectWriteAllocates):
    """The fix, 9ecd10b7a027: the hole is reported (ENOTBLK), and a buffered write is done, flushed and waited for."""

    @operation(kernel="mm/filemap.c:__generic_file_write_iter @3.16-")
    def direct_write(self, i):
        self.buffered_write(i, Data.NEW)
        self.filemap_write_and_wait_range(i)

    @operation(kernel="fs/ext2/inode.c:ext2_get_block")
    def map_for_writeback(self, i):
        self.allocate(i)

    @thread(daemon=True, instances=DirectWriteAllocates.pages)
    def flusher(self, i):
        while True:
            self.writepage(i)


class AllocatesUnwritten(DirectWriteAllocates):
    """With extents: the block reads as zeros until its data is on disk."""

    @operation(kernel="fs/ext4/inode.c:ext4_get_block_unwritten @4.9-")
    def allocate(self, i):
        self.block[i] = Block.UNWRITTEN

    @operation(kernel="fs/direct-io.c:do_blockdev_direct_IO @3.16-5.10")
    def direct_write(self, i):
        self.allocate(i)
        self.bio_write(i, Data.NEW)
        self.convert_unwritten(i)
        self.invalidate_inode_pages2_range(i)


class ReadersDrain(DirectWriteAllocates):
    """The f2fs fix: a reader waits for the direct writes that are already in flight."""

    in_flight = DrainCounter(max=1)

    @operation(kernel="fs/f2fs/file.c:f2fs_dio_write_iter @6.1-")
    def direct_write(self, i):
        self.in_flight.begin()
        super().direct_write(i)
        self.in_flight.end()

    @operation(kernel="fs/f2fs/file.c:f2fs_file_read_iter @5.10-")
    def buffered_read(self, i):
        self.in_flight.wait()
        return super().buffered_read(i)


expect(
    DirectWriteAllocates,
    violates={"no_stale_exposure"},
    kernel=Kernel(
        "ext3",
        threads={"writer": "pwrite_direct:NEW", "reader": "pread"},
        gates={"writer": "submit_bio"},
        shows={"no_stale_exposure": {"reader": "exposed"}},
        mended=("5.10", "6.12", "5.10 ext4", "6.12 ext4", "6.12 xfs"),
    ),
)
expect(FallsBack, holds=True, any="all")
expect(AllocatesUnwritten, holds=True, any="all")
expect(ReadersDrain, violates={"no_stale_exposure"})
