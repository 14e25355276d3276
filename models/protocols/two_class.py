"""Network filesystems: buffered and direct users exclude each other by class (R19).

NFS a5864c999de6 (2016), ceph 321fe13c9398 (2019). Whoever reads through the cache is of the buffered class, direct IO
of the other one; members of a class run together, and write(2) excludes everybody. The class of a direct write lasts
until its submission; whoever starts buffered IO drains what is in flight. A page is dropped before a direct write, and
not again after it. Faults have no part in that.
"""

from directio import DirectIO

from dio_mc import RWSem, TwoClassLock, atomic, operation
from dio_mc.kernel import Block


class TwoClasses(DirectIO, abstract=True):
    """a5864c999de6. The server allocates blocks, so the only file layout is `written`."""

    rule, since = "two_class_lock", 2016
    unsupported = ("punch_hole",)
    layouts = ("written",)
    kernel = "4.9"
    anchors = {
        "map_for_writeback": "fs/nfs/write.c:nfs_writepages",
        "end_read": "fs/nfs/read.c:nfs_read_completion @3.16-",
        "vmtruncate": "mm/truncate.c:truncate_setsize @3.16-",
    }
    i_rwsem, classes = RWSem(), TwoClassLock()

    @operation(kernel="fs/nfs/io.c:nfs_start_io_read @4.9-")
    def read_pages(self, i):
        self.i_rwsem.down_read()
        self.classes.lock_buffered()
        self.i_dio_count.wait()
        data = super().read_pages(i)
        self.classes.unlock_buffered()
        self.i_rwsem.up_read()
        return data

    @operation(kernel="fs/nfs/io.c:nfs_start_io_write @4.9-")
    def lock_inode(self):
        self.i_rwsem.down_write()
        self.i_dio_count.wait()

    @operation(kernel="fs/nfs/io.c:nfs_end_io_write @4.9-")
    def unlock_inode(self):
        self.i_rwsem.up_write()

    @operation(kernel="fs/nfs/io.c:nfs_start_io_direct @4.9-")
    def start_direct_read(self):
        self.i_rwsem.down_read()
        self.classes.lock_direct()

    @operation(kernel="fs/nfs/io.c:nfs_end_io_direct @4.9-")
    def read_submitted(self):
        self.classes.unlock_direct()
        self.i_rwsem.up_read()

    @operation(kernel="fs/nfs/io.c:nfs_start_io_direct @4.9-")
    def start_direct_write(self, i):
        self.i_rwsem.down_read()
        self.classes.lock_direct()

    @operation(kernel="fs/nfs/io.c:nfs_end_io_direct @4.9-")
    def end_direct_write(self):
        self.classes.unlock_direct()
        self.i_rwsem.up_read()

    @operation(kernel="fs/nfs/direct.c:nfs_file_direct_write")
    def prepare(self, i, value):
        self.flush(i)
        self.drop(i)
        self.inode_dio_begin()
        return Block.MAPPED if i < self.i_size else Block.BEYOND

    @operation(kernel="fs/nfs/direct.c:nfs_file_direct_write")
    def map_further(self, p):
        return Block.MAPPED if p < self.i_size else Block.BEYOND

    @operation(kernel="fs/nfs/write.c:nfs_writeback_done")
    def bio_write(self, i, value):
        """The server allocates and writes in one step."""
        with atomic():
            self.block[i] = Block.MAPPED
            super().bio_write(i, value)
