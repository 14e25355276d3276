"""ext4 since 2020: unwritten extents for writeback; since 2021 `invalidate_lock` (R02, R03, R11).

- 244adf6426ee (v5.6, 2020): writeback allocates unwritten and converts at the end of its IO. Direct IO goes by iomap. A
  write fault has reserved a block, and a direct read that meets the reservation fails with EIO.
- `invalidate_lock` (v5.15, 2021, commit id not verified): whoever brings pages into the cache takes it shared, not
  faults alone.
"""

from ext4_2016 import Ext4Of2016

from dio_mc import atomic, operation
from dio_mc.kernel import Block


class Ext4Of2020(Ext4Of2016, abstract=True):
    """v5.6."""

    rule, since = "ext4_2020", 2020

    @operation(kernel="fs/ext4/inode.c:ext4_da_get_block_prep")
    def reserve(self, i):
        with atomic():
            if self.block[i] == Block.HOLE:
                self.block[i] = Block.DELALLOC

    @operation(kernel="fs/ext4/inode.c:ext4_da_write_begin")
    def write_begin(self, i):
        super().write_begin(i)
        self.reserve(i)

    @operation(kernel="fs/ext4/inode.c:mpage_map_one_extent")
    def map_for_writeback(self, i):
        with atomic():
            if self.block[i] != Block.MAPPED:
                self.block[i] = Block.UNWRITTEN

    @operation(kernel="fs/ext4/page-io.c:ext4_end_io_end")
    def end_page_writeback(self, i):
        self.convert_unwritten(i)
        super().end_page_writeback(i)


class InvalidateLock(Ext4Of2020, abstract=True):
    """v5.15: `i_mmap_sem` is `mapping->invalidate_lock` now. A page that is found needs no lock in the kernel."""

    rule, since = "invalidate_lock", 2021

    @operation(kernel="mm/filemap.c:filemap_create_folio")
    def buffered_read(self, i):
        self.i_mmap_sem.down_read()
        data = super().buffered_read(i)
        self.i_mmap_sem.up_read()
        return data

    @operation(kernel="mm/readahead.c:page_cache_ra_unbounded")
    def force_page_cache_readahead(self, i):
        self.i_mmap_sem.down_read()
        super().force_page_cache_readahead(i)
        self.i_mmap_sem.up_read()
