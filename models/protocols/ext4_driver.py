"""The ext4 driver of today (6.1.192, 6.12.117, 7.3.4), for all its formats and mount options:
ext4_today.py.

- A direct write has i_rwsem shared if it overwrites, else exclusive; whether it does is asked
  before the flush. One past the end is synchronous, and exclusive to its end. What cannot be direct
  goes through the cache, without the lock of the direct attempt, is flushed, and its clean page
  dropped.
- write(2) drains direct IO (since 6.1.188 and 6.12.110).

Not modelled: journal=data, unaligned IO, a shortage of space, which turns delayed allocation off.
"""

from iomap_6 import Iomap6

from dio_mc import atomic, operation
from dio_mc.kernel import Block


class Ext4Driver(Iomap6, abstract=True):
    """fs/ext4/file.c: locks, short writes, and writes that fall back to the cache."""

    anchors = {
        "start_direct_read": "fs/ext4/file.c:ext4_dio_read_iter @5.10-",
        "end_direct_read": "fs/ext4/file.c:ext4_dio_read_iter @5.10-",
        "end_direct_write": "fs/ext4/file.c:ext4_dio_write_iter @5.5-",
        "buffered_write": "fs/ext4/file.c:ext4_buffered_write_iter @5.10-",
        "get_block": "fs/ext4/inode.c:ext4_map_blocks @3.16-",
        "store_through_pte": "fs/ext4/inode.c:ext4_page_mkwrite @2.6.27-",
        "read_page": "fs/ext4/readpage.c:ext4_mpage_readpages @4.9-",
        "end_read": "fs/ext4/readpage.c:mpage_end_io @4.9-",
        "writepage": "fs/ext4/inode.c:mpage_prepare_extent_to_map @3.16-",
        "do_truncate": "fs/ext4/inode.c:ext4_setattr @2.6.24-",
        "convert_unwritten": "fs/ext4/extents.c:ext4_convert_unwritten_extents @3.16-",
        "dio_complete": "fs/ext4/file.c:ext4_dio_write_end_io @5.10-",
    }

    @operation(kernel="fs/ext4/file.c:ext4_buffered_write_iter @5.10-")
    def write_checks(self, i):
        self.i_dio_count.wait()

    @operation(kernel="fs/ext4/file.c:ext4_dio_write_checks @5.10-")
    def start_direct_write(self, i):
        exclusive = self.pages > self.i_size
        if not exclusive:
            self.i_rwsem.down_read()
            exclusive = not all(p < i or self.shared_will_do(self.block[p]) for p in range(self.pages))
            if exclusive:
                self.i_rwsem.up_read()
        if exclusive:
            self.i_rwsem.down_write()

    def shared_will_do(self, block):
        """Whether a shared lock is enough (ext4_overwrite_io)."""
        return block == Block.MAPPED

    @operation(kernel="fs/ext4/inode.c:ext4_iomap_alloc @5.5-")
    def allocate(self, i):
        """Allocate: unwritten inside the file, also over a reservation; written past its end, where nobody reads."""
        with atomic():
            if i >= self.i_size:
                self.block[i] = Block.MAPPED
            elif self.block[i] != Block.MAPPED:
                self.block[i] = Block.UNWRITTEN
            return self.block[i] if i < self.i_size else Block.BEYOND

    def force_wait(self, block):
        return block == Block.BEYOND

    @operation(kernel="fs/ext4/file.c:ext4_dio_write_iter @5.5-")
    def fall_back(self, i, value):
        self.buffered_write(i, value)
        self.flush(i)
        self.drop_clean(i)
