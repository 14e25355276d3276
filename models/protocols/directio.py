"""The way of direct IO that all filesystems with blocks share, with places for their locks; reads: directread.py.

A write: keep the inode, flush, drop the cached page, map, transfer, convert, raise the size, and whatever is done in
`submitted` by the submitter and in `dio_complete` after the transfer. An asynchronous write returns when its transfer
is under way: all after that is the completion's, the submitter's locks are not held until then, and `io_getevents`
waits for it. IO in flight is counted (`i_dio_count`) from before the map, and whoever frees blocks waits for that.

An asynchronous write is made synchronous where a rule has it so (`force_wait`).
"""

from directread import DirectRead

from dio_mc import atomic, me, operation, spawn
from dio_mc.kernel import Block, Data

WRITABLE = (Block.UNWRITTEN, Block.MAPPED, Block.BEYOND)


class DirectIO(DirectRead, abstract=True):
    """A rule says what it locks (locking.py), and where it does more."""

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def direct_write(self, i, value):
        self.start_direct_write(i)
        block = self.prepare(i, value)
        result = value
        if block in WRITABLE:
            self.bio_write(i, value)
            self.dio_complete(i, block)
            self.inode_dio_end()
            result = self.submitted(i, value)
        self.end_direct_write()
        if block == Block.HOLE:
            self.fall_back(i, value)
        return result

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def aio_write(self, i, value):
        self.start_direct_write(i)
        block = self.prepare(i, value)
        result = value
        if block in WRITABLE and self.force_wait(block):
            self.complete_aio(i, value, block, me)
        elif block in WRITABLE:
            spawn(self.dio_bio_end_aio, i, value, block, me)
            result = self.submitted(i, value)
        self.end_direct_write()
        if block == Block.HOLE:
            self.fall_back(i, value)
        if block == Block.HOLE or result == Data.EIO:
            self.aio_complete(me, result)

    def force_wait(self, block):
        """Whether an asynchronous write is waited for under the submitter's locks."""
        return False

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def dio_bio_end_aio(self, i, value, block, submitter):
        self.complete_aio(i, value, block, submitter)

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def complete_aio(self, i, value, block, submitter):
        self.bio_write(i, value)
        self.dio_complete(i, block)
        self.inode_dio_end()
        self.aio_complete(submitter, value)

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def prepare(self, i, value):
        """The block to write to; BEYOND: one past the end of the file; HOLE: not directly."""
        self.filemap_write_and_wait_range(i)
        gone = self.invalidate_inode_pages2_range(i)
        self.inode_dio_begin()
        block = self.map_for_write(i)
        if not gone or block == Block.HOLE:
            self.inode_dio_end()
            self.write_through_cache(i, value)
            block = Block.HOLE
        return block

    @operation(kernel="fs/direct-io.c:get_more_blocks")
    def map_for_write(self, i):
        """create=0 inside the file; past its end the block is the writer's alone."""
        with atomic():
            block = self.block[i]
            if i >= self.i_size:
                self.block[i], block = Block.MAPPED, Block.BEYOND
        return block

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def submitted(self, i, value):
        """What the submitter does yet, and returns."""
        return value

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self, i, block):
        """end_io: the extent, then the size; models/history/r14_isize_before_conversion.py has these as two steps."""
        if block != Block.MAPPED:
            with atomic():
                self.convert_unwritten(i)
                if block == Block.BEYOND:
                    self.i_size, self.i_disksize = 1, 1
