"""Reads and concurrent writes of one page, two steps each (`sectors`), so that a read may see half of a write.

POSIX asks that a read sees all of a write or nothing of it; Linux promises nothing of the kind.
"""

from dio_mc import thread
from dio_mc.kernel import Data


class TornRead:
    """write(2) beside read(2), of a page that is cached."""

    layouts, sectors = ("written",), 2

    @thread
    def writer(self):
        self.pread(0)
        self.pwrite(0, Data.NEW)

    @thread
    def reader(self):
        self.pread(0)


class TornDirectRead:
    """A direct write beside a direct read."""

    layouts, sectors = ("written",), 2

    @thread
    def writer(self):
        self.pwrite_direct(0, Data.NEW)

    @thread
    def reader(self):
        self.pread_direct(0)


class TornByTwo:
    """Two direct writes beside each other."""

    layouts, sectors = ("written",), 2

    @thread
    def writer(self):
        self.pwrite_direct(0, Data.NEW)

    @thread
    def other(self):
        self.pwrite_direct(0, Data.NEWER)
