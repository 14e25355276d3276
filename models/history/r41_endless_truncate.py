"""Direct readers who take no lock keep truncate waiting forever (R41, btrfs and NFS).

Truncate waits, under the inode's lock, until no direct IO is in flight. Readers that do not take the lock come and go,
two of them alternate, and the count is zero for moments only, or never. btrfs had BTRFS_INODE_READDIO_NEED_LOCK for it,
a flag that sends new readers to the lock as long as somebody waits (its comment is in 8e0fa5d7b3df); NFS a9ab5e840669
(2013) tells of the same livelock.

Nobody is trapped: truncate could end at any time, and that it can is not enough (`truncate_can_end`). `truncate_ends`
grants it more than a scheduler does, a turn whenever the count is zero again and again, and still a run goes round in
which the second reader begins before the first has ended.
"""

from dio_mc import DrainCounter, Model, Mutex, Param, Var, always_reachable, expect, operation, progress, thread


class ReadersTakeNoLock(Model):
    """Before. The readers never stop."""

    readers = Param(2, min=1, max=3)

    i_rwsem = Mutex()
    i_dio_count = DrainCounter(max=3)
    waiting = Var(bool)

    @thread(instances=readers, daemon=True)
    def reader(self, k):
        while True:
            self.begin()
            self.i_dio_count.end()

    @operation(kernel="fs/btrfs/inode.c:btrfs_direct_IO @3.16-5.10")
    def begin(self):
        self.i_dio_count.begin()

    @thread
    def truncater(self):
        self.i_rwsem.lock()
        self.waiting = True
        self.i_dio_count.wait()
        self.waiting = False
        self.i_rwsem.unlock()

    @progress(fairness="strong")
    def truncate_ends(self):
        """Truncate comes to an end."""
        return self.finished(self.truncater)

    @always_reachable
    def truncate_can_end(self):
        return self.finished(self.truncater)


class ReadersSeeTheFlag(ReadersTakeNoLock):
    """BTRFS_INODE_READDIO_NEED_LOCK."""

    @operation(kernel="fs/btrfs/btrfs_inode.h:btrfs_inode_block_unlocked_dio @3.16-4.19")
    def begin(self):
        waiting = self.waiting
        if waiting:
            self.i_rwsem.lock()
            super().begin()
            self.i_rwsem.unlock()
        else:
            super().begin()


expect(ReadersTakeNoLock, violates={"truncate_ends"})
expect(ReadersTakeNoLock, holds=True, readers=1)
expect(ReadersSeeTheFlag, holds=True, any="all")
