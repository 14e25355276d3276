"""The second invalidation comes before the conversion of the unwritten extent (R07, XFS and the generic path, 2017).

A buffered read between the two finds an unwritten extent, fills its page with zeros, and nothing invalidates that
page later: zeros instead of acknowledged data. c771c14baa33 "invalidate page caches should be after
iomap_dio_complete() in direct write" (2017) fixes XFS; xfstests generic/418.

332391a9935d (r06_aio_no_late_invalidate.py) put its invalidation before the call to `end_io`, and so introduced this
race into fs/direct-io.c while it fixed the other. The follow-up is "fs: invalidate page cache after end_io() in dio
completion" (Oct 2017, id not verified). On unwritten extents, the first fix violates both of its own properties.
"""

from r05_refill_behind_dio_write import InvalidatesAfterwards
from r06_aio_no_late_invalidate import CompletionInvalidates

from dio_mc import Array, Kernel, expect, operation
from dio_mc.kernel import Block, File


class XfsInvalidatesFirst(InvalidatesAfterwards):
    """Before c771c14baa33: the direct write goes into an unwritten extent."""

    block = Array(Block, size=File.pages, init=Block.UNWRITTEN)

    @operation(kernel="fs/iomap.c:iomap_dio_rw @4.10-5.2")
    def dio_complete(self, i):
        self.invalidate_inode_pages2_range(i)
        self.convert_unwritten(i)
        self.acknowledged[i] = True


class XfsConvertsFirst(XfsInvalidatesFirst):
    """The fix, c771c14baa33."""

    @operation(kernel="fs/iomap.c:iomap_dio_complete @4.10-5.2")
    def dio_complete(self, i):
        self.convert_unwritten(i)
        self.invalidate_inode_pages2_range(i)
        self.acknowledged[i] = True


class RepairOfSeptember(CompletionInvalidates):
    """332391a9935d as merged: `dio_aio_complete_work` invalidates, then `dio_complete` calls `end_io`."""

    block = Array(Block, size=File.pages, init=Block.UNWRITTEN)

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self, i):
        self.convert_unwritten(i)  # end_io
        super().dio_complete(i)


class RepairOfOctober(RepairOfSeptember):
    """The follow-up. The conversion sleeps too, so the completion always runs in the workqueue,
    whether pages are cached or not, and tests for pages after the conversion."""

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self, i):
        self.convert_unwritten(i)
        self.invalidate_inode_pages2_range(i)
        self.acknowledged[i] = True


expect(
    XfsInvalidatesFirst,
    violates={"coherent_at_rest", "read_after_ack"},
    kernel=Kernel(
        "xfs",
        layout="preallocated",
        threads={"writer": "pwrite_direct:NEW", "reader": "pread", "later_reader": "pread"},
        gates={"writer.convert_unwritten": "xfs_iomap_write_unwritten"},
        shows={"coherent_at_rest": {"file": "cache zero, disk new"}},
        mended=("5.10", "6.12", "6.12 ext4"),
    ),
)
expect(XfsConvertsFirst, holds=True, any="all")
expect(RepairOfSeptember, violates={"coherent_at_rest", "read_after_ack"})
expect(RepairOfOctober, holds=True)
