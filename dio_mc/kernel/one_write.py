"""The register of one page for models with a single write and any number of concurrent reads.

`dio_mc.kernel.register` stores in each call in flight how far the writes had come when it began, and a write that
begins changes this in every call. A proof for any number of threads needs threads whose data no other thread
writes. With one write of one value this is possible: a read records whether the write had ended when it began
(`late`), and whether a read that had ended had returned the written value (`later`). A read may then return

- the initial contents, unless the write had ended, or its value had been returned, when the read began;
- the value of the write, once the write has begun;
- nothing else.

`Register` gives the same verdicts on such histories (tests/kernel/test_one_write.py compares them). A second
write is excluded, not judged: `writes_once` is then false. Excluded too is what `Register` leaves to the reader
of an outcome and no rule should allow: a refused call, an error recorded for fsync, a mixture of sectors.
"""

from __future__ import annotations

from typing import Final

from dio_mc.kernel.file import File
from dio_mc.kernel.pagecache import PageCache
from dio_mc.kernel.register import Given, Register
from dio_mc.kernel.words import Data, Slot
from dio_mc.lang import PerThread, Var, invariant, me, operation, threads

UNWANTED: Final = (Data.EIO, Data.UNTOUCHED, Data.TORN)
"""Results that no call should have: refused, data that went to a page other than the buffer, data
of different writes."""


class OneWrite(Register, abstract=True):
    """`before` is the initial contents of the file, `written` the value of the write (NOTHING: it has not begun)."""

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
        """Record how far the write has come."""
        self.late[me], self.later[me] = self.acknowledged_write, self.shown

    @operation()
    def read_ends(self, slot, value):
        """A read returns this value; a value that is not in `VALUES` is not judged."""
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
        """The write begins; it writes zeros."""
        self.twice = self.written != Data.NOTHING
        self.written = Data.ZERO

    @operation()
    def write_ends(self, slot, value):
        """The write is acknowledged."""
        self.acknowledged_write = True

    @operation()
    def punch_ends(self, slot):
        """The hole punch is acknowledged."""
        self.acknowledged_write = True

    @operation()
    def write_refused(self, slot, value):
        """The write returns an error, which `no_call_refused` excludes."""
        self.late[me] = False

    @operation()
    def write_past_end(self, slot, value):
        """The write finds that the file has been truncated, and does nothing (SIGBUS)."""
        self.read_ends(slot, Data.EOF)

    def judged_read(self, value):
        """The verdict on a read that returns this value; the first wrong one is kept."""
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
        """Whether the file cannot have this value at the end, given also what reads have returned (pure)."""
        return is_judged(value) and value != self.written and (self.shown or self.overwritten(value))

    def sources(self, value):
        """Not needed: there is one write."""
        return 0


class NothingUnwanted(File, abstract=True):
    """What the matrix counts as worse than `ok` in addition to the property families."""

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
    """The same for pages of several sectors."""

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
