"""Two completions of extending writes move the end of the file backwards (R22, XFS).

Each tests whether it ends beyond i_size, and if so sets it. Both tests succeed, the smaller end is stored last,
and the bytes of the larger write are outside the file. b9d59846f737 (Apr 2015): a spinlock around test and store.
"""

from dio_mc import Model, Range, SpinLock, Var, expect, invariant, operation, thread


class Unlocked(Model):
    """Before b9d59846f737. Completion k ends at k + 1."""

    i_size = Var(Range(0, 2))

    @thread(instances=2)
    def completion(self, k):
        self.end_io(k + 1)

    @operation(kernel="fs/xfs/xfs_aops.c:xfs_end_io_direct_write @3.16-4.9")
    def end_io(self, end):
        self.update(end)

    @operation(kernel="fs/xfs/xfs_aops.c:xfs_end_io_direct_write @3.16-4.9")
    def update(self, end):
        size = self.i_size
        if end > size:
            self.i_size = end

    @invariant
    def size_ok(self):
        """At the end the file is as long as the longest write."""
        return not self.at_rest() or self.i_size == 2

    @invariant
    def size_never_shrinks(self, after):
        return after.i_size >= self.i_size


class Locked(Unlocked):
    """The fix, b9d59846f737: `i_flags_lock`."""

    i_flags_lock = SpinLock()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-")
    def end_io(self, end):
        self.i_flags_lock.lock()
        super().end_io(end)
        self.i_flags_lock.unlock()


class LocksTheStore(Unlocked):
    """The mistake: the test is done before the lock is taken."""

    i_flags_lock = SpinLock()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-")
    def update(self, end):
        size = self.i_size
        if end > size:
            self.i_flags_lock.lock()
            self.i_size = end
            self.i_flags_lock.unlock()


expect(Unlocked, violates={"size_ok", "size_never_shrinks"})
expect(Locked, holds=True)
expect(LocksTheStore, violates={"size_ok", "size_never_shrinks"})
