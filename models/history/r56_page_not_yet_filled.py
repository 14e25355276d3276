"""A read copies from a page that is in the cache but not filled yet (R56, OpenZFS on Linux).

A mapped file has pages in the page cache in addition to the file system's own buffers. A read looks for a
page at its offset and copies from it if there is one; a fault inserts the page, locked, before it is filled.
The read then copies zeros, or the previous contents of that memory. OpenZFS issues 13608 and 14498 (2022 and
2023; without a commit id): the read waits for the page lock, which is held until the page is uptodate.
"""

from dio_mc import Model, PageLock, Var, atomic, expect, invariant, operation, thread
from dio_mc.kernel import Data, Slot


class FoundIsEnough(Model):
    """Before the fix. A page that is being filled has the previous contents of its memory."""

    buffers = Var(Data, init=Data.OLD)
    slot, page = Var(Slot), Var(Data)
    page_lock = PageLock()
    seen = Var(Data)

    @thread
    def fault(self):
        self.page_lock.lock()
        with atomic():
            self.slot, self.page = Slot.FILLING, Data.STALE
        self.page = Data.OLD
        self.slot = Slot.UPTODATE
        self.page_lock.unlock()

    @thread
    def reader(self):
        found = self.slot != Slot.ABSENT
        data = Data.NOTHING
        if found:
            data = self.mappedread()
        else:
            data = self.buffers
        self.seen = data

    @operation(kernel="mm/filemap.c:find_get_page @-2.6.27")
    def mappedread(self):
        return self.page

    @invariant
    def no_stale_exposure(self):
        return self.seen != Data.STALE


class LooksUnderTheLock(FoundIsEnough):
    """The fix."""

    @operation(kernel="mm/filemap.c:find_get_page @-2.6.27")
    def mappedread(self):
        self.page_lock.lock()
        data = self.page
        self.page_lock.unlock()
        return data


class SetsTheFlagFirst(LooksUnderTheLock):
    """The mistake on the fault's side: the page is marked uptodate, and unlocked, before it is filled."""

    @thread
    def fault(self):
        self.page_lock.lock()
        with atomic():
            self.slot, self.page = Slot.UPTODATE, Data.STALE
        self.page_lock.unlock()
        self.page = Data.OLD


expect(FoundIsEnough, violates={"no_stale_exposure"})
expect(LooksUnderTheLock, holds=True, any="all")
expect(SetsTheFlagFirst, violates={"no_stale_exposure"})
