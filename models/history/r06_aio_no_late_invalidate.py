"""The submitter does the second invalidation, so an asynchronous write has none (R06, fs/direct-io.c, iomap).

The race of r05_refill_behind_dio_write.py, with the device's write in a completion: the submitter gets
EIOCBQUEUED and invalidates before the write, if at all. 332391a9935d (Sep 2017, v4.14) moves the call into
the completion, and defers it to a workqueue if pages are cached, since invalidation sleeps; xfstests
generic/451. FUSE had the same bug in 2026 (2b0408d0284f, see r40_completion_context_invalidate.py). The
regression of the first version of this fix is in r07_invalidate_before_conversion.py.
"""

from r05_refill_behind_dio_write import InvalidatesBefore

from dio_mc import Kernel, expect, operation, spawn
from dio_mc.kernel import Data, Slot


class SubmitterInvalidates(InvalidatesBefore):
    """Up to v4.13."""

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def direct_write(self, i):
        self.invalidate_inode_pages2_range(i)
        spawn(self.dio_bio_end_aio, i)
        self.invalidate_inode_pages2_range(i)

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio", slots=InvalidatesBefore.pages)
    def dio_bio_end_aio(self, i):
        self.bio_write(i, Data.NEW)
        self.dio_complete(i)


class CompletionInvalidates(SubmitterInvalidates):
    """The fix, 332391a9935d, without the conversion of unwritten extents (see r07_invalidate_before_conversion.py)."""

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio", slots=InvalidatesBefore.pages)
    def dio_bio_end_aio(self, i):
        self.bio_write(i, Data.NEW)
        cached = self.slot[i] != Slot.ABSENT  # mapping->nrpages
        if cached:
            spawn(self.dio_aio_complete_work, i)
        else:
            self.dio_complete(i)

    @operation(kernel="fs/direct-io.c:dio_aio_complete_work @3.16-", slots=InvalidatesBefore.pages)
    def dio_aio_complete_work(self, i):
        self.invalidate_inode_pages2_range(i)
        self.dio_complete(i)


class LooksBeforeTheWrite(CompletionInvalidates):
    """The mistake: whether there are pages to invalidate is tested when the IO is submitted."""

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio", slots=InvalidatesBefore.pages)
    def dio_bio_end_aio(self, i):
        cached = self.slot[i] != Slot.ABSENT
        self.bio_write(i, Data.NEW)
        if cached:
            spawn(self.dio_aio_complete_work, i)
        else:
            self.dio_complete(i)


expect(
    SubmitterInvalidates,
    violates={"coherent_at_rest", "read_after_ack"},
    kernel=Kernel(
        "ext4",
        layout="written",
        threads={
            "writer": "io_submit_pwrite:NEW,io_getevents",
            "dio_bio_end_aio": "",
            "reader": "pread",
            "later_reader": "pread",
        },
        shows={"coherent_at_rest": {"file": "cache old, disk new"}},
        mended=("5.10", "6.12", "6.12 xfs"),
    ),
)
expect(CompletionInvalidates, holds=True)
expect(LooksBeforeTheWrite, violates={"coherent_at_rest", "read_after_ack"})
