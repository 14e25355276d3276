"""Until 2011 a semaphore released by the completion excluded truncate while IO was in flight (R09).

The state before r09_dio_vs_truncate_reuse.py (fs/direct-io.c, DIO_LOCKING): the submitter takes `i_alloc_sem`
shared before it maps, and truncate takes it exclusively. The submitter does not wait for its IO, so the
completion, possibly in an interrupt, releases the semaphore. A lock released by a context that did not take
it is a problem of its own, and the reason for its removal (bd5fe6c5eb9c, Jul 2011, id not verified).
"""

from r09_dio_vs_truncate_reuse import NoCount

from dio_mc import RWSem, expect, operation, spawn


class AllocSem(NoCount):
    """2.6.18: no other lock is held during the IO."""

    i_alloc_sem = RWSem()

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def get_block(self, i):
        self.i_alloc_sem.down_read()
        return super().get_block(i)

    @operation(kernel="fs/direct-io.c:dio_bio_submit")
    def transfer(self, i, block):
        self.i_alloc_sem.hand_over()
        spawn(self.dio_complete, i, block)

    @operation(kernel="fs/direct-io.c:dio_complete", slots=NoCount.pages)
    def dio_complete(self, i, block):
        self.device(i, block)
        self.i_alloc_sem.up_read_non_owner()

    @operation(kernel="fs/attr.c:notify_change")
    def inode_dio_wait(self):
        self.i_alloc_sem.down_write()  # ranks below i_mutex

    @operation(kernel="fs/ext3/inode.c:ext3_truncate @-4.2")
    def free_block(self, i):
        super().free_block(i)
        self.i_alloc_sem.up_write()


class SubmitterReleases(AllocSem):
    """The mistake: the submitter releases the semaphore that it took, as with any other lock."""

    @operation(kernel="fs/direct-io.c:dio_bio_submit")
    def transfer(self, i, block):
        spawn(self.dio_complete, i, block)
        self.i_alloc_sem.up_read()

    @operation(kernel="fs/direct-io.c:dio_complete", slots=NoCount.pages)
    def dio_complete(self, i, block):
        self.device(i, block)


expect(AllocSem, holds=True)
expect(AllocSem, holds=True, writes=True)
expect(SubmitterReleases, violates={"no_freed_io", "no_stale_exposure"})
expect(SubmitterReleases, violates={"no_freed_io", "no_collateral"}, writes=True)
