"""A file is opened for cached IO during parallel direct writes (R54, FUSE).

With FOPEN_PARALLEL_DIRECT_WRITES direct writes that do not extend the file hold the inode's lock
shared, so nothing orders them against cached reads: a page that is filled during the write keeps
the old data (R05). At first the writer tested once whether the file was open for cached IO; since
cb098dd24bab (2024, id not verified) a counter is positive for cached opens and negative for
parallel writes, and each side waits, or takes another path, while the counter has the other sign.
"""

from dio_mc import Model, Range, RWSem, Var, atomic, expect, invariant, operation, thread, wait_until
from dio_mc.kernel import Data, Slot


class AsksOnce(Model):
    """Before cb098dd24bab."""

    inode_lock = RWSem()
    iocachectr = Var(Range(-1, 1))
    slot, page = Var(Slot), Var(Data)
    server = Var(Data, init=Data.OLD)
    cached_open = Var(bool)

    @thread
    def writer(self):
        self.direct_write()

    @operation(kernel="fs/fuse/file.c:fuse_direct_write_iter @4.9-")
    def direct_write(self):
        parallel = self.uncached_io_start()
        if parallel:
            self.inode_lock.down_read()
            self.server = Data.NEW
            self.inode_lock.up_read()
            self.uncached_io_end()
        else:
            self.inode_lock.down_write()
            self.server = Data.NEW
            with atomic():  # invalidate_inode_pages2_range waits for a page under read
                wait_until(self.slot != Slot.FILLING)
                self.slot, self.page = Slot.ABSENT, Data.NOTHING
            self.inode_lock.up_write()

    @operation(kernel="fs/fuse/iomode.c:fuse_inode_uncached_io_start @6.12-")
    def uncached_io_start(self):
        return not self.cached_open

    @operation(kernel="fs/fuse/iomode.c:fuse_inode_uncached_io_end @6.12-")
    def uncached_io_end(self):
        """Parallel writes are not counted."""

    @thread
    def reader(self):
        self.cached_io_open()
        self.slot = Slot.FILLING
        data = self.server
        with atomic():
            self.page, self.slot = data, Slot.UPTODATE

    @operation(kernel="fs/fuse/iomode.c:fuse_file_cached_io_open @6.12-")
    def cached_io_open(self):
        self.cached_open = True

    @invariant
    def coherent_at_rest(self):
        return not self.at_rest() or self.slot != Slot.UPTODATE or self.page == self.server


class Counts(AsksOnce):
    """The fix, cb098dd24bab."""

    @operation(kernel="fs/fuse/iomode.c:fuse_inode_uncached_io_start @6.12-")
    def uncached_io_start(self):
        with atomic():
            free = self.iocachectr <= 0
            if free:
                self.iocachectr = -1
        return free

    @operation(kernel="fs/fuse/iomode.c:fuse_inode_uncached_io_end @6.12-")
    def uncached_io_end(self):
        self.iocachectr = 0

    @operation(kernel="fs/fuse/iomode.c:fuse_file_cached_io_open @6.12-")
    def cached_io_open(self):
        with atomic():
            wait_until(self.iocachectr >= 0)
            self.iocachectr = 1


class EndsEarly(Counts):
    """The mistake: cached opens are allowed once the lock is held, before the write is sent."""

    @operation(kernel="fs/fuse/file.c:fuse_direct_write_iter @4.9-")
    def direct_write(self):
        parallel = self.uncached_io_start()
        if parallel:
            self.inode_lock.down_read()
            self.uncached_io_end()
            self.server = Data.NEW
            self.inode_lock.up_read()
        else:
            super().direct_write()


expect(AsksOnce, violates={"coherent_at_rest"})
expect(Counts, holds=True)
expect(EndsEarly, violates={"coherent_at_rest"})
