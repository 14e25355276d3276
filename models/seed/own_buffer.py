"""A direct read whose user buffer is a mapping of the page that it reads (P1; R35 is the same in btrfs, 2021).

Under the proposal of October 2006 the read puts its place holder into the slot and then pins the user's pages
(fs/direct-io.c:dio_refill_pages, get_user_pages). The page fault wants to insert a page into the same slot and waits
for the place holder of its own thread: a deadlock of one thread. Derived from the design; no review mentions it.
"""

from pagecache import Slot

from dio_mc import Model, PageLock, Var, atomic, expect, invariant, operation, thread, wait_until


class OwnBuffer(Model):
    """The place holder first, then the user's page."""

    slot = Var(Slot)
    page_lock = PageLock()
    copied = Var(bool)

    @thread
    def reader(self):
        self.direct_read()

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self):
        self.lock_page_range()
        self.get_user_pages()
        self.copied = True
        self.unlock_page_range()

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def lock_page_range(self):
        with atomic():
            if self.slot == Slot.ABSENT:
                self.slot = Slot.PLACEHOLDER
            else:
                self.page_lock.lock()

    @operation(kernel="fs/direct-io.c:unlock_page_range @unmerged")
    def unlock_page_range(self):
        with atomic():
            if self.slot == Slot.PLACEHOLDER:
                self.slot = Slot.ABSENT
            else:
                self.page_lock.unlock()

    @operation(kernel="mm/memory.c:get_user_pages @2.6.18")
    def get_user_pages(self):
        with atomic():  # mm/filemap.c:filemap_nopage
            wait_until(self.slot != Slot.PLACEHOLDER)
            if self.slot == Slot.ABSENT:
                self.slot = Slot.UPTODATE

    @invariant
    def done_means_copied(self):
        return self.copied or not self.at_rest()


class PinnedFirst(OwnBuffer):
    """The user's page is pinned first. It is then in the slot, and a page in the slot is locked, not replaced."""

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self):
        self.get_user_pages()
        self.lock_page_range()
        self.copied = True
        self.unlock_page_range()


class FaultFails(OwnBuffer):
    """The fault does not wait for its own caller; the read drops its place holder, faults the page in and retries."""

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self):
        while True:
            self.lock_page_range()
            faulted = self.slot == Slot.PLACEHOLDER  # -EFAULT
            if not faulted:
                break
            self.unlock_page_range()
            self.get_user_pages()
        self.copied = True
        self.unlock_page_range()


expect(OwnBuffer, violates={"deadlock"})
expect(PinnedFirst, holds=True, any="all")
expect(FaultFails, holds=True)
