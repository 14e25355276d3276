"""Fourteen years of one call: when a direct write invalidates the cached pages of its range (R29, R05, R06, generic).

- 2.6.18: after the IO, and -EIO if it fails. An asynchronous write is completed twice (r29_double_complete.py).
- 2.6.20: before the IO, so that an error comes early. A reader brings old data back (r05_refill_behind_dio_write.py).
- 2.6.24: before and after, and a failure of the second call is ignored. The cache is coherent after synchronous writes.
- 2008, 6ccfa806a9cf: if the first call fails, write buffered. A page that is busy for a moment (the journal holds its
  buffers) is not a reason to fail the program's write. 60263d5889e6 (2020) does this for iomap.
- 2017, 332391a9935d: the second call in the completion, for asynchronous writes (r06_aio_no_late_invalidate.py).

The last two: r29_chain_continued.py. (2.6.18 to 2.6.24: no ids verified.) Here: a cached, `busy` page; a write, a read.
"""

from enum import Enum

from dio_mc import Array, Param, Range, Var, atomic, expect, invariant, operation, spawn, thread, wait_until
from dio_mc.kernel import CoherentAtRest, Data, File, Slot


class Result(Enum):
    DONE = 0
    QUEUED = 1
    EIO = 2


class Behind(CoherentAtRest):
    """2.6.18: invalidates after the IO."""

    aio = Param(False)

    slot = Array(Slot, size=File.pages, init=Slot.UPTODATE)
    page = Array(Data, size=File.pages, init=Data.OLD)
    busy = Var(bool, init=True)
    completions = Var(Range(0, 2))
    error = Var(bool)

    @thread
    def writer(self):
        result = self.direct_write()
        if result != Result.QUEUED:
            self.aio_complete(result)

    @operation(kernel="mm/filemap.c:generic_file_direct_IO @-2.6.24")
    def direct_write(self):
        result = self.submit()
        gone = self.invalidate_inode_pages2_range(0)
        return result if gone else Result.EIO

    @operation(kernel="fs/direct-io.c:direct_io_worker @-3.1")
    def submit(self):
        if self.aio:
            spawn(self.end_io)
            return Result.QUEUED
        self.bio_write(0, Data.NEW)
        return Result.DONE

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def end_io(self):
        self.bio_write(0, Data.NEW)
        self.aio_complete(Result.DONE)

    @operation(kernel="fs/aio.c:aio_complete")
    def aio_complete(self, result):
        with atomic():
            self.completions += 1
            self.error = self.error or result == Result.EIO

    @operation(kernel="mm/truncate.c:invalidate_inode_pages2_range")
    def invalidate_inode_pages2_range(self, i):
        with atomic():
            wait_until(not self.page_lock[i].is_locked() and not self.writeback[i])
            gone = self.slot[i] == Slot.ABSENT or not self.busy
            if gone:
                self.remove_from_page_cache(i)
        return gone

    @thread(daemon=True)
    def kjournald(self):
        self.busy = False
        return  # one transaction: the buffers do not become busy again

    @thread
    def reader(self):
        self.seen[0] = self.buffered_read(0)

    @invariant
    def complete_once(self):
        return self.completions <= 1

    @invariant
    def no_undeserved_error(self):
        return not self.error


class Before(Behind):
    """2.6.20: invalidates before the IO."""

    @operation(kernel="mm/filemap.c:generic_file_direct_IO @-2.6.24")
    def direct_write(self):
        result = Result.EIO
        gone = self.invalidate_inode_pages2_range(0)
        if gone:
            result = self.submit()
        return result


class BeforeAndBehind(Before):
    """2.6.24: invalidates before and after the IO."""

    @operation(kernel="mm/filemap.c:generic_file_direct_IO @-2.6.24")
    def submit(self):
        result = super().submit()
        self.invalidate_inode_pages2_range(0)
        return result


expect(Behind, violates={"coherent_at_rest", "no_undeserved_error"})
expect(Behind, violates={"coherent_at_rest", "no_undeserved_error", "complete_once"}, aio=True)
expect(Before, violates={"coherent_at_rest", "no_undeserved_error"})
expect(BeforeAndBehind, violates={"no_undeserved_error"})
expect(BeforeAndBehind, violates={"coherent_at_rest", "no_undeserved_error"}, aio=True)
