"""The fix of the race: writeback allocates unwritten extents, and converts them when its IO has ended (R01).

ext4 by default since v5.6 (2020, 244adf6426ee, "dioread_nolock"), XFS writeback since v5.8 (2020, a5949d3faedf).
An unwritten extent reads as zeros. A direct read may then race with writepage: it maps a hole, an unwritten
extent, or blocks whose data is on disk. The locks are still those of 2.6.18, and holes *are* filled under a direct
read. Only the change of a hole into a mapped block is harmful, so `no_hole_filled` forbids that alone here.
"""

from ext3_2_6_18 import Ext3
from pagecache import Block, PageCache
from z3 import Implies

from dio_mc import expect, invariant, operation


class UnwrittenExtents(Ext3):
    """Allocate unwritten, convert at the end of the IO."""

    @operation(kernel="fs/ext4/inode.c:mpage_map_one_extent @3.16-")
    def allocate(self, index):
        self.block[index] = Block.UNWRITTEN

    @operation(kernel="fs/ext4/page-io.c:ext4_end_io_end @5.10-")
    def end_io(self, index):
        self.block[index] = Block.MAPPED
        super().end_io(index)

    @invariant
    def no_hole_filled(self, after):
        """No hole becomes a mapped block in the middle of an O_DIRECT read."""
        return all(
            Implies(self.inside("read", index=i) and self.block[i] == Block.HOLE, after.block[i] != Block.MAPPED)
            for i in range(self.pages)
        )


class ConvertedAtSubmission(UnwrittenExtents):
    """The mistake: converted when the IO is submitted. No hole becomes mapped, and stale data is still read."""

    @operation(kernel="fs/ext4/inode.c:mpage_map_one_extent @3.16-")
    def allocate(self, index):
        super().allocate(index)
        self.block[index] = Block.MAPPED

    @operation(kernel="mm/filemap.c:end_page_writeback @2.6.18")
    def end_io(self, index):
        PageCache.end_io(self, index)


expect(UnwrittenExtents, holds=True, any="readers,pages")
expect(UnwrittenExtents, holds=True, pages=2)
expect(ConvertedAtSubmission, violates={"no_stale_exposure"})
