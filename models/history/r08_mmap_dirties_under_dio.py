"""A page is faulted in and dirtied while a direct write is in flight (R08, iomap and generic code).

A direct write covers both halves of a page; a program stores into the first half through mmap. If the page was read
before the device wrote, its second half is old, and its writeback overwrites that half of an acknowledged write, which
no other program wrote. No lock excludes faults from a direct write. 5a9d929d6e13 (v4.16, 2018, id not verified; title
from a92853b6746f, xfstests generic/095): if the second invalidation finds a dirty page, log it and fail fsync;
generic/247. Some losses go unreported: writeback may clean the page first (`early_writeback`). r08_faults_kept_out.py.
"""

from dio_mc import Array, Kernel, Model, PageLock, Param, Var, atomic, expect, invariant, operation, thread, wait_until
from dio_mc.kernel import Data, Slot


class Silent(Model):
    """Up to v4.15. NEW is the data of the direct write, NEWER that of the store."""

    early_writeback = Param(True)

    slot = Var(Slot)
    page_lock = PageLock()
    page = Array(Data, size=2)
    dirty = Var(bool)
    disk = Array(Data, size=2, init=Data.OLD)
    started, acknowledged = Var(bool), Var(bool)
    stored = Var(bool)
    reported = Var(bool)

    @thread
    def writer(self):
        self.direct_write()
        self.acknowledged = True

    @operation(kernel="fs/iomap.c:iomap_dio_rw @4.10-5.2")
    def direct_write(self):
        self.write_out()
        self.complete()

    @operation(kernel="fs/iomap.c:iomap_dio_actor @4.10-5.2")
    def write_out(self):
        clean = False
        while not clean:
            wait_until(not self.dirty)
            clean = self.invalidate()
        with atomic():
            self.disk[0], self.disk[1] = Data.NEW, Data.NEW

    @operation(kernel="fs/iomap.c:iomap_dio_complete @4.10-5.2")
    def complete(self):
        clean = self.invalidate()
        if not clean:
            self.report()

    @operation(kernel="mm/truncate.c:invalidate_inode_pages2_range")
    def invalidate(self):
        with atomic():
            wait_until(not self.page_lock.is_locked())
            clean = not self.dirty
            if clean:
                self.slot, self.started = Slot.ABSENT, True
        return clean

    @operation()
    def report(self):
        """The lost write is not reported."""

    @thread
    def mapper(self):
        while not self.stored:
            self.fault()
            self.store()

    @operation(kernel="mm/filemap.c:filemap_fault @2.6.24-")
    def fault(self):
        with atomic():
            self.page_lock.lock()
            missing = self.slot == Slot.ABSENT
        if missing:
            with atomic():
                self.page[0], self.page[1] = self.disk[0], self.disk[1]
        with atomic():
            self.slot = Slot.UPTODATE
            self.page_lock.unlock()

    @operation(kernel="fs/iomap.c:iomap_page_mkwrite @4.9-4.19")
    def store(self):
        with atomic():  # through the pte, if it still exists
            if self.slot == Slot.UPTODATE:
                self.page[0], self.dirty, self.stored = Data.NEWER, True, True

    @thread(daemon=True)
    def flusher(self):
        while True:
            with atomic():
                wait_until(self.dirty and (self.early_writeback or self.acknowledged or not self.started))
                self.page_lock.lock()
            with atomic():  # writeback, while this thread holds the lock
                self.disk[0], self.disk[1], self.dirty = self.page[0], self.page[1], False
                self.page_lock.unlock()

    @invariant
    def no_collateral(self):
        """The second half is only ever written by the direct write."""
        return not self.acknowledged or self.disk[1] == Data.NEW

    @invariant
    def loss_is_reported(self):
        return not self.acknowledged or self.disk[1] == Data.NEW or self.reported


class Reports(Silent):
    """The fix, 5a9d929d6e13."""

    @operation(kernel="fs/direct-io.c:dio_warn_stale_pagecache @4.19-4.19")
    def report(self):
        self.reported = True


expect(Silent, violates={"no_collateral", "loss_is_reported"})
expect(
    Reports,
    violates={"no_collateral", "loss_is_reported"},
    kernel=Kernel(
        "ext4",
        layout="written",
        threads={"writer": "pwrite_direct:NEW", "mapper": "mmap_store:NEWER", "flusher": "writeback"},
        gates={
            "writer.write_out": "submit_bio",
            "mapper.store": "do_page_mkwrite",
            "writer.complete": "iomap_dio_complete",
        },
        shows={"loss_is_reported": {"writer": "new", "file": "newer", "second half": "old"}},
        has=("5.10", "6.1", "6.12", "7.3", "5.10 xfs", "6.12 xfs", "7.3 xfs"),
        mended=("6.1 btrfs", "6.12.74 btrfs", "6.12 btrfs"),
    ),
)
expect(Reports, violates={"no_collateral"}, early_writeback=False)
