"""The proposal of October 2006: a place holder, or the page's lock, from before the map to after the IO (R01, P5).

Chris Mason, "place holder pages for O_DIRECT", linux-fsdevel, 20 Oct 2006, against 2.6.18. The read drops `i_mutex`
and `i_alloc_sem`. For every index of its range it locks the cached page, or puts a place holder into the empty slot.
An insertion of a page waits for the place holder; writepage waits for the page lock. A page may have been dirtied,
or have come under writeback, between the flush and its lock: the read checks again, and returns to the flush if so.

The classes after `Placeholder` are mistakes in an implementation of it. The last one is harmless for this race: the
read has already mapped a hole and returns zeros whatever happens next (but see placeholder_truncate.py).
`no_hole_filled` alone does not show every stale read: without the second check, writepage fills the hole *before*
the read locks the page, and the data is not on disk yet.
"""

from ext3_2_6_18 import Ext3
from pagecache import Slot
from z3 import Implies

from dio_mc import atomic, expect, invariant, operation, threads, wait_until, window


class Placeholder(Ext3):
    """The proposal, one page at a time (chunks.py has ranges). Two changes violate no property (`dio-mc mutate`).
    One drops `not self.dirty[index]` from `is_settled`: a dirty page's block is mapped under the page lock, so the
    read finds a hole after it and returns zeros. The other drops the test in `lock_page_range` whether a page is
    cached: here an empty slot has a lock too. In the kernel the lock is in the page, hence the place holder."""

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, index):
        while True:
            self.fdatawrite(index)
            self.fdatawait(index)
            self.lock_page_range(index)
            with window("read"):
                with atomic():
                    settled = self.is_settled(index)
                if settled:
                    self.read_locked(index)
                    break
            self.unlock_page_range(index)

    def is_settled(self, index):
        return not self.dirty[index] and not self.writeback[index]

    @operation(kernel="fs/direct-io.c:direct_io_worker @2.6.18")
    def read_locked(self, index):
        mapped = self.get_block(index)
        self.transfer(index, mapped)
        self.unlock_page_range(index)

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def lock_page_range(self, index):
        with atomic():
            wait_until(self.slot[index] != Slot.PLACEHOLDER)
            if self.slot[index] == Slot.ABSENT:
                self.slot[index] = Slot.PLACEHOLDER
            else:
                self.page_lock[index].lock()

    @operation(kernel="fs/direct-io.c:unlock_page_range @unmerged")
    def unlock_page_range(self, index):
        with atomic():
            if self.slot[index] == Slot.PLACEHOLDER:
                self.slot[index] = Slot.ABSENT
            else:
                self.page_lock[index].unlock()

    @operation(kernel="mm/filemap.c:add_to_page_cache @2.6.18")
    def add_to_page_cache(self, index):
        with atomic():
            wait_until(self.slot[index] != Slot.PLACEHOLDER)
            super().add_to_page_cache(index)

    @invariant
    def pinned_while_reading(self):
        return all(Implies(self.inside("read", index=i), self.is_pinned(i)) for i in range(self.pages))

    def is_pinned(self, i):
        return self.slot[i] == Slot.PLACEHOLDER or any(self.page_lock[i].held_by(t) for t in threads(self.reader))


class NoSecondLook(Placeholder):
    """The page is locked after the flush, and its state is not checked again."""

    def is_settled(self, index):
        return True


class LooksForDirtyOnly(Placeholder):
    """The second check tests only for dirty: writepage clears dirty and drops the page lock when its IO starts."""

    def is_settled(self, index):
        return not self.dirty[index]


class ReleasedBeforeMap(Placeholder):
    """The lock or place holder covers the flush and the second check, not the map."""

    @operation(kernel="fs/direct-io.c:direct_io_worker @2.6.18")
    def read_locked(self, index):
        self.unlock_page_range(index)
        mapped = self.get_block(index)
        self.transfer(index, mapped)


class ReleasedBeforeIO(Placeholder):
    """The lock or place holder covers the map, not the IO."""

    @operation(kernel="fs/direct-io.c:direct_io_worker @2.6.18")
    def read_locked(self, index):
        mapped = self.get_block(index)
        self.unlock_page_range(index)
        self.transfer(index, mapped)


expect(Placeholder, holds=True, any="readers,pages")
expect(Placeholder, holds=True, pages=2, readers=2)
expect(NoSecondLook, violates={"no_stale_exposure"})
expect(LooksForDirtyOnly, violates={"no_stale_exposure"})
expect(ReleasedBeforeMap, violates={"no_stale_exposure", "no_hole_filled", "pinned_while_reading"})
expect(ReleasedBeforeIO, violates={"no_hole_filled", "pinned_while_reading"})
