"""The steps of direct IO that all block filesystems share, with hooks for their locks; for reads see directread.py.

A write: lock the inode, flush, drop the cached page, map, transfer, convert the extent, raise the size. Further work
of the submitter is in `submitted`, further work after the transfer in `dio_complete`. An asynchronous write returns
when its transfer is in flight: the rest is done by its completion, the submitter's locks are released before that,
and `io_getevents` waits for it. IO in flight is counted (`i_dio_count`) from before the map; freeing blocks waits.

An asynchronous write is made synchronous if the rule says so (`force_wait`). All pages of a write are mapped before
the first is transferred. If one of them cannot be direct the write is short: the pages before it are written
directly, the rest goes through the cache.
"""

from directwrite import WRITABLE, DirectWrite, either

from dio_mc import me, operation, spawn
from dio_mc.kernel import Block, Data


class DirectIO(DirectWrite, abstract=True):
    """A rule defines its locks (locking.py), and overrides the steps that differ."""

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def direct_write(self, i, value):
        self.start_direct_write(i)
        block = self.prepare(i, value)
        end, result = self.pages, value
        if self.pages > 1 and block in WRITABLE:
            for p in range(1, self.pages):
                if i < p < end:
                    more = self.map_further(p)
                    end = p if more == Block.HOLE else end
                    block = either(block, more)
        if block in WRITABLE:
            result = self.write_now(i, end, value, block)
        self.end_direct_write()
        if block == Block.HOLE:
            self.fall_back(i, value)
        elif self.pages > 1 and end < self.pages and result != Data.EIO:
            self.fall_back(end, value)
        return result

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def aio_write(self, i, value):
        """An asynchronous write; a short one is waited for."""
        self.start_direct_write(i)
        block = self.prepare(i, value)
        end, result = self.pages, value
        if self.pages > 1 and block in WRITABLE:
            for p in range(1, self.pages):
                if i < p < end:
                    more = self.map_further(p)
                    end = p if more == Block.HOLE else end
                    block = either(block, more)
        if self.pages > 1 and block in WRITABLE and end < self.pages:
            result = self.write_now(i, end, value, block)
        elif block in WRITABLE and self.force_wait(block):
            self.complete_aio(i, value, block, me)
        elif block in WRITABLE:
            spawn(self.dio_bio_end_aio, i, value, block, me)
            result = self.submitted(i, value)
        self.end_direct_write()
        if block == Block.HOLE:
            self.fall_back(i, value)
        elif self.pages > 1 and end < self.pages and result != Data.EIO:
            self.fall_back(end, value)
        if block == Block.HOLE or result == Data.EIO or end < self.pages:
            self.aio_complete(me, result)

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def write_now(self, i, end, value, block):
        """Write pages i to `end` and wait; the submitter keeps its locks."""
        self.transfer(i, end, value)
        self.dio_complete(i, block)
        self.inode_dio_end()
        result = self.submitted(i, value)
        if self.pages > 1 and end < self.pages and result != Data.EIO:
            self.write_short(end, value)
        return result

    def force_wait(self, block):
        """Whether an asynchronous write is waited for under the submitter's locks."""
        return False

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def dio_bio_end_aio(self, i, value, block, submitter):
        self.complete_aio(i, value, block, submitter)

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def complete_aio(self, i, value, block, submitter):
        self.transfer(i, self.pages, value)
        self.dio_complete(i, block)
        self.inode_dio_end()
        self.aio_complete(submitter, value)
