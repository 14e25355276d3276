"""ext4 and the ext3 format in the ext4 driver, as 6.12.117 has them (ext4_driver.py); ext4_6_1,
ext4_7: what differs.

- By default a fault or write(2) reserves a block; writeback allocates unwritten and converts before
  its IO ends; a direct write allocates unwritten too, over a reservation as over a hole. A read
  that meets a reservation is refused with EIO.
- `-o nodelalloc`, and the ext3 format (`mount -t ext3`), allocate *written* blocks when a page is
  dirtied, with what was there: a direct read that flushed before returns it (R01, seen on 5.10 to
  7.3). The ext3 format has no unwritten extents, so that a direct write never fills a hole: it is
  ENOTBLK, and goes through the cache.
- 6.1: a reservation reads as zeros (ext4_set_iomap knows no delayed blocks); a write to an
  unwritten extent has i_rwsem exclusive; the page is flushed before a hole is punched; direct IO
  does not pin its buffers yet (v6.3).
- 7.3: an aligned write that does not extend the file has i_rwsem shared, whatever is there
  (07961ebb09c9).
"""

from ext4_driver import Ext4Driver
from faultlock import AllocatesUnwritten

from dio_mc import operation
from dio_mc.kernel import Block


class AllocatesWritten(Ext4Driver, abstract=True):
    """Without delayed allocation: a written block is allocated when a page is dirtied."""

    @operation(kernel="fs/ext4/inode.c:ext4_get_block @2.6.24-")
    def reserve(self, i):
        self.block[i] = Block.MAPPED

    @operation(kernel="fs/ext4/inode.c:ext4_write_begin @2.6.24-")
    def write_begin(self, i):
        super().write_begin(i)
        self.reserve(i)

    @operation(kernel="fs/ext4/inode.c:mpage_submit_folio @6.12-")
    def map_for_writeback(self, i):
        """Nothing to map: all blocks of a dirty page exist."""


class Ext3InExt4(AllocatesWritten, abstract=True):
    """`mount -t ext3`: indirect blocks. fallocate punches holes, but cannot preallocate."""

    rule, since = "ext3_in_ext4", 2026
    layouts = ("hole", "written")
    kernel = "6.12"

    @operation(kernel="fs/ext4/inode.c:ext4_iomap_alloc @5.5-")
    def map_for_write(self, i):
        return super().map_for_write(i)


class Ext4NoDelalloc(AllocatesWritten, abstract=True):
    """`-o nodelalloc`, with which dioread_nolock has no effect (ext4_should_dioread_nolock)."""

    rule, since = "ext4_nodelalloc", 2026
    kernel = "6.12"

    @operation(kernel="fs/ext4/inode.c:ext4_iomap_alloc @5.5-")
    def map_for_write(self, i):
        return self.allocate(i)


class Ext4Today(Ext4Driver, AllocatesUnwritten, abstract=True):
    """By default: extents, delalloc, dioread_nolock, data=ordered."""

    rule, since = "ext4_today", 2026
    kernel = "6.12"
    anchors = {
        "reserve": "fs/ext4/inode.c:ext4_da_get_block_prep @2.6.27-",
        "write_begin": "fs/ext4/inode.c:ext4_da_write_begin @2.6.27-",
        "map_for_writeback": "fs/ext4/inode.c:mpage_map_one_extent @3.16-",
        "end_page_writeback": "fs/ext4/page-io.c:ext4_end_io_end @5.10-",
    }

    @operation(kernel="fs/ext4/inode.c:ext4_iomap_alloc @5.5-")
    def map_for_write(self, i):
        return self.allocate(i)

    def shared_will_do(self, block):
        return block in (Block.UNWRITTEN, Block.MAPPED)


class Ext4Of61(Ext4Today, abstract=True):
    """6.1.192."""

    rule, since = "ext4_6_1", 2022
    kernel = "6.1"

    @operation(kernel="fs/ext4/inode.c:ext4_map_blocks @3.16-")
    def get_block(self, i):
        block = super().get_block(i)
        return Block.HOLE if block == Block.DELALLOC else block

    def shared_will_do(self, block):
        return block == Block.MAPPED

    @operation(kernel="fs/ext4/inode.c:ext4_punch_hole @3.16-")
    def fallocate_punch_hole(self, i):
        self.flush(i)
        super().fallocate_punch_hole(i)

    def copy_page_range(self):
        return True


class Ext4Of7(Ext4Today, abstract=True):
    """7.3.4."""

    rule, since = "ext4_7", 2026
    kernel = "7.3"

    def shared_will_do(self, block):
        return True
