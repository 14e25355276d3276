"""An asynchronous write is acknowledged before its extent is converted (R12, XFS).

A direct write into an unwritten extent ends in three steps: the device has the data, the completion is reported
to the program, a worker converts the extent. A read that starts between the last two maps an unwritten extent
and returns zeros. fb511f215017 (Jul 2010) reports the completion after the conversion; xfstests generic/239.
This is not stale data exposure: the zeros leak nothing, but they are not the data written.
"""

from dio_mc import Array, Kernel, Var, expect, invariant, operation, thread, wait_until
from dio_mc.kernel import Block, Data, File


class TellsFirst(File):
    """Before fb511f215017. The reader starts when it knows that the write is complete."""

    block = Array(Block, size=File.pages, init=Block.UNWRITTEN)
    disk = Array(Data, size=File.pages, init=Data.STALE)
    acknowledged = Var(bool)

    @thread
    def completion(self):
        for i in range(self.pages):
            self.bio_write(i, Data.NEW)
        self.end_io()

    @operation(kernel="fs/xfs/linux-2.6/xfs_aops.c:xfs_end_io_direct_write @2.6.33-3.0")
    def end_io(self):
        self.acknowledged = True
        self.convert()

    @operation(kernel="fs/xfs/linux-2.6/xfs_aops.c:xfs_end_io @2.6.30-3.0")
    def convert(self):
        for i in range(self.pages):
            self.convert_unwritten(i)

    @thread
    def reader(self):
        wait_until(self.acknowledged)
        for i in range(self.pages):
            self.seen[i] = self.direct_read(i)

    @invariant
    def read_after_ack(self):
        return all(self.seen[i] in (Data.NOTHING, Data.NEW) for i in range(self.pages))


class ConvertsFirst(TellsFirst):
    """The fix, fb511f215017."""

    @operation(kernel="fs/xfs/linux-2.6/xfs_aops.c:xfs_end_io @2.6.30-3.0")
    def end_io(self):
        self.convert()
        self.acknowledged = True


expect(
    TellsFirst,
    violates={"read_after_ack"},
    kernel=Kernel(
        "xfs",
        layout="preallocated",
        threads={"completion": "io_submit_pwrite:NEW,io_getevents", "reader": "pread_direct"},
        shows={"read_after_ack": {"reader": "zero"}},
        mended=("5.10", "6.12", "7.3", "6.12 ext4"),
    ),
)
expect(ConvertsFirst, holds=True, any="all")
expect(ConvertsFirst, holds=True, pages=2)
