"""ext4 since 2020: unwritten extents for writeback, direct IO by iomap; since 2021 `invalidate_lock` (R02, R03, R11).

- 244adf6426ee (v5.6, 2020): writeback allocates unwritten and converts at the end of its IO. A write fault has reserved
  a block, and a direct read that meets the reservation fails with EIO. A direct write that overwrites has the inode
  lock shared, any other one exclusive. A page that cannot be dropped: see iomap.py, 60263d5889e6 (v5.9).
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

    @operation(kernel="fs/ext4/file.c:ext4_dio_write_checks")
    def start_direct_write(self, i):
        self.i_rwsem.down_read()
        with atomic():
            overwrite = self.block[i] in (Block.UNWRITTEN, Block.MAPPED) and i < self.i_size
        if not overwrite:
            self.i_rwsem.up_read()
            self.i_rwsem.down_write()

    @operation(kernel="fs/ext4/file.c:ext4_dio_write_iter")
    def end_direct_write(self):
        with atomic():
            if self.i_rwsem.writer == me:
                self.i_rwsem.up_write()
            else:
                self.i_rwsem.up_read()

    @operation(kernel="fs/ext4/file.c:ext4_dio_write_iter")
    def submitted(self, i, value):
        return value


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
