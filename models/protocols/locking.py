"""The points at which a filesystem takes and releases locks, and how blocks are freed; a rule fills them in.

The points are empty except for the count of direct IO in flight. `lock_inode` excludes writers and paths that free
blocks. The locks of direct IO last from `start_direct_read` to `end_direct_read`, and from `start_direct_write` to
`end_direct_write`, without the transfer of an asynchronous write. By default a direct write takes `lock_inode`.
"""

from syscalls import SystemCalls

from dio_mc import DrainCounter, operation


class Locking(SystemCalls, abstract=True):
    """No locks."""

    i_dio_count = DrainCounter(max=4)

    @operation(kernel="mm/filemap.c:generic_file_aio_write @-2.6.27")
    def buffered_write(self, i, value):
        self.lock_inode()
        self.write_checks(i)
        self.write_pages(i, value)
        self.unlock_inode()

    @operation(kernel="mm/filemap.c:generic_file_aio_write @-2.6.27")
    def write_checks(self, i):
        """What write(2) does under the lock before it writes."""

    @operation(kernel="mm/filemap.c:generic_file_buffered_write @-2.6.27")
    def write_through_cache(self, i, value):
        """Write through the cache; the caller holds the inode lock."""
        self.write_pages(i, value)
        self.flush(i)

    @operation(kernel="fs/attr.c:notify_change")
    def do_truncate(self):
        self.lock_inode()
        self.freeing_begins()
        self.vmtruncate()
        self.freeing_ends()
        self.unlock_inode()

    @operation(kernel="fs/open.c:do_fallocate @3.16-3.16")
    def fallocate_punch_hole(self, i):
        self.lock_inode()
        self.freeing_begins()
        self.truncate_pages(i)
        self.free_range(i)
        self.freeing_ends()
        self.unlock_inode()

    @operation(kernel="include/linux/fs.h:inode_lock @4.7-")
    def lock_inode(self):
        """Take the inode lock, exclusive."""

    @operation(kernel="include/linux/fs.h:inode_unlock @4.7-")
    def unlock_inode(self):
        """Release the inode lock."""

    @operation(kernel="fs/inode.c:inode_dio_wait @3.16-")
    def freeing_begins(self):
        self.i_dio_count.wait()

    @operation(kernel="include/linux/fs.h:inode_unlock @4.7-")
    def freeing_ends(self):
        """Release what `freeing_begins` has taken."""

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def start_direct_read(self):
        """Take the locks of a direct read, before its flush."""

    @operation(kernel="fs/direct-io.c:direct_io_worker @-3.1")
    def read_submitted(self):
        """The transfer of a direct read is in flight."""

    @operation(kernel="fs/direct-io.c:dio_complete")
    def end_direct_read(self):
        """The transfer of a direct read has ended."""

    @operation(kernel="mm/filemap.c:generic_file_aio_write @-2.6.27")
    def start_direct_write(self, i):
        self.lock_inode()

    @operation(kernel="mm/filemap.c:generic_file_aio_write @-2.6.27")
    def end_direct_write(self):
        self.unlock_inode()

    @operation(kernel="include/linux/fs.h:inode_dio_begin @4.9-")
    def inode_dio_begin(self):
        self.i_dio_count.begin()

    @operation(kernel="include/linux/fs.h:inode_dio_end @4.9-")
    def inode_dio_end(self):
        self.i_dio_count.end()

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def fall_back(self, i, value):
        """Write what was not written directly, unless that was done under the locks."""
