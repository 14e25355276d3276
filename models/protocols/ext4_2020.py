"""ext4 since 2020: unwritten extents for writeback, direct IO by iomap; since 2021 `invalidate_lock` (R02, R03, R11).

- 244adf6426ee (v5.6, 2020): writeback allocates unwritten and converts at the end of its IO. A write fault has reserved
  a block, which a direct read takes for a hole: zeros (ext4_set_iomap in 5.10 and 6.1; ext4_today.py has what came
  later). A direct write that overwrites written blocks has the inode lock shared, any other one exclusive; past the
  end it is synchronous. A page that cannot be dropped: see iomap.py, 60263d5889e6 (v5.9).
- `invalidate_lock` (v5.15, 2021, commit id not verified): whoever brings pages into the cache takes it shared, not
  faults alone.
"""

from ext4_2016 import Ext4Of2016
from iomap import FallsBack

from dio_mc import atomic, me, operation
from dio_mc.kernel import Block


class Ext4Of2020(Ext4Of2016, FallsBack, abstract=True):
    """v5.9."""

    rule, since = "ext4_2020", 2020
    kernel = "5.10"
    anchors = {
        "start_direct_read": "fs/ext4/file.c:ext4_dio_read_iter @5.10-",
        "get_block": "fs/ext4/inode.c:ext4_map_blocks @3.16-",
        "end_direct_read": "fs/ext4/file.c:ext4_dio_read_iter @5.10-",
        "map_for_write": "fs/ext4/inode.c:ext4_iomap_alloc @5.10-",
        "buffered_read": "mm/filemap.c:generic_file_buffered_read @4.19-5.10",
        "reserve": "fs/ext4/inode.c:ext4_da_get_block_prep @2.6.27-",
        "write_begin": "fs/ext4/inode.c:ext4_da_write_begin @2.6.27-",
        "map_for_writeback": "fs/ext4/inode.c:mpage_map_one_extent @3.16-",
        "end_page_writeback": "fs/ext4/page-io.c:ext4_end_io_end @5.10-",
        "store_through_pte": "fs/ext4/inode.c:ext4_page_mkwrite @2.6.27-",
        "convert_unwritten": "fs/ext4/extents.c:ext4_convert_unwritten_extents @3.16-",
        "fall_back": "fs/ext4/file.c:ext4_dio_write_iter @5.10-",
    }

    @operation(kernel="fs/ext4/file.c:ext4_dio_write_checks @5.10-")
    def start_direct_write(self, i):
        self.i_rwsem.down_read()
        with atomic():
            overwrite = self.all_written(i) and self.pages <= self.i_size
        if not overwrite:
            self.i_rwsem.up_read()
            self.i_rwsem.down_write()

    def all_written(self, i):
        return all(p < i or self.block[p] == Block.MAPPED for p in range(self.pages))

    @operation(kernel="fs/ext4/file.c:ext4_dio_write_iter @5.5-")
    def end_direct_write(self):
        with atomic():
            if self.i_rwsem.writer == me:
                self.i_rwsem.up_write()
            else:
                self.i_rwsem.up_read()

    @operation(kernel="fs/ext4/inode.c:ext4_map_blocks @3.16-")
    def get_block(self, i):
        block = super().get_block(i)
        return Block.HOLE if block == Block.DELALLOC else block

    def force_wait(self, block):
        return block == Block.BEYOND

    @operation(kernel="fs/ext4/file.c:ext4_dio_write_iter @5.5-")
    def submitted(self, i, value):
        return value


class InvalidateLock(Ext4Of2020, abstract=True):
    """v5.15: `i_mmap_sem` is `mapping->invalidate_lock` now. A page that is found needs no lock in the kernel."""

    rule, since = "invalidate_lock", 2021
    kernel = "6.1"
    anchors = {
        "fault_begins": "include/linux/fs.h:filemap_invalidate_lock_shared @6.1-",
        "fault_ends": "include/linux/fs.h:filemap_invalidate_unlock_shared @6.1-",
        "buffered_read": "mm/filemap.c:filemap_read @6.1-",
    }

    @operation(kernel="mm/filemap.c:filemap_create_folio @5.16-")
    def buffered_read(self, i):
        self.i_mmap_sem.down_read()
        data = super().buffered_read(i)
        self.i_mmap_sem.up_read()
        return data

    @operation(kernel="mm/readahead.c:page_cache_ra_unbounded @5.8-")
    def force_page_cache_readahead(self, i):
        self.i_mmap_sem.down_read()
        super().force_page_cache_readahead(i)
        self.i_mmap_sem.up_read()
