"""Where a filesystem locks what, and how blocks are freed: a rule says what it takes at each place.

The places are empty but for the count of direct IO in flight. `lock_inode` excludes writers and those who free blocks;
what direct IO takes is `start_direct_read` to `end_direct_read`, and `start_direct_write` to `end_direct_write`, the
latter without the transfer if that is asynchronous. By default a direct write takes `lock_inode`.
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
        """What write(2) does under the lock before it begins."""

    @operation(kernel="mm/filemap.c:generic_file_buffered_write @-2.6.27")
    def write_through_cache(self, i, value):
        """The caller has the inode locked."""
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
        """Exclusive."""

    @operation(kernel="include/linux/fs.h:inode_unlock @4.7-")
    def unlock_inode(self):
        """Exclusive."""

    @operation(kernel="fs/inode.c:inode_dio_wait @3.16-")
    def freeing_begins(self):
        self.i_dio_count.wait()

    @operation(kernel="include/linux/fs.h:inode_unlock @4.7-")
    def freeing_ends(self):
        """What `freeing_begins` has taken."""

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def start_direct_read(self):
        """Before the flush."""

    @operation(kernel="fs/direct-io.c:direct_io_worker @-3.1")
    def read_submitted(self):
        """The transfer is under way."""

    @operation(kernel="fs/direct-io.c:dio_complete")
    def end_direct_read(self):
        """The transfer has ended."""

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
        """A write that was not direct, if it has not been made under the locks."""
