"""Direct writes in generic code before 2017: when the cached page is dropped (R05, R06).

- 2.6.20: before the IO. A reader brings old bytes back (R05).
- 2.6.24: before and behind, the latter by the submitter: an asynchronous write has none that counts (R06).

generic_2017.py goes on. A read has `i_mutex` until it is submitted. IO in flight is counted against whoever frees
blocks (`i_dio_count`; `i_alloc_sem` before 2011); faults are not (R10). A page that cannot be dropped before the IO
means a write through the cache (2008, 6ccfa806a9cf); behind the IO that is ignored. (Ids of 2.6.20 and 2.6.24: not
verified.)
"""

from syscalls import SystemCalls

from dio_mc import DrainCounter, Mutex, PerThread, me, operation, spawn, wait_until
from dio_mc.kernel import Block


class Generic2005(SystemCalls, abstract=True):
    """2.6.20."""

    rule, since = "generic_2005", 2005
    i_mutex = Mutex()
    i_dio_count = DrainCounter(max=4)
    completed = PerThread(bool)

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, i):
        self.i_mutex.lock()
        self.filemap_write_and_wait_range(i)
        self.i_dio_count.begin()
        block = self.get_block(i)
        self.i_mutex.unlock()  # the bio is submitted
        data = self.bio_read(i, block)
        self.i_dio_count.end()
        return data

    @operation(kernel="mm/filemap.c:generic_file_aio_write")
    def buffered_write(self, i, value):
        self.i_mutex.lock()
        super().buffered_write(i, value)
        self.i_mutex.unlock()

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def direct_write(self, i, value):
        self.i_mutex.lock()
        block = self.prepare(i, value)
        if block in (Block.UNWRITTEN, Block.MAPPED):
            self.bio_write(i, value)
            self.dio_complete(i, block)
            self.submitted(i)
        self.i_mutex.unlock()
        return value

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def aio_write(self, i, value):
        """io_submit, then io_getevents. The lock is not held until the IO has ended."""
        self.i_mutex.lock()
        block = self.prepare(i, value)
        if block in (Block.UNWRITTEN, Block.MAPPED):
            self.i_dio_count.begin()
            spawn(self.dio_bio_end_aio, i, value, block, me)
            self.submitted(i)
        self.i_mutex.unlock()
        if block in (Block.UNWRITTEN, Block.MAPPED):
            wait_until(self.completed[me])
        return value

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def prepare(self, i, value):
        """The block to write; no block if it has been written through the cache."""
        self.filemap_write_and_wait_range(i)
        gone = self.invalidate_inode_pages2_range(i)
        block = self.get_block(i)
        if not gone or block in (Block.HOLE, Block.DELALLOC):
            super().buffered_write(i, value)
            self.filemap_write_and_wait_range(i)
            block = Block.HOLE
        return block

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def dio_bio_end_aio(self, i, value, block, submitter):
        self.bio_write(i, value)
        self.dio_complete(i, block)
        self.i_dio_count.end()
        self.completed[submitter] = True

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self, i, block):
        if block == Block.UNWRITTEN:
            self.convert_unwritten(i)  # end_io

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def submitted(self, i):
        """Nothing more is done."""

    @operation(kernel="fs/ext4/file.c:ext4_fallocate")
    def fallocate_punch_hole(self, i):
        self.i_mutex.lock()
        self.i_dio_count.wait()
        self.truncate_inode_pages_range(i)
        self.free_blocks(i)
        self.i_mutex.unlock()


class GenericLateInvalidate(Generic2005, abstract=True):
    """2.6.24."""

    rule, since = "generic_late_invalidate", 2007

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def submitted(self, i):
        self.invalidate_inode_pages2_range(i)
