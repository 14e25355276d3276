"""ext3 in Linux 2.6.18 (R01; order of the locks as in fs/direct-io.c of 2.6.29, DIO_LOCKING).

A direct read takes `i_mutex`, flushes, takes `i_alloc_sem` shared, maps, drops `i_mutex`, waits. A direct write has
`i_mutex` from its caller and drops the cached page behind the IO; a page that cannot be dropped is its error. Blocks
inside i_size are not allocated by it: a hole is written through the cache. Nobody keeps writeback out.
"""

from syscalls import SystemCalls

from dio_mc import Mutex, RWSem, operation
from dio_mc.kernel import Block, Data


class Ext3(SystemCalls, abstract=True):
    """2.6.18."""

    rule, since = "ext3_2_6_18", 2006
    unsupported = ("punch_hole",)
    layouts = ("hole", "written")
    i_mutex, i_alloc_sem = Mutex(), RWSem()

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, i):
        self.i_mutex.lock()
        self.filemap_write_and_wait_range(i)
        self.i_alloc_sem.down_read()
        block = self.get_block(i)
        self.i_mutex.unlock()  # the bio is submitted
        data = self.bio_read(i, block)
        self.i_alloc_sem.up_read()
        return data

    @operation(kernel="mm/filemap.c:generic_file_aio_write")
    def buffered_write(self, i, value):
        self.i_mutex.lock()
        super().buffered_write(i, value)
        self.i_mutex.unlock()

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def direct_write(self, i, value):
        self.i_mutex.lock()
        self.filemap_write_and_wait_range(i)
        self.i_alloc_sem.down_read()
        block = self.get_block(i)
        if block == Block.MAPPED:
            self.bio_write(i, value)
        self.i_alloc_sem.up_read()
        if block != Block.MAPPED:
            self.through_the_cache(i, value)
        gone = self.invalidate_inode_pages2_range(i)
        self.i_mutex.unlock()
        return value if gone else Data.EIO

    @operation(kernel="mm/filemap.c:generic_file_buffered_write")
    def through_the_cache(self, i, value):
        super().buffered_write(i, value)
        self.filemap_write_and_wait_range(i)
