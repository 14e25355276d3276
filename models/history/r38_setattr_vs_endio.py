"""A completion takes the lock that the one who waits for it holds (R38, ocfs2).

Truncate holds the inode's lock exclusively and waits until no direct IO is in flight; the completion of a direct write
wants that lock before it says that it is done. Seen with stack traces, in a copy of the repair as 90bd070aae6c: the
completion does without the lock. The rule for every count that is drained: between raising and lowering it, take no
lock that the drainer holds.
"""

from dio_mc import DrainCounter, Model, RWSem, expect, operation, thread


class CompletionLocks(Model):
    """Before."""

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
    """The repair."""

    @operation(kernel="fs/ocfs2/aops.c:ocfs2_dio_end_io_write @4.9-")
    def end_io(self):
        """Nothing that needs the lock."""


expect(CompletionLocks, violates={"deadlock"})
expect(CompletionDoesNot, holds=True, any="all")
