"""Loads and stores through a mapping of the file, page by page, and msync."""

from aiocalls import AsynchronousCalls

from dio_mc import me, operation
from dio_mc.kernel import Data
from dio_mc.kernel.file import joined
from dio_mc.kernel.register import CALL


class MappedCalls(AsynchronousCalls, abstract=True):
    """An access past the end of the file is SIGBUS, and ends the call."""

    @operation()
    def mmap_load(self, i):
        self.a_read_begins(CALL, i)
        data = self.load_from(i)
        self.earlier[me], self.outcome[me] = self.outcome[me], data
        self.a_read_ends(CALL, data)

    @operation(kernel="mm/memory.c:__do_fault @2.6.24-")
    def load_from(self, i):
        """Load page after page."""
        data = self.filemap_fault(i)
        if self.pages > 1:
            self.was_given(me, i, data)
            for p in range(1, self.pages):
                if p > i and data not in (Data.EOF, Data.SHORT):
                    part = self.filemap_fault(p)
                    self.was_given(me, p, part)
                    data = joined(data, part)
        return data

    @operation()
    def mmap_store(self, i, value):
        """Store into every page; an access past the end of the file is SIGBUS, and ends the call."""
        if self.is_watched(i):
            self.write_begins(CALL, value)
        result = self.store_into(i, value)
        watched = result
        if self.pages > 1:
            for p in range(1, self.pages):
                if p > i and result != Data.EOF:
                    result = self.store_into(p, value)
                    watched = result if p <= self.watched else watched
        self.outcome[me] = result
        if self.is_watched(i):
            if watched == Data.EOF:
                self.write_past_end(CALL, value)
            else:
                self.write_ends(CALL, value)

    @operation(kernel="mm/memory.c:__do_fault @2.6.24-")
    def store_into(self, i, value):
        """Store into one page; returns the value, or EOF for SIGBUS."""
        stored, result = False, value
        while not stored and result != Data.EOF:
            result = self.filemap_fault(i)
            if result != Data.EOF:
                stored = self.store_through_pte(i, value)
                result = value
        return result

    @operation()
    def msync(self, i):
        """msync(MS_SYNC)."""
        good = self.vfs_fsync_range(i)
        self.outcome[me] = self.outcome[me] if good else Data.EIO
