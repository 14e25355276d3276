"""The whole range is locked before the first page is read: lock order (P2), and a read that is still torn (P6).

This is the first version of the patches (20 Oct 2006); compare chunks.py. Locks taken in ascending order cannot
deadlock; in any other order two readers can, each holding the page that the other wants. Reads are still torn:
write(2) dirties one page at a time, so the range that was flushed and locked may hold one new page and one old one.
"""

from chunks import OneChunk

from dio_mc import atomic, expect, me, operation, wait_until


class WholeRange(OneChunk):
    """All pages are locked in ascending order and checked before the first is read."""

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, k):
        while True:
            for i in range(self.pages):
                wait_until(not self.dirty[i])
            self.lock_page_range()
            settled = not any(self.dirty[i] for i in range(self.pages))
            if settled:
                break
            self.unlock_page_range()
        for i in range(self.pages):
            self.transfer(k, i)
        self.unlock_page_range()

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def lock_page_range(self):
        for i in range(self.pages):
            self.slot_lock[i].lock()

    @operation(kernel="fs/direct-io.c:unlock_page_range @unmerged")
    def unlock_page_range(self):
        for i in range(self.pages):
            self.slot_lock[i].unlock()


class PagesFirst(WholeRange):
    """The mistake: lock the cached pages first, then put place holders into the empty slots. Two
    readers that look at different times lock in different orders."""

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def lock_page_range(self):
        for i in range(self.pages):
            with atomic():
                if self.cached[i]:
                    self.slot_lock[i].lock()
        for i in range(self.pages):
            with atomic():
                if not self.slot_lock[i].held_by(me):
                    self.slot_lock[i].lock()


expect(WholeRange, violates={"no_torn_read"})
expect(PagesFirst, violates={"deadlock", "no_torn_read"})
