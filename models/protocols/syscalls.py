"""System calls on the pages of one file, the common base of the locking rules in this folder, and what the calls
record.

A call at page i acts on the pages from i on (ranges.py). A workload consists of these calls; a rule overrides the
kernel functions below them. Each call is recorded in ghosts, which no rule can read: its result, the result before
it, and whether the result is legal (record.py). `dio_mc.study` reads them in states in which all threads have ended.
"""

from mappedcalls import MappedCalls

from dio_mc import me, operation, reachable
from dio_mc.kernel import Data
from dio_mc.kernel.register import CALL


class SystemCalls(MappedCalls, abstract=True):
    """A rule derives from this and sets its name (`rule`) and its year (`since`)."""

    @operation()
    def pread(self, i):
        self.a_read_begins(CALL, i)
        data = self.read_pages(i)
        self.earlier[me], self.outcome[me] = self.outcome[me], data
        self.a_read_ends(CALL, data)

    @operation()
    def pread_direct(self, i):
        self.a_read_begins(CALL, i)
        self.moved[me], self.copy_on_write = False, False
        data = self.direct_read(i)
        self.earlier[me], self.outcome[me] = self.outcome[me], Data.UNTOUCHED if self.moved[me] else data
        self.a_read_ends(CALL, data)

    @operation()
    def pwrite(self, i, value):
        if self.is_watched(i):
            self.write_begins(CALL, value)
        self.buffered_write(i, value)
        self.outcome[me] = value
        if self.is_watched(i):
            self.write_ends(CALL, value)

    @operation()
    def pwrite_direct(self, i, value):
        if self.is_watched(i):
            self.write_begins(CALL, value)
        result = self.direct_write(i, value)
        self.outcome[me] = result
        if self.is_watched(i):
            if result == Data.EIO:
                self.write_refused(CALL, value)
            else:
                self.write_ends(CALL, value)

    @operation()
    def punch_hole(self, i):
        if self.is_watched(i):
            self.punch_begins(CALL)
        self.fallocate_punch_hole(i)
        self.outcome[me] = Data.ZERO if i < self.i_size else Data.EOF
        if self.is_watched(i):
            self.punch_ends(CALL)

    @operation()
    def truncate(self):
        """Truncate the file to nothing."""
        self.write_begins(CALL, Data.EOF)
        self.do_truncate()
        self.outcome[me] = Data.EOF
        self.write_ends(CALL, Data.EOF)

    @operation()
    def readahead(self, i):
        self.force_page_cache_readahead(i)

    @operation()
    def fsync(self, i):
        good = self.vfs_fsync_range(i)
        self.outcome[me] = self.outcome[me] if good else Data.EIO

    @operation()
    def sync_file_range(self, i):
        """Wait for writeback, write, and wait again."""
        self.flush(i)

    @reachable
    def all_ended(self):
        """Every thread of the workload has ended."""
        return self.at_rest()
