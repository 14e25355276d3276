"""The range is locked one chunk at a time: a read that spans two chunks can be torn (P6).

The mail of 20 Oct 2006 says that lock_page_range must work in chunks instead of pinning the whole range. Here a
chunk is one page. The lock of a slot stands for the lock of the page in the slot, or for a place holder. Two
direct readers run against pdflush and one write(2) of the whole range, which takes one page lock at a time. The
readers must not deadlock. A read may be torn, with old data in one page and new data in the next: Linux never
promised otherwise, and locking the whole range does not prevent it (whole_range.py). Not modelled: holes, mmap.
"""

from enum import Enum

from dio_mc import Array, Model, Mutex, PageLock, Param, atomic, expect, invariant, operation, thread, wait_until


class Data(Enum):
    NOTHING = 0
    OLD = 1
    NEW = 2


class OneChunk(Model):
    """Each page is locked, checked, read and unlocked before the next one."""

    pages = Param(2, min=2, max=3)
    readers = Param(2, min=1, max=3)

    slot_lock = Array(PageLock, size=pages)
    cached = Array(bool, size=pages)
    dirty = Array(bool, size=pages)
    disk = Array(Data, size=pages, init=Data.OLD)
    seen = Array(Data, size=(readers, pages))

    @thread(instances=readers)
    def reader(self, k):
        self.direct_read(k)

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, k):
        for i in range(self.pages):
            self.flush_and_lock(i)
            self.transfer(k, i)
            self.slot_lock[i].unlock()

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def flush_and_lock(self, i):
        with atomic():  # flushed, locked, checked again: as in placeholder.py
            wait_until(not self.dirty[i])
            self.slot_lock[i].lock()

    @operation(kernel="fs/direct-io.c:dio_await_completion")
    def transfer(self, k, i):
        with atomic():
            self.seen[k][i] = self.disk[i]

    @thread
    def writer(self):
        self.write()

    @operation(kernel="mm/filemap.c:generic_file_buffered_write @2.6.18")
    def write(self):
        for i in range(self.pages):
            self.slot_lock[i].lock()
            with atomic():
                self.cached[i], self.dirty[i] = True, True
            self.slot_lock[i].unlock()

    @thread(instances=pages, daemon=True)
    def pdflush(self, i):
        while True:
            with atomic():
                wait_until(self.dirty[i])
                self.slot_lock[i].lock()
            with atomic():
                self.disk[i], self.dirty[i] = Data.NEW, False
            self.slot_lock[i].unlock()

    @invariant
    def no_torn_read(self):
        return all(
            not (self.seen[k][i] == Data.OLD and self.seen[k][j] == Data.NEW)
            for k in range(self.readers)
            for i in range(self.pages)
            for j in range(self.pages)
        )


class WritersExcluded(OneChunk):
    """A read is not torn if it flushes first and excludes write(2) from the flush to the end (`i_mutex` in 2.6.18)."""

    i_mutex = Mutex()

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, k):
        self.i_mutex.lock()
        super().direct_read(k)
        self.i_mutex.unlock()

    @operation(kernel="mm/filemap.c:generic_file_buffered_write @2.6.18")
    def write(self):
        self.i_mutex.lock()
        super().write()
        self.i_mutex.unlock()


expect(OneChunk, violates={"no_torn_read"})
expect(WritersExcluded, holds=True, any="all")
