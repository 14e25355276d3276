"""XFS keeps to its own locks (R03, R11): the iolock for reads and writes, the mmaplock for faults.

Buffered reads and direct IO take the iolock shared, buffered writes exclusive: buffered reads and writes are atomic to
each other. A write fault reserves a block, and a direct read that meets the reservation fails with EIO (04197b341f23,
v4.10). Since v5.8 (a5949d3faedf) writeback allocates unwritten and converts at the end of its IO. Readahead by advice
takes the iolock as reads do (R11). Truncate and holes: both locks exclusive, direct IO drained (R23).
"""

from iomap import FallsBack

from dio_mc import RWSem, operation


class Xfs(FallsBack, abstract=True):
    """v5.9."""

    rule, since = "xfs_own_locking", 2020
    kernel = "5.10"
    anchors = {
        "buffered_read": "mm/filemap.c:generic_file_buffered_read @4.19-5.10",
    }
    iolock, mmaplock = RWSem(), RWSem()

    @operation(kernel="fs/xfs/xfs_inode.c:xfs_ilock @3.16-")
    def lock_inode(self):
        self.iolock.down_write()

    @operation(kernel="fs/xfs/xfs_inode.c:xfs_iunlock @3.16-")
    def unlock_inode(self):
        self.iolock.up_write()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_buffered_aio_read @4.9-5.10")
    def read_pages(self, i):
        self.iolock.down_read()
        data = super().read_pages(i)
        self.iolock.up_read()
        return data

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fadvise @5.10-")
    def force_page_cache_readahead(self, i):
        self.iolock.down_read()
        super().force_page_cache_readahead(i)
        self.iolock.up_read()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_aio_read @4.9-5.10")
    def start_direct_read(self):
        self.iolock.down_read()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_aio_read @4.9-5.10")
    def end_direct_read(self):
        self.iolock.up_read()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_aio_write @3.16-5.10")
    def start_direct_write(self, i):
        self.iolock.down_read()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_aio_write @3.16-5.10")
    def end_direct_write(self):
        self.iolock.up_read()

    @operation(kernel="fs/xfs/xfs_file.c:__xfs_filemap_fault @4.19-6.12")
    def fault_begins(self):
        self.mmaplock.down_read()

    @operation(kernel="fs/xfs/xfs_file.c:__xfs_filemap_fault @4.19-6.12")
    def fault_ends(self):
        self.mmaplock.up_read()

    def faults_kept_out(self):
        return self.mmaplock.read_blocked()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fallocate @3.16-")
    def freeing_begins(self):
        super().freeing_begins()
        self.mmaplock.down_write()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fallocate @3.16-")
    def freeing_ends(self):
        self.mmaplock.up_write()
