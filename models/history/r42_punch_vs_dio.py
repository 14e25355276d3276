"""Punching a hole frees blocks under a direct write in flight (R42, ext4).

r09_dio_vs_truncate_reuse.py for blocks in the middle of the file: hole punching neither took the inode's lock
nor drained direct writes. 02d262dffcf4 (2012) does both; the lock without the drain would not have been enough.

Since 07961ebb09c9 and its parent (Jun-Jul 2026) aligned direct writes inside i_size allocate under the shared
lock, and only the count protects an allocation from a hole punch. That is enough as long as the count is raised
before the lock is dropped, whether before or after the map.
"""

from r09_dio_vs_truncate_reuse import Counts

from dio_mc import Array, Kernel, Param, atomic, expect, operation
from dio_mc.kernel import Block, File, Owner


class PunchesUnlocked(Counts):
    """Before 02d262dffcf4: direct IO holds the lock and counts, and the punch uses neither."""

    writes = Param(True)

    @operation(kernel="fs/ext4/extents.c:ext4_ext_punch_hole @3.0-3.9")
    def truncate(self, i):
        self.free_block(i)


class PunchesLocked(PunchesUnlocked):
    """The fix, 02d262dffcf4."""

    @operation(kernel="fs/ext4/extents.c:ext4_ext_punch_hole @3.0-3.9")
    def truncate(self, i):
        self.i_rwsem.down_write()
        self.inode_dio_wait()
        super().truncate(i)
        self.i_rwsem.up_write()


class PunchesWithoutDrain(PunchesUnlocked):
    """The mistake: the lock without the drain."""

    @operation(kernel="fs/ext4/extents.c:ext4_ext_punch_hole @3.0-3.9")
    def truncate(self, i):
        self.i_rwsem.down_write()
        super().truncate(i)
        self.i_rwsem.up_write()


class AllocatesShared(PunchesLocked):
    """07961ebb09c9: a hole is allocated under the shared lock; at first no file owns the block."""

    block = Array(Block, size=File.pages, init=Block.HOLE)
    owner = Array(Owner, size=File.pages, init=Owner.NOBODY)

    @operation(kernel="fs/ext4/inode.c:ext4_iomap_alloc @5.5-")
    def get_block(self, i):
        self.i_dio_count.begin()
        return self.allocate(i)

    @operation(kernel="fs/ext4/inode.c:ext4_map_blocks @3.16-")
    def allocate(self, i):
        with atomic():
            if self.owner[i] == Owner.NOBODY:
                self.block[i], self.owner[i] = Block.MAPPED, Owner.FILE
            return self.block[i]


class CountsBehindTheMap(AllocatesShared):
    """The count is raised after the map, which is correct: the lock is still held."""

    @operation(kernel="fs/ext4/inode.c:ext4_iomap_alloc @5.5-")
    def get_block(self, i):
        block = self.allocate(i)
        self.i_dio_count.begin()
        return block


class CountsBehindTheLock(AllocatesShared):
    """The mistake: the count is raised after the lock was dropped."""

    @operation(kernel="fs/ext4/inode.c:ext4_iomap_alloc @5.5-")
    def get_block(self, i):
        return self.allocate(i)

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_submit_bio @5.3-")
    def transfer(self, i, block):
        self.i_dio_count.begin()
        super().transfer(i, block)


expect(
    PunchesUnlocked,
    violates={"no_freed_io", "no_collateral"},
    kernel=Kernel(
        "ext4",
        layout="written",
        threads={"direct_io": "pwrite_direct:NEW", "truncater": "punch_hole", "other_file": ""},
        gates={"direct_io.device": "submit_bio"},
        shows={"no_freed_io": {"direct_io": "new", "file": "zero"}},
        mended=("5.10", "6.12", "7.3", "6.12 xfs", "6.1 btrfs"),
    ),
)
expect(PunchesLocked, holds=True, any="all")
expect(PunchesWithoutDrain, violates={"no_freed_io", "no_collateral"})
expect(AllocatesShared, holds=True, any="all")
expect(CountsBehindTheMap, holds=True, any="all")
expect(CountsBehindTheLock, violates={"no_freed_io", "no_collateral"})
