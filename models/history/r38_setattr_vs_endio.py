"""A completion takes the lock held by the thread that waits for it (R38, ocfs2).

Truncate holds the inode's lock exclusively and waits until no direct IO is in flight; the
completion of a direct write takes that lock before it ends the IO. The fix, seen as 90bd070aae6c in
a copy of the kernel, shows stack traces; its completion does without the lock. The rule for every
count that is drained: between raising and lowering it, take no lock that the drainer holds.
"""

from dio_mc import DrainCounter, Model, RWSem, expect, operation, thread


class CompletionLocks(Model):
    """Before the fix."""

    i_rwsem = RWSem()
    i_dio_count = DrainCounter(max=1)

    @thread
    def writer(self):
        self.i_rwsem.down_write()
        self.i_dio_count.begin()
        self.i_rwsem.up_write()  # -EIOCBQUEUED
        self.end_io()
        self.i_dio_count.end()

    @operation(kernel="fs/ocfs2/aops.c:ocfs2_dio_end_io_write @4.9-")
    def end_io(self):
        self.i_rwsem.down_write()
        self.i_rwsem.up_write()

    @thread
    def truncater(self):
        self.i_rwsem.down_write()
        self.i_dio_count.wait()
        self.i_rwsem.up_write()


class CompletionDoesNot(CompletionLocks):
    """The fix."""

    @operation(kernel="fs/ocfs2/aops.c:ocfs2_dio_end_io_write @4.9-")
    def end_io(self):
        """The completion does nothing that needs the lock."""


expect(CompletionLocks, violates={"deadlock"})
expect(CompletionDoesNot, holds=True, any="all")
