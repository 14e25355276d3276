"""A direct read maps an extent that a write fault has reserved after the read's flush (R03, XFS, then iomap).

The race of r02_parallel_dioread.py as it is today. A write fault makes the hole a delalloc extent; the direct
read, which has flushed and holds the inode's lock shared, maps it. That was an assertion; since 04197b341f23
(Nov 2016) this one read fails with EIO, and a805c111650c (2020) only warns. xfstests generic/446, generic/095.
The collision is not prevented but reported: zeros, the data, and EIO are correct, stale data is not.
models/seed/xfs_own_locking.py covers the versions of XFS in between, when writeback did not allocate unwritten.
"""

from r02_parallel_dioread import UnwrittenByDefault

from dio_mc import atomic, expect, operation, reachable
from dio_mc.kernel import Block, Data


class Asserts(UnwrittenByDefault):
    """Before 04197b341f23."""

    @operation(kernel="fs/iomap/buffered-io.c:iomap_page_mkwrite @5.3-")
    def page_mkwrite(self, i):
        with atomic():
            if self.block[i] == Block.HOLE:
                self.block[i] = Block.DELALLOC
        super().page_mkwrite(i)

    @operation(kernel="fs/xfs/xfs_aops.c:__xfs_get_blocks @3.16-4.9")
    def direct_read(self, i):
        block = self.get_block(i)
        assert block != Block.DELALLOC, "a direct read maps a delalloc extent"
        return self.bio_read(i, block)


class ReportsCollision(Asserts):
    """The fix, 04197b341f23."""

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_iter @5.14-")
    def direct_read(self, i):
        block = self.get_block(i)
        if block == Block.DELALLOC:
            return Data.EIO
        return self.bio_read(i, block)

    @reachable
    def collision_is_reported(self):
        return any(self.seen[i] == Data.EIO for i in range(self.pages))


expect(Asserts, violates={"assertion"})
expect(ReportsCollision, holds=True, any="all")
