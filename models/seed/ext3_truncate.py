"""Truncate frees a block under a direct read, and the block is reused by another file (R09).

Linux 2.6.18 holds `i_alloc_sem` shared from before the map until after the IO, and truncate takes it exclusively
(fs/attr.c:notify_change); for an asynchronous read the completion releases it. The model has one page, on disk and
not cached. Truncate sets i_size, invalidates the cached pages of the range, and then frees the block; a second
file allocates it and writes a secret. Both sides also take `i_mutex`, which is left out: an asynchronous read
drops it before its IO ends, so it cannot protect the read. placeholder_truncate.py does without the semaphore.
"""

from enum import Enum

from pagecache import Data, Slot

from dio_mc import Kernel, Model, RWSem, Var, atomic, expect, invariant, operation, reachable, thread, wait_until


class Owner(Enum):
    FILE = 0
    NOBODY = 1
    OTHER_FILE = 2


class Ext3Truncate(Model):
    """ext3 as in Linux 2.6.18."""

    slot = Var(Slot)
    inside_size = Var(bool, init=True)
    mapped = Var(bool, init=True)
    owner = Var(Owner)
    disk = Var(Data, init=Data.NEW)
    seen = Var(Data, init=Data.ZERO)
    freed_io = Var(bool, ghost=True)
    i_alloc_sem = RWSem()

    @thread
    def reader(self):
        inside = self.inside_size  # mm/filemap.c:generic_file_aio_read
        if inside:
            self.direct_read()

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self):
        self.i_alloc_sem.down_read()
        mapped = self.mapped
        self.transfer(mapped)
        self.i_alloc_sem.up_read()

    @operation(kernel="fs/direct-io.c:dio_await_completion")
    def transfer(self, mapped):
        if mapped:
            with atomic():
                self.seen = self.disk
                self.freed_io = self.freed_io or self.owner != Owner.FILE

    @thread
    def truncater(self):
        self.truncate()

    @operation(kernel="fs/attr.c:notify_change")
    def truncate(self):
        self.i_alloc_sem.down_write()
        self.inside_size = False
        self.free_blocks()
        self.i_alloc_sem.up_write()

    @operation(kernel="fs/ext3/inode.c:ext3_truncate @2.6.18")
    def free_blocks(self):
        with atomic():
            self.mapped, self.owner = False, Owner.NOBODY

    @thread
    def other_file(self):
        with atomic():
            wait_until(self.owner == Owner.NOBODY)
            self.owner = Owner.OTHER_FILE
        self.disk = Data.STALE

    @invariant
    def no_stale_exposure(self):
        return self.seen != Data.STALE

    @invariant
    def no_freed_io(self):
        return not self.freed_io

    @reachable
    def data_can_be_read(self):
        return self.seen == Data.NEW


class NoSemaphore(Ext3Truncate):
    """The mistake: no `i_alloc_sem`."""

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self):
        mapped = self.mapped
        self.transfer(mapped)


expect(Ext3Truncate, holds=True)
expect(
    NoSemaphore,
    violates={"no_stale_exposure", "no_freed_io"},
    kernel=Kernel(
        "ext3",
        layout="written",
        threads={"reader": "pread_direct", "truncater": "truncate", "other_file": ""},
        gates={"reader.transfer": "submit_bio"},
        shows={"no_freed_io": {"reader": "old", "file": "eof"}},
        mended=("5.10", "6.12", "7.3"),
    ),
)
