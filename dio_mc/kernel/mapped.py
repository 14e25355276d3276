"""Mappings of a file: faults, stores through a pte, unmapping."""

from dio_mc.kernel.file import File
from dio_mc.kernel.pagecache import PageCache
from dio_mc.kernel.words import Slot
from dio_mc.lang import Array, atomic, operation, wait_until


class MappedFile(PageCache, abstract=True):
    """`pte[i]`: some process maps page i, and may write to it.

    One bit per page: neither processes nor read-only and writable ptes are distinguished. A store
    is one step, which dirties the page.
    """

    pte = Array(bool, size=File.pages)

    @operation(kernel="mm/filemap.c:filemap_fault @2.6.24-")
    def filemap_fault(self, i):
        """Bring the page in as a read does, then map it; returns the result of a load through the mapping."""
        data = self.buffered_read(i)
        self.finish_fault(i)
        return data

    @operation(kernel="mm/memory.c:finish_fault @4.19-")
    def finish_fault(self, i):
        """Set the pte under the page's lock, if the page is still there; otherwise the access faults again."""
        with atomic():
            wait_until(not self.page_lock[i].is_locked())
            self.pte[i] = self.slot[i] == Slot.UPTODATE

    @operation(kernel="mm/memory.c:do_page_mkwrite @3.16-")
    def page_mkwrite(self, i):
        """What a filesystem does before a page is dirtied through a mapping: nothing by default."""

    @operation(kernel="mm/page-writeback.c:set_page_dirty @-5.10")
    def store_through_pte(self, i, value):
        """Store if there is a pte; returns whether there was one."""
        with atomic():
            present = self.pte[i]
            if present:
                self.page_mkwrite(i)
                self.page[i], self.dirty[i] = value, True
        return present

    @operation(kernel="mm/memory.c:unmap_mapping_range")
    def unmap_mapping_range(self, i):
        """Clear the pte: no process maps the page any more."""
        self.pte[i] = False

    @operation(kernel="mm/truncate.c:invalidate_inode_pages2_range")
    def invalidate_inode_pages2_range(self, i):
        """Unmap the page under its lock, and drop it unless it is dirty. Returns whether it is gone."""
        with atomic():
            self.unmap_mapping_range(i)
            return super().invalidate_inode_pages2_range(i)

    @operation(kernel="mm/truncate.c:truncate_inode_pages_range")
    def truncate_inode_pages_range(self, i):
        """Unmap the page under its lock, and drop it, even if it is dirty."""
        with atomic():
            self.unmap_mapping_range(i)
            super().truncate_inode_pages_range(i)
