"""The register of one page of which a model has a single write, with any number of reads beside it.

`dio_mc.kernel.register` keeps, in each call under way, how far the writes had come when it began, and a write that
begins changes that of every call. A proof for any number of threads needs a thread whose data nobody else writes. With
one write of one value that is enough: a read keeps whether the write had ended when it began (`late`), and whether a
read that had ended had shown it (`later`). A read may then be given

- what the file had before, unless the write had ended, or had been shown, when the read began;
- what the write writes, once the write has begun;
- nothing else.

That is what `Register` says of such histories (tests/kernel/test_one_write.py compares them). A second write is not
judged but excluded: `writes_once` is false then. So is what no rule should give and `Register` leaves to the reader of
an outcome: a refused call, an error that is kept for fsync, a mixture of sectors.
"""

from __future__ import annotations

from typing import Final

from dio_mc.kernel.file import File
from dio_mc.kernel.pagecache import PageCache
from dio_mc.kernel.register import Given, Register
from dio_mc.kernel.words import Data, Slot
from dio_mc.lang import PerThread, Var, invariant, me, operation, threads

UNWANTED: Final = (Data.EIO, Data.UNTOUCHED, Data.TORN)
"""Results that no call should have: refused, gone to a page that is not the buffer, of different writes."""


class OneWrite(Register, abstract=True):
    """`before` is what the file had at first, `written` what the write writes (NOTHING: it has not begun)."""

    stage = Var(bool, ghost=True)
    calls = Var(bool, ghost=True)
    freed = Var(bool, ghost=True)
    before = Var(Data, init=Data.OLD, ghost=True)
    written = Var(Data, ghost=True)
    twice = Var(bool, ghost=True)
    acknowledged_write = Var(bool, ghost=True)
    shown = Var(bool, ghost=True)
    late = PerThread(bool, ghost=True)
    later = PerThread(bool, ghost=True)

    @operation()
    def read_begins(self, slot):
        """Keep how far the write has come."""
        self.late[me], self.later[me] = self.acknowledged_write, self.shown

    @operation()
    def read_ends(self, slot, value):
        """It returns a value; what is not one of `VALUES` is not judged."""
        self.given[me] = self.judged_read(value)
        self.shown = self.shown or (is_judged(value) and value == self.written and value != self.before)
        self.late[me], self.later[me] = False, False

    @operation()
    def write_begins(self, slot, value):
        """The write begins."""
        self.twice = self.written != Data.NOTHING
        self.written = value

    @operation()
    def punch_begins(self, slot):
        """The write is one of zeros."""
        self.twice = self.written != Data.NOTHING
        self.written = Data.ZERO

    @operation()
    def write_ends(self, slot, value):
        """It is acknowledged."""
        self.acknowledged_write = True

    @operation()
    def punch_ends(self, slot):
        """It is acknowledged."""
        self.acknowledged_write = True

    @operation()
    def write_refused(self, slot, value):
        """It returns an error, which `no_call_refused` excludes."""
        self.late[me] = False

    @operation()
    def write_past_end(self, slot, value):
        """It finds that the file has been truncated, and does nothing (SIGBUS)."""
        self.read_ends(slot, Data.EOF)

    def judged_read(self, value):
        """What a read is that returns this; the first that is wrong is kept."""
        return (
            self.given[me]
            if self.given[me] != Given.FINE or not is_judged(value) or value == self.written
            else Given.OVERWRITTEN
            if value != self.before or self.late[me]
            else Given.BACKWARDS
            if self.later[me]
            else Given.FINE
        )

    def overwritten(self, value):
        """Whether the file cannot have this value at the end, given that the write was acknowledged (pure)."""
        return is_judged(value) and value != self.written and (value != self.before or self.acknowledged_write)

    def backwards(self, value):
        """Whether it cannot have it, given what reads have returned as well (pure)."""
        return is_judged(value) and value != self.written and (self.shown or self.overwritten(value))

    def sources(self, value):
        """Not asked: there is one write."""
        return 0


class NothingUnwanted(File, abstract=True):
    """What makes a cell of the matrix more than `ok`, beside the property families."""

    @invariant
    def writes_once(self):
        """There is one write, as `OneWrite` supposes."""
        return not self.twice

    @invariant
    def no_call_refused(self):
        """No call is refused, or has what it read elsewhere, or a mixture."""
        return all(self.outcome[t] not in UNWANTED and self.earlier[t] not in UNWANTED for t in threads())

    @invariant
    def nothing_reported(self):
        """No error is kept for the next fsync."""
        return not self.reported()


class NothingTorn(PageCache, abstract=True):
    """With sectors."""

    @invariant
    def no_torn_file(self):
        """At rest neither the cache nor the disk has sectors of different writes."""
        return not self.at_rest() or all(
            (self.slot[i] != Slot.UPTODATE or self.page[i] != Data.TORN) and self.on_disk(i) != Data.TORN
            for i in range(self.pages)
        )


def is_judged(value):
    """Whether a value is one of `register.VALUES`."""
    return value in (Data.ZERO, Data.OLD, Data.NEW, Data.NEWER, Data.EOF)
