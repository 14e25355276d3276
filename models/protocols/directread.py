"""Direct reads: flush, count, map, transfer, and what a rule does after the transfer.

An asynchronous read returns when its transfer is in flight; the rest is done by its completion, and
the submitter's locks are released before that. Of several pages each is transferred before the next
is mapped, and the transfer of the last one is the one in flight.
"""

from locking import Locking

from dio_mc import atomic, me, operation, spawn
from dio_mc.kernel import Block, Data
from dio_mc.kernel.file import joined

NO_DATA = (Block.DELALLOC, Block.BEYOND)


class DirectRead(Locking, abstract=True):
    """A read that meets a reservation is `refused`: with EIO unless a rule says otherwise."""

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, i):
        block = self.prepare_read(i)
        last, data = i, Data.NOTHING
        if self.pages > 1:
            for p in range(1, self.pages):
                if p > i and block not in NO_DATA:
                    data = self.read_on(me, last, block, data)
                    last = p
                    block = self.map_for_read(p)
        self.read_submitted()
        if block == Block.DELALLOC:
            data = Data.EIO
        else:
            data = self.read_on(me, last, block, data)
        self.read_complete(i, last)
        self.end_direct_read()
        if block == Block.DELALLOC:
            data = self.refused(i)
        return data

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def aio_read(self, i):
        block = self.prepare_read(i)
        last, data = i, Data.NOTHING
        if self.pages > 1:
            for p in range(1, self.pages):
                if p > i and block not in NO_DATA:
                    data = self.read_on(me, last, block, data)
                    last = p
                    block = self.map_for_read(p)
        if block != Block.DELALLOC:
            spawn(self.read_end_aio, i, last, block, data, me)
        else:
            self.read_complete(i, last)
        self.read_submitted()
        self.end_direct_read()
        if block == Block.DELALLOC:
            data = self.refused(i)
            self.aio_complete(me, data)

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def refused(self, i):
        """The result of a read that the map does not allow to be direct; no locks are held."""
        return Data.EIO

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def read_end_aio(self, i, last, block, data, submitter):
        result = self.read_on(submitter, last, block, data)
        self.read_complete(i, last)
        self.aio_complete(submitter, result)

    @operation(kernel="fs/direct-io.c:get_more_blocks")
    def map_for_read(self, i):
        """Map page i after the pages before it have been transferred."""
        return self.get_block(i)

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def read_on(self, reader, i, block, data):
        """Transfer page i and join it with the pages before it."""
        part = self.bio_read(i, block)
        if self.pages > 1:
            self.was_given(reader, i, part)
        return joined(data, part)

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def prepare_read(self, i):
        """The steps up to the map; returns the block to read."""
        self.start_direct_read()
        self.flush(i)
        self.inode_dio_begin()
        return self.get_block(i)

    @operation(kernel="fs/direct-io.c:dio_complete")
    def read_complete(self, i, last):
        self.inode_dio_end()

    @operation(kernel="fs/aio.c:aio_complete")
    def aio_complete(self, submitter, value):
        """Complete the request; only the first result counts (models/history/r29_double_complete.py)."""
        with atomic():
            if self.iocb[submitter] == Data.NOTHING:
                self.iocb[submitter] = value
