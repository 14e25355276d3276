"""A direct write overtakes dirty pages: an acknowledged write is written over by an older one (R32, FUSE).

One program, one file: a buffered write, acknowledged when the page is dirty; then a direct write of the same bytes,
acknowledged when they are on the server's disk; then the kernel writes the dirty page back over them. The oldest bug of
mixed IO and the smallest: every filesystem that writes direct flushes the range first. FUSE with a write-back cache did
not in 2013-14 ("Fix O_DIRECT operations vs cached writeback misorder", id not verified), nor in another mode until
b5a2a3a0b776 (2023). 1ce120d belongs to the same story.

No interleaving of programs is needed: the second thread is the kernel's own writeback.
"""

from enum import Enum

from dio_mc import Model, Var, atomic, expect, invariant, operation, thread, wait_until


class Data(Enum):
    OLD = 0
    FIRST = 1  # what write(2) wrote
    SECOND = 2  # what the direct write wrote


class Fuse(Model):
    """Before: the cache is not asked. The page is gone from the cache or not: it does not matter here."""

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
        """What was acknowledged last and is not in the cache, dirty, is on disk."""
        return self.acknowledged != Data.SECOND or self.disk == Data.SECOND


class FlushesFirst(Fuse):
    """b5a2a3a0b776: the range is written and waited for."""

    @operation(kernel="fs/fuse/file.c:fuse_direct_io")
    def direct_write(self):
        wait_until(not self.dirty)
        wait_until(not self.writeback)
        super().direct_write()


class DoesNotWait(Fuse):
    """The mistake: no page is dirty any more, but one is on its way."""

    @operation(kernel="fs/fuse/file.c:fuse_direct_io")
    def direct_write(self):
        wait_until(not self.dirty)
        super().direct_write()


expect(Fuse, violates={"no_lost_write"})
expect(FlushesFirst, holds=True)
expect(DoesNotWait, violates={"no_lost_write"})
