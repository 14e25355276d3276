"""A truncate frees the swap slots of a large entry that has been split in the meantime (R65, shmem, 2026).

Swapped-out pages of shmem are entries in the file's xarray; a large folio has one entry for all its pages.
Truncation asked for the entry's order, and erased the entry if it still had the value found. In between a
fault can split it: the first of the small entries has the same value and is erased alone, but as many swap
slots are freed as the large entry had, and other entries point to slots that are free or belong to another
file. 8a1968bd997f: order, comparison and erasure are under one lock, the xarray's; an entry that reaches
beyond the range is skipped, since the order can have grown as well (r65_truncate_beyond_its_range.py).
"""

from dio_mc import Array, Model, Range, Var, atomic, expect, invariant, operation, reachable, thread, wait_until
from dio_mc.kernel import Data, Owner


class AsksFirst(Model):
    """Before 8a1968bd997f. An entry of order 1 at index 0 covers both pages. Swap slot i is for page i."""

    order = Var(Range(0, 1), init=1)
    entry = Array(bool, size=2, init=True)
    owner = Array(Owner, size=2, init=Owner.FILE)
    swap = Array(Data, size=2, init=Data.OLD)
    seen = Var(Data)

    @thread
    def truncater(self):
        self.undo_range()

    @operation(kernel="mm/shmem.c:shmem_undo_range @3.16-")
    def undo_range(self):
        for i in range(self.end()):
            with atomic():  # find_get_entries
                found = self.has_entry(i)
            if found:
                self.free_swap(i)

    def end(self):
        return 2

    def has_entry(self, i):
        """Whether an entry starts at i, that is, i is not inside a larger entry."""
        return self.entry[i] and (i == 0 or self.order == 0)

    @operation(kernel="mm/shmem.c:shmem_free_swap @3.16-")
    def free_swap(self, i):
        found = self.order  # xa_get_order
        with atomic():  # xa_cmpxchg_irq
            erased = self.has_entry(i)
            if erased:
                self.erase(i)
        if erased:
            self.free_slots(i, found)

    @operation(kernel="lib/xarray.c:xas_store @4.20-")
    def erase(self, i):
        with atomic():
            self.entry[i] = False
            if self.order == 1:
                self.entry[1], self.order = False, 0

    @operation(kernel="mm/swapfile.c:free_swap_and_cache_nr @6.10-6.19")
    def free_slots(self, i, found):
        with atomic():
            self.owner[i] = Owner.NOBODY
            if found == 1:
                self.owner[1] = Owner.NOBODY

    @thread
    def fault(self):
        self.swapin(1)

    @operation(kernel="mm/shmem.c:shmem_swapin_folio @5.17-")
    def swapin(self, i):
        found = self.entry[i]
        if found:
            self.order = 0  # shmem_split_large_entry
            data = self.swap[i]
            with atomic():
                if self.entry[i] and self.order == 0:
                    self.entry[i], self.owner[i], self.seen = False, Owner.NOBODY, data

    @thread(daemon=True)
    def other_file(self):
        """Swaps out to slot 1 as soon as that is free."""
        with atomic():
            wait_until(self.owner[1] == Owner.NOBODY)
            self.owner[1], self.swap[1] = Owner.OTHER_FILE, Data.SECRET
        return

    @invariant
    def no_stale_exposure(self):
        """A fault does not return data that another file has swapped out."""
        return self.seen != Data.SECRET

    @invariant
    def no_collateral(self, after):
        """The other file's slot is not freed."""
        return self.owner[1] != Owner.OTHER_FILE or after.owner[1] == Owner.OTHER_FILE

    @reachable
    def faulted(self):
        return self.at_rest() and self.seen == Data.OLD and self.owner[1] == Owner.OTHER_FILE


class LooksUnderTheLock(AsksFirst):
    """The fix, 8a1968bd997f."""

    @operation(kernel="mm/shmem.c:shmem_free_swap @3.16-")
    def free_swap(self, i):
        found = 0
        with atomic():
            erased = self.has_entry(i) and i + self.order < self.end()
            if erased:
                found = self.order
                self.erase(i)
        if erased:
            self.free_slots(i, found)


expect(AsksFirst, violates={"no_stale_exposure", "no_collateral"})
expect(LooksUnderTheLock, holds=True, any="all")
