"""ext3 in Linux 2.6.18 (R01; order of the locks as in fs/direct-io.c of 2.6.29, DIO_LOCKING).

A direct read takes `i_mutex`, flushes, takes `i_alloc_sem` shared, maps, drops `i_mutex`, waits. A direct write has
`i_mutex` from its caller, drops the cached page after the IO (an asynchronous one: after its submission), and a page
that cannot be dropped is its error. Blocks inside i_size are not allocated by it: a hole is written through the cache.
Whoever completes the IO releases `i_alloc_sem`. Nobody keeps writeback out.
"""

from inode_mutex import InodeMutex

from dio_mc import RWSem, atomic, operation
from dio_mc.kernel import Block, Data


class Ext3(InodeMutex, abstract=True):
    """2.6.18."""

    rule, since = "ext3_2_6_18", 2006
    unsupported = ("punch_hole",)
    layouts = ("hole", "written")
    kernel = "2.6.18"
    anchors = {
        "bio_read": "fs/bio.c:bio_endio @-2.6.27",
        "bio_write": "fs/bio.c:bio_endio @-2.6.27",
        "free_blocks": "fs/ext3/balloc.c:ext3_free_blocks @-3.16",
        "buffered_read": "mm/filemap.c:do_generic_mapping_read @-2.6.24",
        "lock_inode": "kernel/mutex.c:mutex_lock @-2.6.27",
        "unlock_inode": "kernel/mutex.c:mutex_unlock @-2.6.27",
        "write_begin": "fs/ext3/inode.c:ext3_prepare_write @-2.6.18",
        "write_end": "fs/ext3/inode.c:ext3_ordered_commit_write @-2.6.18",
        "buffered_write": "mm/filemap.c:generic_file_buffered_write @-2.6.27",
        "writepage": "fs/mpage.c:mpage_writepages @-6.12",
    }
    i_alloc_sem = RWSem()

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def start_direct_read(self):
        self.i_mutex.lock()

    @operation(kernel="fs/direct-io.c:direct_io_worker @-3.1")
    def read_submitted(self):
        self.i_mutex.unlock()

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def inode_dio_begin(self):
        with atomic():
            self.i_alloc_sem.down_read()
            self.i_alloc_sem.hand_over()

    @operation(kernel="fs/direct-io.c:dio_complete")
    def inode_dio_end(self):
        self.i_alloc_sem.up_read_non_owner()

    @operation(kernel="fs/attr.c:notify_change")
    def freeing_begins(self):
        self.i_alloc_sem.down_write()

    @operation(kernel="fs/attr.c:notify_change")
    def freeing_ends(self):
        self.i_alloc_sem.up_write()

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def prepare(self, i, value):
        self.flush(i)
        self.inode_dio_begin()
        block = self.map_for_write(i)
        if block == Block.HOLE:
            self.inode_dio_end()
            self.write_through_cache(i, value)
        return block

    @operation(kernel="mm/filemap.c:generic_file_direct_IO @-2.6.24")
    def submitted(self, i, value):
        gone = self.drop(i)
        return value if gone else Data.EIO
