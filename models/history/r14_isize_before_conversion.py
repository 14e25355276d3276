"""An extending write makes the new size visible before its extent is readable (R14, XFS).

The completion of an appending direct write sets i_size, then converts the extent: a read between the
two sees a block that is inside the file and unwritten, and returns zeros. Only end of file or the data
would be correct. The comment in `xfs_dio_write_end_io` gives the order: convert, then the size in
core, then on disk (ee70daaba82d, id not verified); xfstests generic/465 tests for it.

An older rule of fs/direct-io.c has a similar reason: an extending write is made synchronous, since a
size that is raised before the data is on disk exposes the previous contents of the blocks. XFS dropped
the rule in 2014 (6039257378e4, d531d91d6990, 9862f62faba8): its blocks are always allocated unwritten.
"""

from dio_mc import Array, Kernel, expect, invariant, operation, thread
from dio_mc.kernel import Block, Data, File


class SizeFirst(File):
    """Before the fix. `inside`: i_size covers the block."""

    block = Array(Block, size=File.pages, init=Block.HOLE)
    disk = Array(Data, size=File.pages, init=Data.STALE)
    inside = Array(bool, size=File.pages)

    @thread
    def appender(self):
        for i in range(self.pages):
            self.append(i)

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_aio_write @3.16-5.10")
    def append(self, i):
        self.block[i] = Block.UNWRITTEN
        self.bio_write(i, Data.NEW)
        self.end_io(i)

    @operation(kernel="fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-")
    def end_io(self, i):
        self.inside[i] = True
        self.convert_unwritten(i)

    @thread
    def reader(self):
        for i in range(self.pages):
            self.read(i)

    @operation(kernel="fs/iomap.c:iomap_dio_rw @4.10-5.2")
    def read(self, i):
        inside = self.inside[i]
        if not inside:
            self.seen[i] = Data.EOF
        else:
            self.seen[i] = self.direct_read(i)

    @invariant
    def size_ok(self):
        """A block inside i_size can be read."""
        return all(self.seen[i] in (Data.NOTHING, Data.EOF, Data.NEW) for i in range(self.pages))

    @invariant
    def no_stale_exposure(self):
        return all(self.seen[i] != Data.STALE for i in range(self.pages))


class ConvertsFirst(SizeFirst):
    """The order of the comment in `xfs_dio_write_end_io`."""

    @operation(kernel="fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-")
    def end_io(self, i):
        self.convert_unwritten(i)
        self.inside[i] = True


class Synchronous(SizeFirst):
    """fs/direct-io.c: mapped blocks, and the size is raised when the data is on disk."""

    @operation(kernel="fs/direct-io.c:direct_io_worker @-3.1")
    def append(self, i):
        self.block[i] = Block.MAPPED
        self.bio_write(i, Data.NEW)
        self.inside[i] = True


class Asynchronous(Synchronous):
    """The mistake: the same without the rule: the caller raises i_size after it has submitted the IO."""

    @operation(kernel="fs/direct-io.c:direct_io_worker @-3.1")
    def append(self, i):
        self.block[i] = Block.MAPPED
        self.inside[i] = True
        self.bio_write(i, Data.NEW)


expect(
    SizeFirst,
    violates={"size_ok"},
    kernel=Kernel(
        "xfs",
        layout="empty",
        threads={"appender": "pwrite_direct:NEW", "reader": "pread_direct"},
        gates={"appender": "xfs_iomap_write_unwritten"},
        shows={"size_ok": {"reader": "zero"}},
        mended=("5.10", "6.12", "7.3", "6.12 ext4", "6.12 btrfs"),
    ),
)
expect(ConvertsFirst, holds=True)
expect(Synchronous, holds=True, any="all")
expect(Asynchronous, violates={"size_ok", "no_stale_exposure"})
