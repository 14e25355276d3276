"""Direct writes in generic code before 2017: when the cached page is dropped (R05, R06).

- 2.6.20: before the IO. A reader brings old bytes back (R05).
- 2.6.24: before and after, the latter by the submitter: an asynchronous write has none that counts (R06).

generic_2017.py goes on. A read has `i_mutex` until it is submitted. Faults have no lock against whoever frees blocks
(R10). A page that cannot be dropped before the IO means a write through the cache (2008, 6ccfa806a9cf); after the IO
that is ignored. (Ids of 2.6.20 and 2.6.24: not verified.)
"""

from inode_mutex import InodeMutex

from dio_mc import operation


class Generic2005(InodeMutex, abstract=True):
    """2.6.20."""

    rule, since = "generic_2005", 2005
    anchors = {
        "bio_read": "fs/bio.c:bio_endio @-2.6.27",
        "bio_write": "fs/bio.c:bio_endio @-2.6.27",
        "free_blocks": "fs/ext3/balloc.c:ext3_free_blocks @-3.16",
        "buffered_read": "mm/filemap.c:do_generic_mapping_read @-2.6.24",
        "lock_inode": "kernel/mutex.c:mutex_lock @-2.6.27",
        "unlock_inode": "kernel/mutex.c:mutex_unlock @-2.6.27",
        "freeing_begins": "fs/attr.c:notify_change",
        "inode_dio_begin": "fs/direct-io.c:__blockdev_direct_IO",
        "inode_dio_end": "fs/direct-io.c:dio_complete",
    }

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def start_direct_read(self):
        self.i_mutex.lock()

    @operation(kernel="fs/direct-io.c:direct_io_worker @-3.1")
    def read_submitted(self):
        self.i_mutex.unlock()


class GenericLateInvalidate(Generic2005, abstract=True):
    """2.6.24."""

    rule, since = "generic_late_invalidate", 2007
    kernel = "2.6.24"

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def submitted(self, i, value):
        self.drop(i)
        return value
