"""One place holder for the whole kernel (P3).

Andrew Morton's reply of 20 Oct 2006 to the place holder patches suggests one stub page for all, so that
testing for it is a comparison of pointers. Such a stub has no index, no lock bit and no owner. With two
direct reads of one page, the second must know that the place holder in the slot belongs to the first.
"""

from pagecache import Slot
from placeholder import Placeholder

from dio_mc import Array, Param, ThreadId, atomic, expect, me, operation, wait_until


class GlobalPlaceholder(Placeholder):
    """The second reader adopts the place holder of the first. When the first removes it, the second has none: a page
    is inserted after that, and the second reader in the end unlocks a page that it does not own, or an empty slot."""

    readers = Param(2, min=1, max=4)

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def lock_page_range(self, index):
        with atomic():
            if self.slot[index] == Slot.ABSENT:
                self.slot[index] = Slot.PLACEHOLDER
            elif self.slot[index] != Slot.PLACEHOLDER:
                self.page_lock[index].lock()


class ForeignIsLocked(GlobalPlaceholder):
    """No owner, but a rule: every place holder found belongs to another reader, so wait for it as for a page lock."""

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def lock_page_range(self, index):
        with atomic():
            wait_until(self.slot[index] != Slot.PLACEHOLDER)
            super().lock_page_range(index)


class OwnerBesideTheStub(GlobalPlaceholder):
    """The owner is stored outside the stub (in the dio, or with the waiters): a reader passes only its own."""

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
