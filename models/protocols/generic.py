"""Direct writes in generic code before 2017: when the cached page is dropped (R05, R06).

- 2.6.20: before the IO. A reader brings old bytes back (R05).
- 2.6.24: before and behind, the latter by the submitter: an asynchronous write has none that counts (R06).

generic_2017.py goes on. A read has `i_mutex` until it is submitted. Faults have no lock against whoever frees blocks
(R10). A page that cannot be dropped before the IO means a write through the cache (2008, 6ccfa806a9cf); behind the IO
that is ignored. (Ids of 2.6.20 and 2.6.24: not verified.)
"""

from directio import DirectIO

from dio_mc import Mutex, operation


class Generic2005(DirectIO, abstract=True):
    """2.6.20."""

    rule, since = "generic_2005", 2005
    i_mutex = Mutex()

    @operation(kernel="fs/inode.c:inode_lock")
    def lock_inode(self):
        self.i_mutex.lock()

    @operation(kernel="fs/inode.c:inode_unlock")
    def unlock_inode(self):
        self.i_mutex.unlock()

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def start_direct_read(self):
        self.i_mutex.lock()

    @operation(kernel="fs/direct-io.c:direct_io_worker")
    def read_submitted(self):
        self.i_mutex.unlock()


class GenericLateInvalidate(Generic2005, abstract=True):
    """2.6.24."""

    rule, since = "generic_late_invalidate", 2007

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def submitted(self, i, value):
        self.invalidate_inode_pages2_range(i)
        return value
