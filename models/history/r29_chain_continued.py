"""r29_chain_of_invalidations.py continued from 2008 on: no error, and asynchronous writes (R29, R06).

6ccfa806a9cf (2008), 60263d5889e6 (2020): if the cached page cannot be invalidated, the write goes through the
cache and is flushed before it returns. 332391a9935d (2017): the completion of an asynchronous write invalidates.
"""

from r29_chain_of_invalidations import BeforeAndBehind, Result

from dio_mc import expect, operation, thread
from dio_mc.kernel import Data


class FallsBack(BeforeAndBehind):
    """The fix for synchronous writes, 6ccfa806a9cf."""

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def direct_write(self):
        result = super().direct_write()
        if result == Result.EIO:
            self.buffered_write(0, Data.NEW)
            self.filemap_write_and_wait_range(0)
            result = Result.DONE
        return result

    @thread(daemon=True)
    def flusher(self):
        while True:
            self.writepage(0)


class CompletionInvalidates(FallsBack):
    """The fix for asynchronous writes, 332391a9935d."""

    @operation(kernel="fs/direct-io.c:dio_complete")
    def end_io(self):
        self.bio_write(0, Data.NEW)
        self.invalidate_inode_pages2_range(0)
        self.aio_complete(Result.DONE)


expect(FallsBack, holds=True)
expect(FallsBack, violates={"coherent_at_rest"}, aio=True)
expect(CompletionInvalidates, holds=True)
expect(CompletionInvalidates, holds=True, aio=True)
