"""An atomic write of two blocks is torn by a crash between the two remaps (R59, XFS, 2025).

An atomic write by copy on write goes to new blocks; at its end the file's map is switched to them.
That was done extent by extent, each in its own transaction, so that a crash between two of them
leaves half of the write. b1e09178b73a (id not verified): all remaps are in one transaction. The
drive has a volatile cache, and the new blocks must be flushed from it before the remap.
"""

from dio_mc import Array, Param, atomic, expect, invariant, operation, reachable, thread
from dio_mc.kernel import CachedDisk, Data, File


class RemapsOneByOne(CachedDisk):
    """Before b1e09178b73a. `disk` holds the new blocks; `remapped[i]`: page i of the file has its new block."""

    durable = ("remapped",)
    pages = Param(2, min=1, max=3)
    remapped = Array(bool, size=File.pages)

    @thread
    def writer(self):
        self.atomic_write()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_write_aligned @6.1-")
    def atomic_write(self):
        for i in range(self.pages):
            self.bio_write(i, Data.NEW)
        self.written()
        self.end_cow()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-")
    def written(self):
        self.bio_flush()

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_end_cow @4.9-")
    def end_cow(self):
        for i in range(self.pages):
            self.remapped[i] = True

    def on_file(self, i):
        """The contents of page i of the file."""
        return self.disk[i] if self.remapped[i] else Data.ZERO

    @invariant
    def write_is_atomic(self):
        """After a crash the file has all of the write or nothing of it."""
        return (
            not self.recovered()
            or all(self.on_file(i) == Data.ZERO for i in range(self.pages))
            or all(self.on_file(i) == Data.NEW for i in range(self.pages))
        )

    @reachable
    def survives(self):
        """After a crash the file has the whole write."""
        return self.recovered() and all(self.on_file(i) == Data.NEW for i in range(self.pages))


class OneTransaction(RemapsOneByOne):
    """The fix, b1e09178b73a."""

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_end_cow @4.9-")
    def end_cow(self):
        with atomic():
            for i in range(self.pages):
                self.remapped[i] = True


class NoFlush(OneTransaction):
    """The mistake: the new blocks are only in the drive's cache when the remap is durable."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-")
    def written(self):
        pass


class WritesThrough(NoFlush):
    """No flush, but every write bypasses the drive's cache (REQ_FUA)."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_write_aligned @6.1-")
    def atomic_write(self):
        for i in range(self.pages):
            self.bio_write_fua(i, Data.NEW)
        self.end_cow()


expect(RemapsOneByOne, violates={"write_is_atomic"})
expect(RemapsOneByOne, holds=True, pages=1)
expect(RemapsOneByOne, violates={"write_is_atomic"}, cache=0)
expect(OneTransaction, holds=True)
expect(NoFlush, violates={"write_is_atomic"})
expect(NoFlush, holds=True, cache=0)
expect(WritesThrough, holds=True)
