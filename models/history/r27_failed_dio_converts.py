"""A direct write that failed still converts its extent (R27, ext4).

The device reports an error, `end_io` converts the unwritten extent to written, and a read returns
the previous contents of the block. 74c66bcb7eda (Feb 2016) does not convert after an error; xfstests
generic/250, generic/252. An older, related bug converts at the wrong offset (xfstests generic/198).
"""

from dio_mc import Array, Param, choose, expect, invariant, operation, thread
from dio_mc.kernel import Block, Data, File


class ConvertsAlways(File):
    """Before 74c66bcb7eda."""

    block = Array(Block, size=File.pages, init=Block.UNWRITTEN)
    disk = Array(Data, size=File.pages, init=Data.STALE)

    @thread
    def writer(self):
        self.direct_write(0)

    @operation(kernel="fs/direct-io.c:dio_complete")
    def direct_write(self, i):
        failed = choose(False, True)
        if not failed:
            self.bio_write(i, Data.NEW)
        self.end_io(i, failed)

    @operation(kernel="fs/ext4/inode.c:ext4_end_io_dio @3.16-4.19")
    def end_io(self, i, failed):
        self.convert_unwritten(i)

    @thread
    def reader(self):
        for i in range(self.pages):
            self.seen[i] = self.direct_read(i)

    @invariant
    def no_stale_exposure(self):
        return all(self.seen[i] != Data.STALE for i in range(self.pages))


class ConvertsWhatWasWritten(ConvertsAlways):
    """The fix, 74c66bcb7eda."""

    @operation(kernel="fs/ext4/inode.c:ext4_end_io_dio @3.16-4.19")
    def end_io(self, i, failed):
        if not failed:
            super().end_io(i, failed)


class ConvertsTheNeighbour(ConvertsWhatWasWritten):
    """The older bug: the result is checked, but the wrong block is converted."""

    pages = Param(2, min=2, max=4)

    @operation(kernel="fs/ext4/inode.c:ext4_end_io_dio @3.16-4.19")
    def end_io(self, i, failed):
        if not failed:
            self.convert_unwritten(i + 1)


expect(ConvertsAlways, violates={"no_stale_exposure"})
expect(ConvertsWhatWasWritten, holds=True, any="all")
expect(ConvertsTheNeighbour, violates={"no_stale_exposure"})
