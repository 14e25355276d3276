"""Truncate frees a block under a direct IO in flight, and the block is reused by another file (R09, ext4, generic
code).

Until 2011 `i_alloc_sem` excluded truncate (models/seed/ext3_truncate.py); after its removal ext4's unlocked direct
reads had no protection. df2d6f26586f (Jul 2011) makes them use the count of direct IOs in flight that "kill
i_alloc_sem" had introduced (bd5fe6c5eb9c, id not verified): truncate holds the inode's lock and waits until the count
is zero. xfstests generic/299 and generic/300 test what a write in flight does to the block's next owner.

The count must be raised under the lock that the waiter takes exclusively. An IO that raises it later may have mapped a
block that truncate did not wait for. A direct write (`writes`) then overwrites the other file, a read returns its data.
"""

from dio_mc import DrainCounter, Kernel, Param, RWSem, expect, operation, thread
from dio_mc.kernel import Block, Data, Reuse


class NoCount(Reuse):
    """Before df2d6f26586f: the lock covers the map but not the IO."""

    writes = Param(False)
    i_rwsem = RWSem()

    @thread
    def direct_io(self):
        for i in range(self.pages):
            self.submit(i)

    @operation(kernel="fs/direct-io.c:do_blockdev_direct_IO @3.16-5.10")
    def submit(self, i):
        self.i_rwsem.down_read()
        block = self.get_block(i)
        self.i_rwsem.up_read()
        self.transfer(i, block)

    @operation(kernel="fs/direct-io.c:dio_bio_submit")
    def transfer(self, i, block):
        self.device(i, block)

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def device(self, i, block):
        if not self.writes:
            self.seen[i] = self.bio_read(i, block)
        elif block == Block.MAPPED:  # a hole is left to a buffered write
            self.bio_write(i, Data.NEW)

    @thread
    def truncater(self):
        for i in range(self.pages):
            self.truncate(i)

    @operation(kernel="fs/ext4/inode.c:ext4_setattr @2.6.24-")
    def truncate(self, i):
        self.i_rwsem.down_write()
        self.inode_dio_wait()
        self.free_block(i)
        self.i_rwsem.up_write()

    @operation()
    def inode_dio_wait(self):
        """There is no count to wait for."""


class Counts(NoCount):
    """The fix, df2d6f26586f."""

    i_dio_count = DrainCounter(max=1)

    @operation(kernel="fs/ext4/indirect.c:ext4_ind_direct_IO @3.16-3.16")
    def get_block(self, i):
        self.i_dio_count.begin()
        return super().get_block(i)

    @operation(kernel="fs/direct-io.c:dio_complete")
    def transfer(self, i, block):
        super().transfer(i, block)
        self.i_dio_count.end()

    @operation(kernel="fs/inode.c:inode_dio_wait @3.16-")
    def inode_dio_wait(self):
        self.i_dio_count.wait()


class CountsLate(Counts):
    """The mistake: the count is raised after the lock was dropped."""

    @operation(kernel="fs/direct-io.c:get_more_blocks")
    def get_block(self, i):
        return NoCount.get_block(self, i)

    @operation(kernel="fs/direct-io.c:dio_complete")
    def transfer(self, i, block):
        self.i_dio_count.begin()
        super().transfer(i, block)


expect(
    NoCount,
    violates={"no_freed_io", "no_stale_exposure"},
    kernel=Kernel(
        "ext4",
        layout="written",
        threads={"direct_io": "pread_direct", "truncater": "truncate", "other_file": ""},
        gates={"direct_io.device": "submit_bio"},
        shows={"no_freed_io": {"direct_io": "old", "file": "eof"}},
        mended=("5.10", "6.12", "6.12 xfs", "6.12 btrfs"),
    ),
)
expect(NoCount, violates={"no_freed_io", "no_collateral"}, writes=True)
expect(Counts, holds=True, any="all")
expect(Counts, holds=True, writes=True)
expect(CountsLate, violates={"no_freed_io", "no_stale_exposure"})
expect(CountsLate, violates={"no_freed_io", "no_collateral"}, writes=True)
