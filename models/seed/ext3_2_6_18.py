"""ext3 in Linux 2.6.18: writepage fills a hole in the middle of an O_DIRECT read (R01).

The race that Chris Mason describes in "place holder pages for O_DIRECT", linux-fsdevel, 20 Oct 2006. A direct
read takes `i_mutex`, flushes its range, takes `i_alloc_sem` shared, maps and submits, drops `i_mutex`, and waits
for its IO. write(2) and truncate respect those locks. Writeback of a page that was dirtied through mmap takes
neither: it may allocate a block after the flush, and the read then returns the previous contents of that block.

The lock order is that of fs/direct-io.c in 2.6.18 (DIO_LOCKING). write(2) and truncate are excluded, so left out.
"""

from pagecache import Block, Data, PageCache
from z3 import Implies

from dio_mc import Kernel, Mutex, RWSem, expect, invariant, operation, reachable, window


class Ext3(PageCache):
    """ext3 as in Linux 2.6.18."""

    i_mutex, i_alloc_sem = Mutex(), RWSem()

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, index):
        self.i_mutex.lock()
        self.fdatawrite(index)
        with window("read"):
            self.fdatawait(index)
            self.i_alloc_sem.down_read()
            mapped = self.get_block(index)
            self.i_mutex.unlock()  # the bio is submitted
            self.transfer(index, mapped)
        self.i_alloc_sem.up_read()

    @invariant
    def no_stale_exposure(self):
        return all(self.seen[i] != Data.STALE for i in range(self.pages))

    @invariant
    def no_hole_filled(self, after):
        """No hole is filled between the flush of an O_DIRECT read and the end of its IO."""
        return all(
            Implies(self.inside("read", index=i) and self.block[i] == Block.HOLE, after.block[i] == Block.HOLE)
            for i in range(self.pages)
        )

    @reachable
    def new_data_can_be_read(self):
        return any(self.seen[i] == Data.NEW for i in range(self.pages))


# Today's ext4 driver allocates for the ext3 format in ext4_page_mkwrite: the store itself fills the hole, and
# pdflush is held before its data is on disk.
expect(
    Ext3,
    violates={"no_stale_exposure", "no_hole_filled"},
    kernel=Kernel(
        "ext3",
        threads={"reader": "pread_direct", "mapper": "mmap_store:NEW", "pdflush": "writeback"},
        gates={"reader.get_block": "ext4_iomap_begin", "pdflush": "submit_bio"},
        shows={"no_stale_exposure": {"reader": "exposed"}},
        has=("5.10", "6.1", "6.12", "7.3"),
        mended=("5.10 ext4", "6.1 ext4", "6.12 ext4", "7.3 ext4", "6.12 xfs", "6.12 btrfs"),
    ),
)
expect(Ext3, violates={"no_stale_exposure", "no_hole_filled"}, pages=2)
