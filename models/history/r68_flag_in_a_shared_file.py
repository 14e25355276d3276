"""A direct write sets a flag for its fsync in the open file, and another fsync reads it (R68, btrfs, 2024).

A synchronous direct write calls fsync with the inode's lock held. Since 939b656bc8ab (R31) it passed this on by a flag
in the open file, which threads share: a concurrent fsync did not take the lock either, and failed an assertion when the
write had ended (users of QEMU, bugzilla 219187 and 219199). cd9253c23aed (Aug 2024, xfstests generic/364): the flag is
per task. Two direct writes that hold the lock shared deadlock by the same flag, which the commit does not mention.
"""

from dio_mc import Model, Param, PerThread, RWSem, ThreadId, Var, expect, me, operation, reachable, thread


class FlagOfTheFile(Model):
    """Before cd9253c23aed. All share one open file; the writes are inside i_size, so the lock is shared."""

    writers = Param(1, min=1, max=3)
    inode_lock = RWSem()
    skip_lock = Var(bool)

    @thread(instances=writers)
    def writer(self):
        self.direct_write()

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_direct_write @6.12-")
    def direct_write(self):
        self.inode_lock.down_read()
        self.set_skip_lock()
        self.sync_file()
        self.clear_skip_lock()
        self.inode_lock.up_read()

    @operation()
    def set_skip_lock(self):
        self.skip_lock = True

    @operation()
    def clear_skip_lock(self):
        self.skip_lock = False

    @operation()
    def skips_lock(self):
        return self.skip_lock

    @thread
    def syncer(self):
        self.sync_file()

    @operation(kernel="fs/btrfs/file.c:btrfs_sync_file @3.16-")
    def sync_file(self):
        skip = self.skips_lock()
        if not skip:
            self.inode_lock.down_write()
        assert self.inode_lock.is_locked(), "the inode is logged and not locked"
        if not skip:
            self.inode_lock.up_write()

    @reachable
    def syncer_ends_first(self):
        return self.finished(self.syncer) and not self.finished(self.writer)


class FlagOfTheTask(FlagOfTheFile):
    """The fix, cd9253c23aed: `current->journal_info`."""

    task_skips = PerThread(bool)

    @operation()
    def set_skip_lock(self):
        self.task_skips[me] = True

    @operation()
    def clear_skip_lock(self):
        self.task_skips[me] = False

    @operation()
    def skips_lock(self):
        return self.task_skips[me]


class TaskInTheFile(FlagOfTheFile):
    """The mistake: the file stores the task whose fsync skips the lock, and there may be two."""

    skipper = Var(ThreadId | None)

    @operation()
    def set_skip_lock(self):
        self.skipper = me

    @operation()
    def clear_skip_lock(self):
        self.skipper = None

    @operation()
    def skips_lock(self):
        return self.skipper == me


expect(FlagOfTheFile, violates={"assertion"})
expect(FlagOfTheFile, violates={"assertion", "deadlock"}, writers=2)
expect(FlagOfTheTask, holds=True, any="all")
expect(FlagOfTheTask, holds=True, writers=2)
expect(TaskInTheFile, holds=True)
expect(TaskInTheFile, violates={"deadlock"}, writers=2)
