"""A store between the dirty test and the unmapping of a page is lost (R16, generic code and NFS).

invalidate_inode_pages2 locked a page, tested that it was clean, then unmapped it and removed it from the
cache. The page lock does not stop stores: through a pte that still exists a program dirties the page after
the test. NFS wrote such pages out in `releasepage`, which deadlocked in reclaim. e3db7691e9f3 (10 Jan 2007):
unmap first, then, if the page is dirty, `launder_page` writes it with the page lock held, then remove it.
"""

from dio_mc import Array, Kernel, atomic, expect, invariant, operation, thread
from dio_mc.kernel import Data, File, MappedFile, Slot


class TestsFirst(MappedFile):
    """Before e3db7691e9f3. The page is in the cache, clean, and mapped writable."""

    slot = Array(Slot, size=File.pages, init=Slot.UPTODATE)
    page = Array(Data, size=File.pages, init=Data.OLD)
    pte = Array(bool, size=File.pages, init=True)
    stored = Array(bool, size=File.pages)

    @thread
    def invalidator(self):
        for i in range(self.pages):
            self.page_lock[i].lock()
            self.invalidate_page(i)
            self.page_lock[i].unlock()

    @operation(kernel="mm/truncate.c:invalidate_complete_page2 @2.6.24-5.10")
    def invalidate_page(self, i):
        dirty = self.dirty[i]
        if not dirty:
            self.unmap_mapping_range(i)
            self.remove(i)

    @operation(kernel="mm/filemap.c:remove_from_page_cache @-2.6.27")
    def remove(self, i):
        with atomic():
            self.dirty[i] = False
            self.remove_from_page_cache(i)

    @thread
    def mapper(self):
        for i in range(self.pages):
            self.store_through_pte(i, Data.NEW)

    @operation(kernel="mm/page-writeback.c:set_page_dirty @-5.10")
    def store_through_pte(self, i, value):
        """Without a pte the store faults, and goes into a page that is read later."""
        with atomic():
            self.stored[i] = self.pte[i]
            super().store_through_pte(i, value)

    @invariant
    def no_lost_write(self):
        return all(
            not self.stored[i] or self.page[i] == Data.NEW or self.disk[i] == Data.NEW for i in range(self.pages)
        )


class Launders(TestsFirst):
    """The fix, e3db7691e9f3."""

    @operation(kernel="mm/truncate.c:invalidate_inode_pages2_range")
    def invalidate_page(self, i):
        self.unmap_mapping_range(i)
        self.launder_page(i)
        self.remove(i)

    @operation(kernel="mm/truncate.c:do_launder_page @2.6.24-5.10")
    def launder_page(self, i):
        dirty = self.dirty[i]
        if dirty:
            self.submit_page(i)
            self.dirty[i] = False


class LaundersMapped(Launders):
    """The mistake: the page is written while it is still mapped and stores are possible."""

    @operation(kernel="mm/truncate.c:invalidate_inode_pages2_range")
    def invalidate_page(self, i):
        self.launder_page(i)
        self.unmap_mapping_range(i)
        self.remove(i)


expect(
    TestsFirst,
    violates={"no_lost_write"},
    kernel=Kernel(
        "ext4",
        layout="written",
        threads={"invalidator": "pwrite_direct_rest:NEWER", "mapper": "mmap_load,mmap_store:NEW"},
        gates={"invalidator.remove": "unmap_mapping_range"},
        shows={"no_lost_write": {"mapper": "new", "file": "old"}},
        mended=("5.10", "6.12"),
    ),
)
expect(Launders, holds=True, any="all")
expect(LaundersMapped, violates={"no_lost_write"})
