"""ext4 in 2016: parallel direct reads (R02).

16c54688592c (v4.7): direct reads take the inode lock shared; direct writes that may allocate take it exclusive, and
convert unwritten extents after their IO; the submitter drops cached pages again. Writeback still maps blocks before
the data is there. Punching a hole has `i_mmap_sem` against faults (ea3d7209ca01, v4.5, R10), not against reads and
readahead.
"""

from faultlock import FaultLock

from dio_mc import RWSem, atomic, operation
from dio_mc.kernel import Block


class Ext4Of2016(FaultLock, abstract=True):
    """v4.7."""

    rule, since = "ext4_2016", 2016
    kernel = "4.9"
    anchors = {
        "map_for_writeback": "fs/ext4/inode.c:mpage_map_one_extent @3.16-",
        "end_read": "fs/ext4/readpage.c:mpage_end_io @4.9-",
        "vmtruncate": "mm/truncate.c:truncate_setsize @3.16-",
    }
    i_rwsem, i_mmap_sem = RWSem(), RWSem()

    @operation(kernel="fs/ext4/file.c:ext4_file_write_iter @3.16-")
    def lock_inode(self):
        self.i_rwsem.down_write()

    @operation(kernel="fs/ext4/file.c:ext4_file_write_iter @3.16-")
    def unlock_inode(self):
        self.i_rwsem.up_write()

    @operation(kernel="fs/ext4/inode.c:ext4_direct_IO_read @4.7-5.4")
    def start_direct_read(self):
        self.i_rwsem.down_read()

    @operation(kernel="fs/ext4/inode.c:ext4_direct_IO_read @4.7-5.4")
    def end_direct_read(self):
        self.i_rwsem.up_read()

    @operation(kernel="fs/ext4/inode.c:ext4_dio_get_block_unwritten_async @4.9-4.19")
    def map_for_write(self, i):
        with atomic():
            if self.block[i] in (Block.HOLE, Block.DELALLOC):
                self.block[i] = Block.UNWRITTEN
            return self.block[i] if i < self.i_size else Block.BEYOND

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def submitted(self, i, value):
        self.drop(i)
        return value

    @operation(kernel="fs/ext4/inode.c:ext4_filemap_fault @4.9-5.10")
    def fault_begins(self):
        self.i_mmap_sem.down_read()

    @operation(kernel="fs/ext4/inode.c:ext4_filemap_fault @4.9-5.10")
    def fault_ends(self):
        self.i_mmap_sem.up_read()

    def faults_kept_out(self):
        return self.i_mmap_sem.read_blocked()

    @operation(kernel="fs/ext4/inode.c:ext4_punch_hole @3.16-")
    def freeing_begins(self):
        super().freeing_begins()
        self.i_mmap_sem.down_write()

    @operation(kernel="fs/ext4/inode.c:ext4_punch_hole @3.16-")
    def freeing_ends(self):
        self.i_mmap_sem.up_write()
