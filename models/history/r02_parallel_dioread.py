"""The race of 2006: declared harmless in 2016, fixed in 2020 (R02, ext4).

16c54688592c (Sep 2016) lets direct reads run in parallel, with the inode's lock shared. It argues that writeback
that allocates delayed blocks is harmless, since the range has been flushed and the lock keeps new dirty pages out.
That is true of write(2). But a write fault does not take the inode's lock (`mmap`), and the read maps a block whose
data is not on disk yet. 244adf6426ee (Jan 2020) makes dioread_nolock the default: writeback allocates unwritten and
converts at the end of its IO. The argument of 2016 overlooked page faults: without mmap its code holds.
"""

from dio_mc import Array, Kernel, Param, RWSem, expect, operation, thread
from dio_mc.kernel import Block, Data, File, NoStaleExposure


class ParallelReads(NoStaleExposure):
    """As of 16c54688592c. A sparse file; one program dirties its pages."""

    mmap = Param(True)

    block = Array(Block, size=File.pages, init=Block.HOLE)
    disk = Array(Data, size=File.pages, init=Data.STALE)
    i_rwsem = RWSem()

    @thread
    def reader(self):
        for i in range(self.pages):
            self.read(i)

    @operation(kernel="fs/ext4/inode.c:ext4_direct_IO_read @4.7-5.4")
    def read(self, i):
        self.i_rwsem.down_read()
        self.filemap_write_and_wait_range(i)
        self.seen[i] = self.direct_read(i)
        self.i_rwsem.up_read()

    @thread
    def dirtier(self):
        for i in range(self.pages):
            if self.mmap:
                self.buffered_read(i)  # filemap_fault
                self.page_mkwrite(i)
            else:
                self.write(i)

    @operation(kernel="fs/ext4/inode.c:ext4_page_mkwrite @2.6.27-")
    def page_mkwrite(self, i):
        self.buffered_write(i, Data.NEW)

    @operation(kernel="fs/ext4/file.c:ext4_file_write_iter @3.16-")
    def write(self, i):
        self.i_rwsem.down_write()
        self.buffered_write(i, Data.NEW)
        self.i_rwsem.up_write()

    @thread(daemon=True)
    def flusher(self):
        while True:
            for i in range(self.pages):
                self.writepage(i)

    @operation(kernel="fs/ext4/inode.c:mpage_map_one_extent @3.16-")
    def map_for_writeback(self, i):
        self.block[i] = Block.MAPPED


class UnwrittenByDefault(ParallelReads):
    """The fix, 244adf6426ee."""

    @operation(kernel="fs/ext4/inode.c:mpage_map_one_extent @3.16-")
    def map_for_writeback(self, i):
        self.block[i] = Block.UNWRITTEN

    @operation(kernel="fs/ext4/page-io.c:ext4_end_io_end @5.10-")
    def end_page_writeback(self, i):
        self.convert_unwritten(i)
        super().end_page_writeback(i)


expect(
    ParallelReads,
    violates={"no_stale_exposure"},
    kernel=Kernel(
        "ext4",
        mount="nodelalloc,dioread_lock",
        threads={"reader": "pread_direct", "dirtier": "mmap_store:NEW", "flusher": "writeback"},
        gates={"reader.get_block": "ext4_iomap_begin", "flusher": "submit_bio"},
        shows={"no_stale_exposure": {"reader": "exposed"}},
        has=("5.10", "6.1", "6.12", "7.3"),
        mended=("5.10 ext4", "6.1 ext4", "6.12 ext4", "7.3 ext4"),
    ),
)
expect(ParallelReads, holds=True, mmap=False)
expect(UnwrittenByDefault, holds=True, any="all")
