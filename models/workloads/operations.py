"""The operations that `dio-mc matrix` pairs: one system call each, as the first and as the second of a pair.

The first writes NEW where it writes, the second NEWER.
"""

from dio_mc import thread
from dio_mc.kernel import Data


class Read:
    @thread
    def first(self):
        self.pread(0)

    second = first


class Write:
    @thread
    def first(self):
        self.pwrite(0, Data.NEW)

    @thread
    def second(self):
        self.pwrite(0, Data.NEWER)


class DirectRead:
    @thread
    def first(self):
        self.pread_direct(0)

    second = first


class DirectWrite:
    @thread
    def first(self):
        self.pwrite_direct(0, Data.NEW)

    @thread
    def second(self):
        self.pwrite_direct(0, Data.NEWER)


class AioRead:
    @thread
    def first(self):
        self.io_submit_pread(0)
        self.io_getevents()

    second = first


class AioWrite:
    @thread
    def first(self):
        self.io_submit_pwrite(0, Data.NEW)
        self.io_getevents()

    @thread
    def second(self):
        self.io_submit_pwrite(0, Data.NEWER)
        self.io_getevents()


class MmapLoad:
    @thread
    def first(self):
        self.mmap_load(0)

    second = first


class MmapStore:
    @thread
    def first(self):
        self.mmap_store(0, Data.NEW)

    @thread
    def second(self):
        self.mmap_store(0, Data.NEWER)


class Readahead:
    @thread
    def first(self):
        self.readahead(0)

    second = first


class Fsync:
    @thread
    def first(self):
        self.fsync(0)

    second = first


class PunchHole:
    @thread
    def first(self):
        self.punch_hole(0)

    second = first


class Truncate:
    @thread
    def first(self):
        self.truncate()

    second = first
