"""XFS of today, read in 6.1.192 and 6.12.117: iolock (i_rwsem), mmaplock (mapping->invalidate_lock),
ILOCK round the map.

- Reads of both kinds and aligned direct writes, appending ones too, have the iolock shared;
  write(2) has it exclusive, and drains nothing. Readahead by advice takes it as reads do.
- Write faults and write(2) reserve a block; write(2) does before it has the folio. A direct *write*
  converts hole and reservation into an unwritten extent; a direct *read* that meets a reservation
  is refused with EIO.
- Writeback allocates unwritten, and converts before its IO ends, in one transaction with the size.
- A hole: iolock, mmaplock, drain; flush; drop; free. Truncate the same without the flush.
- A write that cannot be direct goes through the cache, is not flushed, and its page stays.

Not modelled: large folios (a store to another page of the folio can cause the collision), copy on
write, unaligned IO.
"""

from faultlock import AllocatesUnwritten
from iomap_6 import Iomap6

from dio_mc import atomic, operation
from dio_mc.kernel import Block


class XfsToday(Iomap6, AllocatesUnwritten, abstract=True):
    """6.12.117."""

    rule, since = "xfs_today", 2025
    kernel = "6.12"
    anchors = {
        "start_direct_read": "fs/xfs/xfs_file.c:xfs_file_dio_read @6.1-",
        "end_direct_read": "fs/xfs/xfs_file.c:xfs_file_dio_read @6.1-",
        "end_direct_write": "fs/xfs/xfs_file.c:xfs_file_dio_write_aligned @6.1-",
        "get_block": "fs/xfs/xfs_iomap.c:xfs_read_iomap_begin @5.10-",
        "buffered_write": "fs/xfs/xfs_file.c:xfs_file_buffered_write @6.1-",
        "write_checks": "fs/xfs/xfs_file.c:xfs_file_write_checks @6.1-",
        "reserve": "fs/xfs/xfs_iomap.c:xfs_buffered_write_iomap_begin @5.10-",
        "store_through_pte": "fs/iomap/buffered-io.c:iomap_page_mkwrite @5.3-",
        "read_page": "fs/iomap/buffered-io.c:iomap_read_folio @6.1-",
        "writepage": "fs/xfs/xfs_aops.c:xfs_vm_writepages @3.16-",
        "map_for_writeback": "fs/xfs/xfs_aops.c:xfs_map_blocks @3.16-",
        "end_page_writeback": "fs/xfs/xfs_aops.c:xfs_end_ioend @5.10-6.12",
        "convert_unwritten": "fs/xfs/xfs_iomap.c:xfs_iomap_write_unwritten",
        "do_truncate": "fs/xfs/xfs_iops.c:xfs_setattr_size @3.16-6.12",
        "free_blocks": "fs/xfs/xfs_bmap_util.c:xfs_unmap_extent @4.9-",
        "dio_complete": "fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-",
    }

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_buffered_read @6.1-")
    def read_pages(self, i):
        self.i_rwsem.down_read()
        data = super().read_pages(i)
        self.i_rwsem.up_read()
        return data

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fadvise @5.10-")
    def force_page_cache_readahead(self, i):
        self.i_rwsem.down_read()
        super().force_page_cache_readahead(i)
        self.i_rwsem.up_read()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_write_aligned @6.1-")
    def start_direct_write(self, i):
        self.i_rwsem.down_read()

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_direct_write_iomap_begin @5.10-")
    def map_for_write(self, i):
        with atomic():
            if self.block[i] in (Block.HOLE, Block.DELALLOC):
                self.block[i] = Block.UNWRITTEN
            return self.block[i] if i < self.i_size else Block.BEYOND

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_write_iter @3.16-")
    def fall_back(self, i, value):
        self.buffered_write(i, value)

    @operation(kernel="fs/iomap/buffered-io.c:iomap_write_begin @5.3-")
    def write_begin(self, i):
        self.reserve(i)
        super().write_begin(i)

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fallocate @3.16-")
    def freeing_begins(self):
        self.invalidate_lock.down_write()
        self.i_dio_count.wait()

    @operation(kernel="fs/xfs/xfs_bmap_util.c:xfs_free_file_space @3.16-")
    def fallocate_punch_hole(self, i):
        self.lock_inode()
        self.freeing_begins()
        self.flush(i)
        self.truncate_pages(i)
        self.free_range(i)
        self.freeing_ends()
        self.unlock_inode()
