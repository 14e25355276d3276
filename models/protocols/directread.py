"""Direct reads: flush, count, map, transfer, and whatever a rule does when the transfer has ended.

An asynchronous read returns when its transfer is under way; what comes after that is the completion's, and the
submitter's locks are not held until then.
"""

from locking import Locking

from dio_mc import atomic, me, operation, spawn
from dio_mc.kernel import Block, Data


class DirectRead(Locking, abstract=True):
    """A reservation that is met is `refused`: with EIO unless a rule says otherwise."""

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, i):
        block = self.prepare_read(i)
        self.read_submitted()
        data = Data.EIO
        if block != Block.DELALLOC:
            data = self.bio_read(i, block)
        self.read_complete(i)
        self.end_direct_read()
        if block == Block.DELALLOC:
            data = self.refused(i)
        return data

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def aio_read(self, i):
        block = self.prepare_read(i)
        if block != Block.DELALLOC:
            spawn(self.read_end_aio, i, block, me)
        else:
            self.read_complete(i)
        self.read_submitted()
        self.end_direct_read()
        if block == Block.DELALLOC:
            data = self.refused(i)
            self.aio_complete(me, data)

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def refused(self, i):
        """What a read gives that the map does not let be direct; no locks are held."""
        return Data.EIO

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def read_end_aio(self, i, block, submitter):
        data = self.bio_read(i, block)
        self.read_complete(i)
        self.aio_complete(submitter, data)

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def prepare_read(self, i):
        """Up to the map: the block to read."""
        self.start_direct_read()
        self.filemap_write_and_wait_range(i)
        self.inode_dio_begin()
        return self.get_block(i)

    @operation(kernel="fs/direct-io.c:dio_complete")
    def read_complete(self, i):
        self.inode_dio_end()

    @operation(kernel="fs/aio.c:aio_complete")
    def aio_complete(self, submitter, value):
        """The first result counts (models/history/r29_double_complete.py)."""
        with atomic():
            if self.iocb[submitter] == Data.NOTHING:
                self.iocb[submitter] = value
