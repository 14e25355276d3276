"""After a power failure a file ends in zeros that no program wrote (R64, XFS and iomap, 2024).

Writeback writes whole blocks; the bytes beyond the end of the file are zeros. When the IO ends, the size on
disk is raised to the end of the block, or to the current i_size if that is smaller. A write that has appended
to the same block since the IO was built has raised i_size, with its data only in the cache. 51d20d1dacbe: an
IO records, when it is built, how much of it is inside the file, and the size is raised to that.
"""

from dio_mc import Array, PageLock, Range, Var, atomic, expect, invariant, operation, reachable, thread, wait_until
from dio_mc.kernel import Crashes, Data


class RaisesToTheBlock(Crashes):
    """Before 51d20d1dacbe. One block of two sectors: the first is written and dirty, the second is appended."""

    durable = ("disk", "disk_size")
    page_lock = PageLock()
    page = Array(Data, size=2, init=[Data.NEW, Data.ZERO])
    dirty = Var(bool, init=True)
    i_size = Var(Range(0, 2), init=1)
    io_size = Var(Range(0, 2))
    disk = Array(Data, size=2, init=Data.ZERO)
    disk_size = Var(Range(0, 2))

    @thread
    def appender(self):
        self.append()

    @operation(kernel="fs/iomap/buffered-io.c:iomap_write_iter @5.15-")
    def append(self):
        self.page_lock.lock()
        self.page[1] = Data.NEWER
        self.write_end()
        self.page_lock.unlock()

    @operation(kernel="fs/iomap/buffered-io.c:iomap_write_end @5.10-")
    def write_end(self):
        with atomic():
            self.dirty, self.i_size = True, 2

    @thread(daemon=True)
    def flusher(self):
        while True:
            self.writepages()

    @operation(kernel="fs/iomap/buffered-io.c:iomap_writepages @5.10-")
    def writepages(self):
        with atomic():
            wait_until(self.dirty)
            self.page_lock.lock()
            self.dirty = False
        self.add_to_ioend()
        self.page_lock.unlock()
        self.submit_ioend()
        self.setfilesize()

    @operation(kernel="fs/iomap/buffered-io.c:iomap_add_to_ioend @5.10-6.16")
    def add_to_ioend(self):
        self.io_size = 2

    @operation(kernel="fs/iomap/buffered-io.c:iomap_submit_ioend @5.10-6.16")
    def submit_ioend(self):
        """The device writes the current contents of the page."""
        with atomic():
            for s in range(2):
                self.disk[s] = self.page[s]

    @operation(kernel="fs/xfs/xfs_aops.c:xfs_setfilesize @3.16-")
    def setfilesize(self):
        with atomic():
            self.disk_size = max(self.disk_size, min(self.io_size, self.i_size))

    @invariant
    def no_zero_padding(self):
        """After a crash every byte inside the file is one that was written."""
        return not self.recovered() or all(s >= self.disk_size or self.disk[s] != Data.ZERO for s in range(2))

    @reachable
    def append_survives(self):
        return self.recovered() and self.disk_size == 2


class NotesTheSize(RaisesToTheBlock):
    """The fix, 51d20d1dacbe."""

    @operation(kernel="fs/iomap/buffered-io.c:iomap_add_to_ioend @5.10-6.16")
    def add_to_ioend(self):
        with atomic():
            self.io_size = self.i_size


class NotesTheSizeLate(RaisesToTheBlock):
    """The mistake: the size is recorded after the IO was submitted and the page unlocked."""

    @operation(kernel="fs/iomap/buffered-io.c:iomap_submit_ioend @5.10-6.16")
    def submit_ioend(self):
        super().submit_ioend()
        with atomic():
            self.io_size = self.i_size


expect(RaisesToTheBlock, violates={"no_zero_padding"})
expect(NotesTheSize, holds=True)
expect(NotesTheSizeLate, violates={"no_zero_padding"})
