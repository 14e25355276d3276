"""ext4 in 2016: parallel direct reads (R02).

16c54688592c (v4.7): direct reads take the inode lock shared; direct writes that may allocate take it exclusive, and
convert unwritten extents behind their IO. Writeback still maps blocks before the data is there. Punching a hole has
`i_mmap_sem` against faults (ea3d7209ca01, v4.5, R10), not against reads and readahead.
"""

from syscalls import SystemCalls

from dio_mc import RWSem, atomic, operation, wait_until
from dio_mc.kernel import Block, Data, Slot


class Ext4Of2016(SystemCalls, abstract=True):
    """v4.7."""

    rule, since = "ext4_2016", 2016
    i_rwsem, i_mmap_sem = RWSem(), RWSem()

    @operation(kernel="fs/ext4/inode.c:ext4_direct_IO_read")
    def direct_read(self, i):
        self.i_rwsem.down_read()
        self.filemap_write_and_wait_range(i)
        block = self.get_block(i)
        data = Data.EIO
        if block != Block.DELALLOC:
            data = self.bio_read(i, block)
        self.i_rwsem.up_read()
        return data

    @operation(kernel="fs/ext4/file.c:ext4_file_write_iter")
    def buffered_write(self, i, value):
        self.i_rwsem.down_write()
        super().buffered_write(i, value)
        self.i_rwsem.up_write()

    @operation(kernel="fs/ext4/inode.c:ext4_direct_IO_write")
    def direct_write(self, i, value):
        self.i_rwsem.down_write()
        self.filemap_write_and_wait_range(i)
        gone = self.invalidate_inode_pages2_range(i)
        result = value
        if gone:
            result = self.allocate_and_write(i, value)
            self.invalidate_inode_pages2_range(i)
        else:
            super().buffered_write(i, value)
            self.filemap_write_and_wait_range(i)
        self.i_rwsem.up_write()
        return result

    @operation(kernel="fs/ext4/inode.c:ext4_get_block_unwritten")
    def allocate_and_write(self, i, value):
        with atomic():
            if self.block[i] == Block.HOLE:
                self.block[i] = Block.UNWRITTEN
            block = self.block[i]
        if block == Block.DELALLOC:
            return Data.EIO
        self.write_blocks(i, block, value)
        return value

    @operation(kernel="fs/ext4/inode.c:ext4_filemap_fault")
    def filemap_fault(self, i):
        self.i_mmap_sem.down_read()
        data = super().filemap_fault(i)
        self.i_mmap_sem.up_read()
        return data

    @operation(kernel="fs/ext4/inode.c:ext4_page_mkwrite")
    def store_through_pte(self, i, value):
        """Under the page's lock and `i_mmap_sem`."""
        with atomic():
            wait_until(not self.page_lock[i].is_locked() and not self.i_mmap_sem.read_blocked())
            present = self.slot[i] == Slot.UPTODATE
            if present:
                self.reserve(i)
                self.page[i], self.dirty[i] = value, True
        return present

    @operation(kernel="fs/ext4/inode.c:ext4_da_get_block_prep")
    def reserve(self, i):
        """Delayed allocation is invisible here: writeback allocates under the page's lock."""

    @operation(kernel="fs/ext4/inode.c:ext4_punch_hole")
    def fallocate_punch_hole(self, i):
        self.i_rwsem.down_write()
        self.i_mmap_sem.down_write()
        self.truncate_inode_pages_range(i)
        self.free_blocks(i)
        self.i_mmap_sem.up_write()
        self.i_rwsem.up_write()
