"""Until 2011 a semaphore that the completion releases kept truncate from blocks with IO in flight (R09).

r09_dio_vs_truncate_reuse.py as it was before (fs/direct-io.c, DIO_LOCKING): the submitter takes
`i_alloc_sem` shared before it maps, and truncate takes it exclusively. The submitter does not wait for its IO. So the
semaphore is handed over, and whoever completes the IO, an interrupt perhaps, releases it: a lock that is released by a
thread that never took it, which is why it had to go (bd5fe6c5eb9c, Jul 2011, id not verified).
"""

from r09_dio_vs_truncate_reuse import NoCount

from dio_mc import RWSem, expect, operation, spawn


class AllocSem(NoCount):
    """2.6.18: nothing else is held while the device works."""

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
    """The mistake: the submitter releases what it took, as with any other lock."""

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
