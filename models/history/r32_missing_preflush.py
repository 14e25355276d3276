"""A direct write overtakes dirty pages, and an older write overwrites an acknowledged one (R32, FUSE).

One program, one file: a buffered write, acknowledged when the page is dirty; then a direct write of the same
bytes, acknowledged when they are on the server's disk; then the kernel writes the dirty page back over them.
This is the simplest bug of mixed buffered and direct IO: every filesystem with direct writes flushes the
range first. FUSE with a write-back cache did not in 2013-14 ("Fix O_DIRECT operations vs cached writeback
misorder", id not verified), nor in another mode until b5a2a3a0b776 (2023). 1ce120d belongs to the same fix.

It needs no second program: the second thread is the kernel's own writeback.
"""

from enum import Enum

from dio_mc import Model, Var, atomic, expect, invariant, operation, thread, wait_until


class Data(Enum):
    OLD = 0
    FIRST = 1  # what write(2) wrote
    SECOND = 2  # what the direct write wrote


class Fuse(Model):
    """Before b5a2a3a0b776: the cache is not flushed. Whether the page is still cached does not matter here."""

    page = Var(Data)
    disk = Var(Data)
    dirty = Var(bool)
    writeback = Var(bool)
    acknowledged = Var(Data)

    @thread
    def program(self):
        self.buffered_write()
        self.direct_write()

    @operation(kernel="fs/fuse/file.c:fuse_cache_write_iter @5.10-")
    def buffered_write(self):
        with atomic():
            self.page, self.dirty, self.acknowledged = Data.FIRST, True, Data.FIRST

    @operation(kernel="fs/fuse/file.c:fuse_direct_write_iter @4.9-")
    def direct_write(self):
        self.disk = Data.SECOND
        self.acknowledged = Data.SECOND

    @thread(daemon=True)
    def flusher(self):
        while True:
            self.writepage()

    @operation(kernel="fs/fuse/file.c:fuse_writepages @3.16-")
    def writepage(self):
        with atomic():
            wait_until(self.dirty)
            self.dirty, self.writeback = False, True
        with atomic():
            self.disk, self.writeback = self.page, False

    @invariant
    def no_lost_write(self):
        """The last acknowledged data is on disk, or dirty in the cache."""
        return self.acknowledged != Data.SECOND or self.disk == Data.SECOND


class FlushesFirst(Fuse):
    """The fix, b5a2a3a0b776: the range is written and waited for."""

    @operation(kernel="fs/fuse/file.c:fuse_direct_io")
    def direct_write(self):
        wait_until(not self.dirty)
        wait_until(not self.writeback)
        super().direct_write()


class DoesNotWait(Fuse):
    """The mistake: the page is clean, but its writeback is still in flight."""

    @operation(kernel="fs/fuse/file.c:fuse_direct_io")
    def direct_write(self):
        wait_until(not self.dirty)
        super().direct_write()


expect(Fuse, violates={"no_lost_write"})
expect(FlushesFirst, holds=True)
expect(DoesNotWait, violates={"no_lost_write"})
