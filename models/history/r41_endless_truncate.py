"""Direct readers that take no lock can keep truncate waiting forever (R41, btrfs and NFS).

Truncate waits, under the inode's lock, until no direct IO is in flight. Two readers that do not take the
lock alternate in endless loops, and the count is zero only for moments, or never. btrfs had the flag
BTRFS_INODE_READDIO_NEED_LOCK for this, which sends new readers to the lock while a thread waits (its comment
is in 8e0fa5d7b3df); NFS a9ab5e840669 (2013) describes the same livelock.

This is not a deadlock: truncate could end from every state, but that is not sufficient (`truncate_can_end`).
`truncate_ends` assumes more fairness than a scheduler gives, a turn whenever the count is zero again and
again, and still there is an endless run in which the second reader always begins before the first has ended.
"""

from dio_mc import DrainCounter, Model, Mutex, Param, Var, always_reachable, expect, operation, progress, thread


class ReadersTakeNoLock(Model):
    """Before the flag. The readers never stop."""

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
    """The fix, BTRFS_INODE_READDIO_NEED_LOCK."""

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
