"""Blocks beyond the end of the file are trimmed under an extending direct write (R25, XFS).

An asynchronous write goes to blocks that were allocated beyond i_size, and raises i_size when it is
done. Meanwhile the close of another descriptor of the file frees the blocks beyond i_size, and another
file may allocate the block before the device writes. e4229d6b0bc9 (Jan 2017); xfstests generic/299,
generic/427. The fix is modelled as a drain of direct IO under the inode's lock (this part not verified).
"""

from dio_mc import Array, DrainCounter, RWSem, expect, invariant, operation, thread
from dio_mc.kernel import Block, Data, File, Owner, Reuse


class TrimsAtOnce(Reuse):
    """Before e4229d6b0bc9. `inside`: i_size covers the block."""

    block = Array(Block, size=File.pages, init=Block.UNWRITTEN)
    inside = Array(bool, size=File.pages)
    iolock = RWSem()
    i_dio_count = DrainCounter(max=1)

    @thread
    def appender(self):
        for i in range(self.pages):
            self.append(i)

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_aio_write @3.16-5.10")
    def append(self, i):
        self.iolock.down_write()
        self.i_dio_count.begin()
        block = self.get_block(i)
        self.iolock.up_write()  # -EIOCBQUEUED
        if block != Block.HOLE:  # already trimmed: the write would allocate again
            self.bio_write(i, Data.NEW)
            self.end_io(i)
        self.i_dio_count.end()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-")
    def end_io(self, i):
        self.convert_unwritten(i)
        self.inside[i] = True

    @thread
    def closer(self):
        self.iolock.down_write()
        self.free_eofblocks()
        self.iolock.up_write()

    @operation(kernel="fs/xfs/xfs_bmap_util.c:xfs_free_eofblocks @3.16-")
    def free_eofblocks(self):
        for i in range(self.pages):
            inside = self.inside[i]
            if not inside:
                self.free_block(i)

    @invariant
    def no_lost_write(self):
        """A block inside i_size is still allocated to the file."""
        return all(not self.inside[i] or self.owner[i] == Owner.FILE for i in range(self.pages))


class Drains(TrimsAtOnce):
    """The fix, e4229d6b0bc9."""

    @operation(kernel="fs/xfs/xfs_bmap_util.c:xfs_free_eofblocks @3.16-")
    def free_eofblocks(self):
        self.i_dio_count.wait()
        super().free_eofblocks()


class SizeThenDrain(TrimsAtOnce):
    """The mistake: the range beyond i_size is determined before the drain."""

    @operation(kernel="fs/xfs/xfs_bmap_util.c:xfs_free_eofblocks @3.16-")
    def free_eofblocks(self):
        for i in range(self.pages):
            inside = self.inside[i]
            self.i_dio_count.wait()
            if not inside:
                self.free_block(i)


expect(TrimsAtOnce, violates={"no_freed_io", "no_collateral", "no_lost_write"})
expect(Drains, holds=True, any="all")
expect(SizeThenDrain, violates={"no_lost_write"})
