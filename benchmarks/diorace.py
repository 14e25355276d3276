"""The 2006 page-cache race, written step for step like the models that other checkers are measured with.

`pages` pages of a sparse file, `readers` direct readers, `mappers` mmap writers that also write their page back,
`writers` buffered writers; ``fixed=1`` is a rule under which no direct read returns stale data, ``fixed=0`` the rule of
2.6.18. Every loop is endless, every step one ``with atomic()``, so that counts can be compared with any checker:

    pages readers mappers writers (fixed=1)      states   transitions
        1       1       1       1                   367           770
        2       2       1       1                35,402       104,999
        2       3       2       1             2,110,756     8,813,808
        2       3       3       1            11,805,586    52,761,019
        3       3       2       1            56,803,883   about 248.5 M
"""
# ruff: noqa: D101, D102  (one model; its names are those of the peers)

from enum import Enum

from dio_mc import (
    Array,
    Model,
    Mutex,
    PageLock,
    Param,
    Range,
    ThreadId,
    Var,
    atomic,
    choose,
    expect,
    invariant,
    me,
    operation,
    thread,
    wait_until,
)


class Cache(Enum):
    ABSENT = 0
    CLEAN = 1
    DIRTY = 2
    WRITEBACK = 3


class Buffer(Enum):
    ZERO = 0
    NEW = 1
    STALE = 2


class DioRace(Model):
    """Direct reads, mmap stores with writeback, and write(2) over the same pages."""

    pages = Param(1, min=1, max=8)
    readers = Param(1, min=0, max=7)
    mappers = Param(1, min=0, max=7)
    writers = Param(1, min=0, max=7)
    fixed = Param(1, min=0, max=1)

    cache = Array(Cache, size=pages)
    page_lock = Array(PageLock, size=pages)
    mapped = Array(bool, size=pages)
    written = Array(bool, size=pages)
    i_mutex = Mutex()
    alloc_readers = Var(Range(0, readers))
    alloc_writer = Var(ThreadId | None)
    buffer = Array(Buffer, size=(readers, pages))

    def may_allocate(self):
        return self.fixed == 0 or (self.alloc_readers == 0 and self.alloc_writer is None)

    @operation(kernel="fs/ext3/inode.c:ext3_get_block")
    def allocate(self, i):
        with atomic():
            if not self.mapped[i]:
                wait_until(self.may_allocate())
                self.mapped[i] = True
                if self.fixed == 1:
                    self.alloc_writer = me

    @operation(kernel="fs/ext3/inode.c:ext3_ordered_writepage")
    def write_page(self, i):
        self.allocate(i)
        self.cache[i] = Cache.WRITEBACK
        with atomic():
            self.written[i] = True
            self.cache[i] = Cache.CLEAN
        with atomic():
            self.page_lock[i].unlock()
            if self.alloc_writer == me:
                self.alloc_writer = None

    @operation(kernel="mm/filemap.c:filemap_write_and_wait_range")
    def flush(self):
        for i in range(self.pages):
            with atomic():
                wait_until(self.cache[i] != Cache.WRITEBACK)
                dirty = self.cache[i] == Cache.DIRTY
                if dirty:
                    self.page_lock[i].lock()
            if dirty:
                self.write_page(i)

    @thread(instances=readers)
    def reader(self, k):
        while True:
            with atomic():
                self.i_mutex.lock()
                for i in range(self.pages):
                    self.buffer[k][i] = Buffer.ZERO
            self.flush()
            with atomic():
                wait_until(self.alloc_writer is None)
                self.alloc_readers += 1
            self.i_mutex.unlock()
            for i in range(self.pages):
                with atomic():
                    mapped = self.mapped[i]
                    if not mapped:
                        self.buffer[k][i] = Buffer.ZERO
                if mapped:
                    with atomic():
                        self.buffer[k][i] = Buffer.NEW if self.written[i] else Buffer.STALE
            with atomic():
                self.alloc_readers -= 1

    @thread(instances=mappers)
    def mapper(self):
        while True:
            with atomic():
                i = choose(range(self.pages))
                self.page_lock[i].lock()
            with atomic():
                if self.cache[i] == Cache.ABSENT:
                    self.cache[i] = Cache.CLEAN
            with atomic():
                self.cache[i] = Cache.DIRTY
                self.page_lock[i].unlock()
            with atomic():
                wait_until(not self.page_lock[i].is_locked())
                dirty = self.cache[i] == Cache.DIRTY
                if dirty:
                    self.page_lock[i].lock()
            if dirty:
                self.write_page(i)

    @thread(instances=writers)
    def writer(self):
        while True:
            self.i_mutex.lock()
            for i in range(self.pages):
                self.page_lock[i].lock()
                with atomic():
                    if not self.mapped[i]:
                        wait_until(self.may_allocate())
                        self.mapped[i] = True
                self.cache[i] = Cache.DIRTY
                self.page_lock[i].unlock()
            self.i_mutex.unlock()

    @invariant
    def no_stale(self):
        return all(self.buffer[k][i] != Buffer.STALE for k in range(self.readers) for i in range(self.pages))


expect(DioRace, holds=True)
expect(DioRace, violates={"no_stale"}, fixed=0)
