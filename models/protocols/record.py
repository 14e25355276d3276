"""The calls as the register of a page sees them.

A page is a register (dio_mc.kernel.register). Pages are alike, so one of them is judged: `watched`,
which `dio_mc.study` sets to each page in turn. A call that is not about this page is not recorded.
"""

from buffers import UserBuffers

from dio_mc import Param, PerThread, Range, me, operation
from dio_mc.kernel import Data
from dio_mc.kernel.register import NONE, REQUEST, SEEN, Register, number, settled


class Recorded(Register, UserBuffers, abstract=True):
    """`got` is what a thread's read of several pages found in the watched page, and its position in VALUES."""

    watched = Param(0, min=0, max=3)
    got, got_number = PerThread(Data, ghost=True), PerThread(Range(0, NONE), ghost=True)

    def judged_page(self):
        return self.watched

    def is_watched(self, i):
        """Whether a call at page i includes the watched page."""
        return self.pages == 1 or i <= self.watched

    @operation()
    def was_given(self, reader, p, data):
        """Record the result of a read of page p, if it is the watched one."""
        if p == self.watched:
            self.got[reader], self.got_number[reader] = data, number(data)

    @operation()
    def a_read_begins(self, slot, i):
        """With several pages the result is EOF until the watched page has been read."""
        if self.pages > 1:
            self.was_given(me, self.watched, Data.EOF if i <= self.watched else Data.NOTHING)
        self.read_begins(slot)

    @operation()
    def a_read_ends(self, slot, data):
        if self.pages == 1:
            self.read_ends(slot, data)
        else:
            if data == Data.EIO:
                self.was_given(me, self.watched, Data.EIO)
            self.read_ends_with(slot, data)

    @operation()
    def a_request_ends(self, result):
        if self.pages == 1:
            self.request_ends(result)
        else:
            self.request_ends_with(result)

    @operation()
    def read_ends_with(self, slot, value):
        """As `read_ends`, for the value in `got`, which is a ghost and cannot be copied to a local."""
        self.given[me] = self.judged(slot, self.got_number[me]) if self.got_number[me] != NONE else self.given[me]
        for v in range(5):
            self.stage[SEEN][v] = (
                self.after_read(v, slot, self.got[me], self.got_number[me])
                if self.got_number[me] != NONE
                else self.stage[SEEN][v]
            )
        self.call_ends(slot)

    @operation()
    def request_ends_with(self, result):
        """As `request_ends`; the result of a read is in `got`."""
        n = number(result)
        if result == Data.EIO:
            self.calls[me].of[REQUEST].refused = True
        else:
            self.given[me] = (
                self.judged(REQUEST, self.got_number[me])
                if self.is_read(REQUEST) and self.got_number[me] != NONE
                else self.given[me]
            )
            for v in range(5):
                self.stage[SEEN][v] = (
                    self.after_read(v, REQUEST, self.got[me], self.got_number[me])
                    if self.is_read(REQUEST) and self.got_number[me] != NONE
                    else self.stage[SEEN][v]
                )
            if n != NONE:
                for k in range(2):
                    for v in range(5):
                        self.stage[k][v] = (
                            self.stage[k][v] if self.is_read(REQUEST) else self.after_write(k, v, REQUEST, n, False)
                        )
                    self.stage[k][n] = (
                        self.stage[k][n]
                        if self.is_read(REQUEST)
                        else settled(self.stage[k][n], self.another(REQUEST, result))
                    )
            self.call_ends(REQUEST)
