"""Pages come into the cache under `invalidate_lock`, and whoever frees blocks has it exclusive (v5.15,
7506ae6a7033).

Read in 6.1.192, 6.12.117 and 7.3.4. A folio that is found uptodate needs no lock. Another one is
inserted and read under `invalidate_lock` shared: readahead has it until the read is submitted,
filemap_create_folio until it has ended. Nobody can tell the two apart, since whoever drops the
folio waits for its lock. page_mkwrite always takes it.

`i_rwsem` is the other lock that ext4 and XFS have in common: direct reads take it shared until they
are submitted.
"""

from faultlock import FaultLock

from dio_mc import RWSem, atomic, operation, wait_until
from dio_mc.kernel import Slot


class PageIn(FaultLock, abstract=True):
    """The parts of 5.15 and later that do not depend on the filesystem, and the locks of direct reads."""

    i_rwsem, invalidate_lock = RWSem(), RWSem()
    anchors = {
        "inode_dio_begin": "include/linux/fs.h:inode_dio_begin @4.9-",
        "inode_dio_end": "include/linux/fs.h:inode_dio_end @4.9-",
        "get_block": "fs/iomap/iter.c:iomap_iter @6.1-",
        "add_to_page_cache": "mm/filemap.c:filemap_add_folio @6.1-",
        "remove_from_page_cache": "mm/filemap.c:__filemap_remove_folio @6.1-",
        "write_end": "mm/page-writeback.c:folio_mark_dirty @6.1-",
        "end_page_writeback": "mm/filemap.c:folio_end_writeback @6.1-",
        "submit_page": "block/blk-core.c:submit_bio @2.6.27-",
        "vmtruncate": "mm/truncate.c:truncate_setsize @3.16-",
        "fallocate_punch_hole": "fs/open.c:vfs_fallocate @4.9-",
        "buffered_write": "mm/filemap.c:generic_perform_write @2.6.24-",
        "buffered_read": "mm/filemap.c:filemap_read @6.1-",
        "read_page": "mm/filemap.c:filemap_read_folio @6.1-",
        "end_read": "fs/iomap/buffered-io.c:iomap_finish_folio_read @6.1-",
    }

    @operation(kernel="mm/filemap.c:filemap_get_pages @6.1-")
    def page_in(self, i):
        with atomic():
            wait_until(self.slot[i] != Slot.FILLING)
            found = self.slot[i] == Slot.UPTODATE
            data = self.copy_to_user(i)
        if not found:
            self.invalidate_lock.down_read()
            data = self.fill(i)
            self.invalidate_lock.up_read()
        return data

    @operation(kernel="mm/filemap.c:filemap_create_folio @5.16-")
    def fill(self, i):
        return super().buffered_read(i)

    @operation(kernel="mm/filemap.c:filemap_read @6.1-")
    def buffered_read(self, i):
        return self.page_in(i)

    @operation(kernel="mm/filemap.c:filemap_fault @2.6.24-")
    def filemap_fault(self, i):
        return self.page_in(i)

    @operation(kernel="mm/readahead.c:force_page_cache_ra @5.10-")
    def force_page_cache_readahead(self, i):
        self.page_in(i)

    def faults_kept_out(self):
        return self.invalidate_lock.read_blocked()

    @operation(kernel="include/linux/fs.h:inode_lock @4.7-")
    def lock_inode(self):
        self.i_rwsem.down_write()

    @operation(kernel="include/linux/fs.h:inode_unlock @4.7-")
    def unlock_inode(self):
        self.i_rwsem.up_write()

    @operation(kernel="include/linux/fs.h:inode_lock_shared @4.7-")
    def start_direct_read(self):
        self.i_rwsem.down_read()

    @operation(kernel="include/linux/fs.h:inode_unlock_shared @4.7-")
    def end_direct_read(self):
        self.i_rwsem.up_read()

    @operation(kernel="include/linux/fs.h:filemap_invalidate_lock @5.15-")
    def freeing_begins(self):
        super().freeing_begins()
        self.invalidate_lock.down_write()

    @operation(kernel="include/linux/fs.h:filemap_invalidate_unlock @5.15-")
    def freeing_ends(self):
        self.invalidate_lock.up_write()

    def copy_page_range(self):
        """False: direct IO pins its buffers (v6.3), and a pinned page is copied for the child (v5.12)."""
        return False
