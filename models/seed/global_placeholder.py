"""One place holder for the whole kernel (P3).

Andrew Morton's reply of 20 Oct 2006 to the place holder patches: the stub may be one page for all, so that the test for
it becomes a comparison of pointers. Such a stub has no index, no lock bit and no owner. Two direct reads of one page:
does the second one know that the place holder in the slot is not its own?
"""

from pagecache import Slot
from placeholder import Placeholder

from dio_mc import Array, Param, ThreadId, atomic, expect, me, operation, wait_until


class GlobalPlaceholder(Placeholder):
    """It does not, and adopts it. When the first reader removes it, the second one has none; a page comes in after it,
    and what it unlocks in the end is somebody else's page, or nothing."""

    readers = Param(2, min=1, max=4)

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def lock_page_range(self, index):
        with atomic():
            if self.slot[index] == Slot.ABSENT:
                self.slot[index] = Slot.PLACEHOLDER
            elif self.slot[index] != Slot.PLACEHOLDER:
                self.page_lock[index].lock()


class ForeignIsLocked(GlobalPlaceholder):
    """No owner, but a rule: a place holder that is met is somebody else's, so wait, as for a page lock."""

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def lock_page_range(self, index):
        with atomic():
            wait_until(self.slot[index] != Slot.PLACEHOLDER)
            super().lock_page_range(index)


class OwnerBesideTheStub(GlobalPlaceholder):
    """The owner stands outside the stub (in the dio, or with the waiters): a reader may meet its own, no other."""

    owner = Array(ThreadId | None, size=GlobalPlaceholder.pages)

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def lock_page_range(self, index):
        with atomic():
            wait_until(self.slot[index] != Slot.PLACEHOLDER or self.owner[index] == me)
            super().lock_page_range(index)
            if self.slot[index] == Slot.PLACEHOLDER:
                self.owner[index] = me

    @operation(kernel="fs/direct-io.c:unlock_page_range @unmerged")
    def unlock_page_range(self, index):
        with atomic():
            assert self.slot[index] != Slot.PLACEHOLDER or self.owner[index] == me, "removes another's place holder"
            self.owner[index] = None
            super().unlock_page_range(index)


expect(GlobalPlaceholder, violates={"no_stale_exposure", "no_hole_filled", "pinned_while_reading", "lock_misuse"})
expect(ForeignIsLocked, holds=True, any="readers,pages")
expect(OwnerBesideTheStub, holds=True, any="readers,pages")
