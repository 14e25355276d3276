"""Two sub-block direct writes zero each other's bytes (R15, ext4 and XFS).

A direct write of part of an unwritten block must zero the rest of it. A second write, of another part of the
same block, does so too if it maps the block before the first has converted it: each overwrites the other's data
with zeros. ext4 e9e3bcecf44c (2011), XFS 2032a8a27b5c and 906753befc4d; xfstests generic/240, generic/114. A
lock held only over submission does not help, since the IO continues without it. To drain the IO of others under
the lock is enough, as long as all writes do so. r15_unaligned_vs_aligned.py has writes that do not.
"""

from dio_mc import Array, DrainCounter, Kernel, Model, RWSem, Var, atomic, expect, invariant, operation, thread
from dio_mc.kernel import Block, Data


class NoProtection(Model):
    """Before 2011. One block of two sectors, with a writer for each."""

    block = Var(Block)
    disk = Array(Data, size=2, init=Data.STALE)
    acknowledged = Array(bool, size=2)

    @thread(instances=2)
    def writer(self, k):
        self.write(k)
        self.acknowledged[k] = True

    @operation(kernel="fs/direct-io.c:direct_io_worker @-3.1")
    def write(self, k):
        new = self.map_block()
        self.transfer(k, new)

    @operation(kernel="fs/ext4/inode.c:ext4_get_block_write @3.16-3.16")
    def map_block(self):
        with atomic():
            new = self.block != Block.MAPPED
            if new:
                self.block = Block.UNWRITTEN
        return new

    @operation(kernel="fs/direct-io.c:dio_zero_block")
    def transfer(self, k, new):
        self.disk[k] = Data.NEW
        if new:
            self.disk[1 - k] = Data.ZERO
            self.block = Block.MAPPED

    @invariant
    def no_collateral(self):
        return all(not self.acknowledged[k] or self.disk[k] == Data.NEW for k in range(2))


class LocksSubmission(NoProtection):
    """The mistake: an asynchronous writer continues after submission without the lock."""

    i_rwsem = RWSem()

    @operation(kernel="fs/ext4/file.c:ext4_unaligned_aio @3.16-4.19")
    def write(self, k):
        self.i_rwsem.down_write()
        new = self.map_block()
        self.i_rwsem.up_write()
        self.transfer(k, new)


class Drains(LocksSubmission):
    """The fix, e9e3bcecf44c: other IO is drained before the block is mapped."""

    i_dio_count = DrainCounter(max=2)

    @operation(kernel="fs/ext4/file.c:ext4_aiodio_wait @2.6.38-3.1")
    def map_block(self):
        self.i_dio_count.wait()
        self.i_dio_count.begin()
        return super().map_block()

    @operation(kernel="fs/direct-io.c:dio_complete")
    def transfer(self, k, new):
        super().transfer(k, new)
        self.i_dio_count.end()


expect(
    NoProtection,
    violates={"no_collateral"},
    kernel=Kernel(
        "xfs",
        layout="preallocated",
        threads={"writer[0]": "pwrite_direct_half:NEW", "writer[1]": "pwrite_direct_rest:NEWER"},
        gates={"writer[0].transfer": "submit_bio", "writer[1].transfer": "submit_bio"},
        shows={"no_collateral": {"file": "zero"}},
        mended=("5.10", "6.12", "7.3", "6.12 ext4", "7.3 ext4"),
    ),
)
expect(LocksSubmission, violates={"no_collateral"})
expect(Drains, holds=True)
