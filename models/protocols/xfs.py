"""XFS keeps to its own locks (R03): the iolock for all reads and writes, the mmaplock for faults.

Buffered reads and direct IO take the iolock (`i_rwsem`) shared, buffered writes exclusive. A write fault reserves a
block, and direct IO that meets the reservation fails with EIO (04197b341f23, v4.10). Since v5.8 (a5949d3faedf)
writeback allocates unwritten and converts at the end of its IO. Readahead takes the iolock as reads do (R11).
"""

from ext4_2020 import Ext4Of2020

from dio_mc import operation


class Xfs(Ext4Of2020, abstract=True):
    """v5.8."""

    rule, since = "xfs_own_locking", 2020

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_buffered_read")
    def buffered_read(self, i):
        self.i_rwsem.down_read()
        data = super().buffered_read(i)
        self.i_rwsem.up_read()
        return data

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fadvise")
    def force_page_cache_readahead(self, i):
        self.i_rwsem.down_read()
        super().force_page_cache_readahead(i)
        self.i_rwsem.up_read()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_write_aligned")
    def direct_write(self, i, value):
        self.i_rwsem.down_read()
        self.filemap_write_and_wait_range(i)
        gone = self.invalidate_inode_pages2_range(i)
        result = value
        if gone:
            result = self.allocate_and_write(i, value)
            self.invalidate_inode_pages2_range(i)
        self.i_rwsem.up_read()
        if not gone:
            self.buffered_write(i, value)
            self.filemap_write_and_wait_range(i)
        return result
