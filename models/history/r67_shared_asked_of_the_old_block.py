"""A direct write tests whether its old block is shared, and writes to another file's block (R67, XFS, 2026).

Direct writes to a cloned file run in parallel. One finds its block shared and no block allocated for the copy, and
drops the inode's lock to get a transaction. Meanwhile another one copies, writes and remaps the file to the new block.
The first tests again whether the old block is shared: it is not any more, since only the other file has it, and the
write goes there. 2f4acd0fcd86 (Jul 2026, CVE-2026-64600; since 4.11): the map is read again if it has changed.
"""

from dio_mc import Array, Model, Mutex, Range, Var, atomic, expect, invariant, operation, reachable, thread
from dio_mc.kernel import Data


class AsksOfTheOldBlock(Model):
    """Before 2f4acd0fcd86. Both files share block 0; block 1 is the target of the copy, in `cow_fork` until it ends."""

    data_fork = Var(Range(0, 1))
    cow_fork = Var(bool)
    disk = Array(Data, size=2, init=Data.OLD)
    i_lock = Mutex()

    @thread(instances=2)
    def writer(self):
        self.direct_write()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_write_aligned @6.1-")
    def direct_write(self):
        block = self.iomap_begin()
        self.disk[block] = Data.NEW
        if block == 1:
            self.end_cow()

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_direct_write_iomap_begin @5.10-")
    def iomap_begin(self):
        self.i_lock.lock()
        with atomic():
            block = self.data_fork
            shared, copied = self.is_shared(block), self.cow_fork
        if shared and not copied:
            self.i_lock.unlock()
            block = self.transaction(block)
            shared = self.is_shared(block)
            if shared:
                self.cow_fork = True
        self.i_lock.unlock()
        return 1 if shared else block

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_allocate_cow @4.19-")
    def transaction(self, block):
        """The mapping after the transaction has started and the lock is held again."""
        self.i_lock.lock()
        return block

    def is_shared(self, block):
        return block == 0 and self.data_fork == 0

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_end_cow @4.9-")
    def end_cow(self):
        self.i_lock.lock()
        with atomic():
            if self.cow_fork:
                self.data_fork, self.cow_fork = 1, False
        self.i_lock.unlock()

    @invariant
    def no_collateral(self):
        """The other file's data is not overwritten."""
        return self.disk[0] == Data.OLD

    @reachable
    def copied(self):
        return self.at_rest() and self.data_fork == 1 and self.disk[1] == Data.NEW


class ReadsTheMapAgain(AsksOfTheOldBlock):
    """The fix, 2f4acd0fcd86."""

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_allocate_cow @4.19-")
    def transaction(self, block):
        self.i_lock.lock()
        return self.data_fork


class ReadsItUnlocked(AsksOfTheOldBlock):
    """The mistake: the map is read again before the lock is taken."""

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_allocate_cow @4.19-")
    def transaction(self, block):
        block = self.data_fork
        self.i_lock.lock()
        return block


expect(AsksOfTheOldBlock, violates={"no_collateral"})
expect(ReadsTheMapAgain, holds=True, any="all")
expect(ReadsItUnlocked, violates={"no_collateral"})
