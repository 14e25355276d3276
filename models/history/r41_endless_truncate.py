"""Direct readers who take no lock keep truncate waiting for ever (R41, btrfs and NFS).

Truncate waits, under the inode's lock, until no direct IO is in flight. Readers that do not take the lock come and go,
two of them alternate, and the count is never zero. btrfs had BTRFS_INODE_READDIO_NEED_LOCK for it, a flag that sends
new readers to the lock as long as somebody waits (its comment is in 8e0fa5d7b3df); NFS a9ab5e840669 (2013) tells of the
same livelock.

What is missing here: progress itself, a run that goes round for ever while every thread gets its turn (a lasso, under
fairness). In its place there is a property of single states that implies it: while truncate waits, each reader begins
at most once more, since it may have looked at the flag just before.
"""

from dio_mc import Array, DrainCounter, Model, Mutex, Param, Range, Var, atomic, expect, invariant, operation, thread


class ReadersTakeNoLock(Model):
    """Before. The readers never stop."""

    readers = Param(2, min=1, max=3)

    i_rwsem = Mutex()
    i_dio_count = DrainCounter(max=3)
    waiting = Var(bool)
    overtaken = Array(Range(0, 2), size=readers, ghost=True)

    @thread(instances=readers, daemon=True)
    def reader(self, k):
        while True:
            self.begin(k)
            self.i_dio_count.end()

    @operation(kernel="fs/btrfs/inode.c:btrfs_direct_IO")
    def begin(self, k):
        with atomic():
            self.i_dio_count.begin()
            self.overtaken[k] = min(self.overtaken[k] + 1, 2) if self.waiting else 0

    @thread
    def truncater(self):
        self.i_rwsem.lock()
        self.waiting = True
        self.i_dio_count.wait()
        self.waiting = False
        self.i_rwsem.unlock()

    @invariant
    def bounded_wait(self):
        return all(self.overtaken[k] <= 1 for k in range(self.readers))


class ReadersSeeTheFlag(ReadersTakeNoLock):
    """BTRFS_INODE_READDIO_NEED_LOCK."""

    @operation(kernel="fs/btrfs/inode.c:btrfs_inode_block_unlocked_dio")
    def begin(self, k):
        waiting = self.waiting
        if waiting:
            self.i_rwsem.lock()
            super().begin(k)
            self.i_rwsem.unlock()
        else:
            super().begin(k)


expect(ReadersTakeNoLock, violates={"bounded_wait"})
expect(ReadersSeeTheFlag, holds=True)
