"""What a program sees that mixes cached and direct IO on one page, in one process or several."""

from dio_mc import thread
from dio_mc.kernel import Data


class SeedRace:
    """A direct read of a hole that another program stores into (Chris Mason's mail of October 2006)."""

    layouts = ("hole",)

    @thread
    def reader(self):
        self.pread_direct(0)

    @thread
    def mapper(self):
        self.mmap_store(0, Data.NEW)


class RefillBehindWrite:
    """Readers through the cache while a direct write is under way (xfstests generic/209)."""

    @thread
    def writer(self):
        self.pwrite_direct(0, Data.NEW)

    @thread
    def reader(self):
        self.pread(0)
        self.pread(0)


class RefillBehindAio:
    """The same with an asynchronous write (xfstests generic/451)."""

    @thread
    def writer(self):
        self.io_submit_pwrite(0, Data.NEW)
        self.io_getevents()

    @thread
    def reader(self):
        self.pread(0)
        self.pread(0)


class WriteThenRead:
    """One program writes directly and reads back through the cache; another one does readahead."""

    @thread
    def program(self):
        self.pwrite_direct(0, Data.NEW)
        self.pread(0)

    @thread
    def other(self):
        self.readahead(0)


class WriteThenDirectRead:
    """One program writes through the cache and reads back directly; another one syncs."""

    @thread
    def program(self):
        self.pwrite(0, Data.NEW)
        self.pread_direct(0)

    @thread
    def other(self):
        self.fsync(0)


class StoreBesideWrite:
    """A direct write of a page that another program stores into (xfstests generic/247)."""

    @thread
    def writer(self):
        self.pwrite_direct(0, Data.NEW)

    @thread
    def mapper(self):
        self.mmap_store(0, Data.NEWER)


class LoadBesideWrite:
    """A direct write of a page that another program watches through a mapping."""

    @thread
    def writer(self):
        self.pwrite_direct(0, Data.NEW)

    @thread
    def mapper(self):
        self.mmap_load(0)
        self.mmap_load(0)


class ReadBeforeReap:
    """An asynchronous write is read back through the cache before and after its event is reaped."""

    @thread
    def program(self):
        self.io_submit_pwrite(0, Data.NEW)
        self.pread(0)
        self.io_getevents()
        self.pread(0)


class SubmitThenDirectRead:
    """An asynchronous write is read directly before its event is reaped."""

    @thread
    def program(self):
        self.io_submit_pwrite(0, Data.NEW)
        self.pread_direct(0)
        self.io_getevents()


class ForkUnderDirectRead:
    """A direct read into memory that is shared with a child meanwhile, and written to beside the buffer."""

    layouts = ("written",)

    @thread
    def reader(self):
        self.pread_direct(0)

    @thread
    def forker(self):
        self.fork()
        self.store_beside_buffer()


class SyncWhatIsMapped:
    """A store through a mapping, msync, and a direct read of it; another program only starts writeback."""

    @thread
    def mapper(self):
        self.mmap_store(0, Data.NEW)
        self.msync(0)
        self.pread_direct(0)

    @thread
    def other(self):
        self.sync_file_range(0)


class TruncateAndExtend:
    """A file is truncated and written anew while another program reads it directly."""

    layouts = ("written",)

    @thread
    def writer(self):
        self.truncate()
        self.pwrite(0, Data.NEW)

    @thread
    def reader(self):
        self.pread_direct(0)


class TruncateAndExtendDirectly:
    """The same with a direct write; the reader uses the cache."""

    layouts = ("written",)

    @thread
    def writer(self):
        self.truncate()
        self.pwrite_direct(0, Data.NEW)

    @thread
    def reader(self):
        self.pread(0)
        self.pread(0)
