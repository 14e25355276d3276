"""An atomic write of two blocks is torn by a crash between the two remaps (R59, XFS, 2025).

An atomic write through copy on write goes to new blocks; at its end the file's map is moved to them. That was done
extent by extent, each in a transaction of its own, so that a crash between two leaves half of the write. b1e09178b73a
(id not verified): all remaps are in one transaction. The drive has a volatile cache, and what is remapped must be in
it no longer.
"""

from dio_mc import Array, Param, atomic, expect, invariant, operation, reachable, thread
from dio_mc.kernel import CachedDisk, Data, File


class RemapsOneByOne(CachedDisk):
    """Before. `disk` are the new blocks; `remapped[i]` says that page i of the file has its new one."""

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
        """What page i of the file has."""
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
        """The whole of it."""
        return self.recovered() and all(self.on_file(i) == Data.NEW for i in range(self.pages))


class OneTransaction(RemapsOneByOne):
    """b1e09178b73a."""

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_end_cow @4.9-")
    def end_cow(self):
        with atomic():
            for i in range(self.pages):
                self.remapped[i] = True


class NoFlush(OneTransaction):
    """The mistake: the new blocks are in the drive's cache when the map says that they are the file's."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-")
    def written(self):
        pass


class WritesThrough(NoFlush):
    """Without a flush, and every write past the cache (REQ_FUA)."""

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
