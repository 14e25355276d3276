"""iomap's direct IO under the locks that its filesystems have in common (iomap.py): 2017, 2018, and today.

- iomap_2017: 332391a9935d, c771c14baa33. iomap_2018: 5a9d929d6e13. iomap_today: 60263d5889e6 and `invalidate_lock`.
- copy_page_range: since v5.12 a page that is pinned for a device is copied for the child; since v6.5 direct IO pins
  (ids not verified).
"""

from iomap import FallsBack, IomapDio, Reported

from dio_mc import RWSem, operation


class Iomap2017(IomapDio, abstract=True):
    """v4.14."""

    rule, since = "iomap_2017", 2017
    i_rwsem, invalidate_lock = RWSem(), RWSem()

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

    @operation(kernel="include/linux/fs.h:inode_lock_shared @4.7-")
    def start_direct_write(self, i):
        self.i_rwsem.down_read()

    @operation(kernel="include/linux/fs.h:inode_unlock_shared @4.7-")
    def end_direct_write(self):
        self.i_rwsem.up_read()

    @operation(kernel="fs/xfs/xfs_file.c:__xfs_filemap_fault @4.19-6.12")
    def fault_begins(self):
        self.invalidate_lock.down_read()

    @operation(kernel="fs/xfs/xfs_file.c:__xfs_filemap_fault @4.19-6.12")
    def fault_ends(self):
        self.invalidate_lock.up_read()

    def faults_kept_out(self):
        return self.invalidate_lock.read_blocked()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fallocate @3.16-")
    def freeing_begins(self):
        super().freeing_begins()
        self.invalidate_lock.down_write()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fallocate @3.16-")
    def freeing_ends(self):
        self.invalidate_lock.up_write()


class Iomap2018(Iomap2017, Reported, abstract=True):
    """v4.16."""

    rule, since = "iomap_2018", 2018
    kernel = "4.19"
    anchors = {
        "collision": "fs/direct-io.c:dio_warn_stale_pagecache @4.19-4.19",
    }


class IomapToday(Iomap2018, FallsBack, abstract=True):
    """6.x."""

    rule, since = "iomap_today", 2023
    kernel = "6.12"
    anchors = {
        "fault_begins": "include/linux/fs.h:filemap_invalidate_lock_shared @5.15-",
        "fault_ends": "include/linux/fs.h:filemap_invalidate_unlock_shared @5.15-",
        "freeing_begins": "include/linux/fs.h:filemap_invalidate_lock @5.15-",
        "freeing_ends": "include/linux/fs.h:filemap_invalidate_unlock @5.15-",
        "collision": "mm/filemap.c:dio_warn_stale_pagecache @5.10-",
        "buffered_read": "mm/filemap.c:filemap_read @6.1-",
        "end_page_writeback": "mm/filemap.c:folio_end_writeback @6.1-",
        "end_read": "fs/iomap/buffered-io.c:iomap_finish_folio_read @6.1-",
        "get_block": "fs/iomap/iter.c:iomap_iter @6.1-",
        "map_for_write": "fs/iomap/iter.c:iomap_iter @6.1-",
    }

    @operation(kernel="mm/filemap.c:filemap_create_folio @5.16-")
    def buffered_read(self, i):
        self.fault_begins()
        data = super().buffered_read(i)
        self.fault_ends()
        return data

    @operation(kernel="mm/readahead.c:page_cache_ra_unbounded @5.8-")
    def force_page_cache_readahead(self, i):
        self.fault_begins()
        super().force_page_cache_readahead(i)
        self.fault_ends()

    def copy_page_range(self):
        return False
