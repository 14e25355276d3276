"""A fault that had to wait for a write takes a zeroed page for a filled one (R66, OpenZFS on FreeBSD, 2025).

A fault holds its pages busy (locked) and wants the file's range lock; a write holds that and waits for busy pages to
copy its data into them. So the fault only trylocks, and releases its pages before it waits for the lock. Since
178682506f92 (Nov 2024, for direct IO; before that it continued without the lock) it then grabs the pages again, zeroed
and marked valid: the file's data is not read into them, and sendfile sends zeros. 3a55e76b84c3 (Oct 2025, issue 17851).
"""

from dio_mc import Model, PageLock, RWSem, Var, atomic, expect, invariant, operation, reachable, thread, wait_until
from dio_mc.kernel import Data, Slot


class GrabsZeroed(Model):
    """As of 178682506f92. `record` is the file's data in the DMU; a page that is FILLING is busy and not valid."""

    record = Var(Data, init=Data.OLD)
    slot, page = Var(Slot), Var(Data)
    busy = PageLock()
    range_lock = RWSem()
    seen = Var(Data)

    @thread
    def fault(self):
        with atomic():
            self.busy.lock()
            missing = self.slot != Slot.UPTODATE
            if missing:
                self.slot = Slot.FILLING
        if missing:
            self.getpages()
        with atomic():  # a load
            self.seen = self.page
        self.busy.unlock()

    @operation()
    def getpages(self):
        """zfs_getpages."""
        locked = self.range_lock.down_read_trylock()
        if not locked:
            self.lock_and_grab()
        valid = self.slot == Slot.UPTODATE
        if not valid:
            data = self.record
            with atomic():
                self.page, self.slot = data, Slot.UPTODATE
        self.range_lock.up_read()

    @operation()
    def lock_and_grab(self):
        self.busy.unlock()
        self.range_lock.down_read()
        self.grab()

    @operation()
    def grab(self):
        """vm_page_grab_pages."""
        with atomic():
            self.busy.lock()
            if self.slot != Slot.UPTODATE:
                self.page, self.slot = Data.ZERO, Slot.UPTODATE

    @thread
    def writer(self):
        self.range_lock.down_write()
        self.record = Data.NEW
        self.update_pages()
        self.range_lock.up_write()

    @operation()
    def update_pages(self):
        """Waits for a busy page, and copies into a valid one."""
        with atomic():
            wait_until(not self.busy.is_locked())
            if self.slot == Slot.UPTODATE:
                self.page = self.record

    @invariant
    def reads_data(self):
        return self.seen != Data.ZERO

    @invariant
    def coherent_at_rest(self):
        return not self.at_rest() or self.page == self.record

    @reachable
    def fault_comes_second(self):
        return self.seen == Data.NEW


class NotZeroed(GrabsZeroed):
    """The fix, 3a55e76b84c3: the pages are grabbed without being zeroed."""

    @operation()
    def grab(self):
        self.busy.lock()


class KeepsBusy(NotZeroed):
    """The mistake: the fault keeps its pages busy while it waits for the range lock."""

    @operation()
    def lock_and_grab(self):
        self.range_lock.down_read()


expect(GrabsZeroed, violates={"reads_data", "coherent_at_rest"})
expect(NotZeroed, holds=True, any="all")
expect(KeepsBusy, violates={"deadlock"})
