"""A write that drops its folio after writeback drops one under another writeback (R61, RWF_DONTCACHE, 6.14, 2025).

A folio written with RWF_DONTCACHE leaves the cache when its writeback ends: the writeback bit is cleared, the folio
is trylocked, and on success the folio is removed. Between the two another write can dirty it, and writeback can begin
again. Removal refuses a dirty folio, but not one under writeback: a later read goes to the disk before the data does,
and its page stays stale; the folio is freed while the device reads it. 095f627add86 tests both under the lock.
"""

from dio_mc import Array, atomic, expect, invariant, operation, reachable, thread, wait_until
from dio_mc.kernel import CoherentAtRest, Data, File, Slot


class DropsUnlessDirty(CoherentAtRest):
    """Before 095f627add86. The writeback of a first write is about to end."""

    anchors = {
        "buffered_read": "mm/filemap.c:filemap_read @6.1-",
        "add_to_page_cache": "mm/filemap.c:filemap_add_folio @5.16-",
        "read_page": "fs/iomap/buffered-io.c:iomap_read_folio @6.1-",
        "end_read": "fs/iomap/buffered-io.c:iomap_finish_folio_read @6.1-",
        "write_begin": "fs/iomap/buffered-io.c:iomap_write_begin @5.10-",
        "write_end": "fs/iomap/buffered-io.c:iomap_write_end @5.10-",
        "writepage": "fs/iomap/buffered-io.c:iomap_writepages @5.10-",
        "remove_from_page_cache": "mm/filemap.c:__filemap_remove_folio @6.1-",
    }
    slot = Array(Slot, size=File.pages, init=Slot.UPTODATE)
    page = Array(Data, size=File.pages, init=Data.OLD)
    writeback = Array(bool, size=File.pages, init=True)

    @thread
    def completion(self):
        self.end_page_writeback(0)

    @thread
    def writer(self):
        self.buffered_write(0, Data.NEW)

    @thread
    def reader(self):
        self.seen[0] = self.buffered_read(0)

    @thread(daemon=True)
    def flusher(self):
        while True:
            self.writepage(0)

    @operation(kernel="mm/page-writeback.c:folio_prepare_writeback @6.9-")
    def map_for_writeback(self, i):
        wait_until(not self.writeback[i])

    @operation(kernel="fs/iomap/buffered-io.c:iomap_submit_ioend @5.10-6.16")
    def submit_page(self, i):
        """The device reads the folio's data, whether the folio is in the cache or not."""
        self.bio_write(i, Data.NEW)

    @operation(kernel="mm/filemap.c:folio_end_writeback @6.1-")
    def end_page_writeback(self, i):
        self.writeback[i] = False
        self.folio_end_dropbehind(i)

    @operation(kernel="mm/filemap.c:folio_end_dropbehind_write @6.14-6.15")
    def folio_end_dropbehind(self, i):
        locked = self.page_lock[i].trylock()
        if locked:
            self.folio_unmap_invalidate(i)
            self.page_lock[i].unlock()

    @operation(kernel="mm/truncate.c:folio_unmap_invalidate @6.14-")
    def folio_unmap_invalidate(self, i):
        with atomic():
            if not self.dirty[i]:
                self.remove_from_page_cache(i)

    @invariant
    def written_from_the_cache(self):
        """A folio being written by the device is in the cache."""
        return all(not self.writeback[i] or self.slot[i] != Slot.ABSENT for i in range(self.pages))

    @reachable
    def leaves_no_page(self):
        """The folio may leave the cache after the new data was written."""
        return self.at_rest() and self.slot[0] == Slot.ABSENT and self.disk[0] == Data.NEW


class LooksUnderTheLock(DropsUnlessDirty):
    """The fix, 095f627add86."""

    @operation(kernel="mm/filemap.c:filemap_end_dropbehind @6.16-")
    def folio_unmap_invalidate(self, i):
        with atomic():
            if not self.dirty[i] and not self.writeback[i]:
                self.remove_from_page_cache(i)


class LooksBeforeTheLock(DropsUnlessDirty):
    """The mistake: the flags are tested before the trylock."""

    @operation(kernel="mm/filemap.c:folio_end_dropbehind @6.16-")
    def folio_end_dropbehind(self, i):
        with atomic():
            clean = not self.dirty[i] and not self.writeback[i]
        if clean:
            super().folio_end_dropbehind(i)


expect(DropsUnlessDirty, violates={"coherent_at_rest", "written_from_the_cache"})
expect(LooksUnderTheLock, holds=True, any="writer,reader")
expect(LooksBeforeTheLock, violates={"coherent_at_rest", "written_from_the_cache"})
