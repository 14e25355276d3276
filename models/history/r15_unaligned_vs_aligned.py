"""An unaligned direct write zeroes the bytes of an aligned one (R15, ext4 and XFS).

The race of r15_unaligned_zeroing.py, except that one writer writes the whole block: it zeroes nothing, so it
takes the lock shared and does not drain. Then it is not enough that the unaligned write drains other IO; it
must also hold the lock until its own IO is done. XFS 906753befc4d, xfstests generic/114.

Later changes take the lock shared again for writes that zero nothing: pure overwrites (XFS ed1128c2d0c8, 2021;
ext4 310ee0902b8d, 2023), and writes whose head and tail blocks need no zeroing (ext4 07961ebb09c9, 2026).
"""

from r15_unaligned_zeroing import Drains

from dio_mc import Kernel, atomic, expect, operation, thread
from dio_mc.kernel import Block, Data


class AlignedNeighbour(Drains):
    """The unaligned writer drains other IO; the second writer writes the whole block."""

    @thread(instances=2)
    def writer(self, k):
        if k == 0:
            self.write(k)
        else:
            self.write_aligned()
        self.acknowledged[k] = True

    @operation(kernel="fs/ext4/file.c:ext4_dio_write_iter @5.5-")
    def write_aligned(self):
        self.i_rwsem.down_read()
        self.i_dio_count.begin()
        self.i_rwsem.up_read()
        with atomic():
            self.disk[0], self.disk[1] = Data.NEW, Data.NEW
        self.block = Block.MAPPED
        self.i_dio_count.end()


class WaitsForItself(AlignedNeighbour):
    """The fix: exclusive, drained, and held to the end of the IO."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_write_unaligned @6.1-")
    def write(self, k):
        self.i_rwsem.down_write()
        new = self.map_block()
        self.transfer(k, new)
        self.i_rwsem.up_write()


class OverwritesShared(WaitsForItself):
    """ed1128c2d0c8: shared if the block is written already, otherwise as before."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_write_unaligned @6.1-")
    def write(self, k):
        self.i_rwsem.down_read()
        overwrite = self.block == Block.MAPPED
        if overwrite:
            self.i_dio_count.begin()
            self.transfer(k, False)
        self.i_rwsem.up_read()
        if not overwrite:
            super().write(k)


expect(
    AlignedNeighbour,
    violates={"no_collateral"},
    kernel=Kernel(
        "xfs",
        layout="preallocated",
        threads={"writer[0]": "pwrite_direct_half:NEW", "writer[1]": "pwrite_direct:NEWER"},
        gates={"writer[0].transfer": "submit_bio"},
        shows={"no_collateral": {"second half": "zero"}},
        mended=("5.10", "6.12", "7.3", "6.12 ext4", "7.3 ext4"),
    ),
)
expect(WaitsForItself, holds=True)
expect(OverwritesShared, holds=True)
