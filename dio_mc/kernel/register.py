"""One page as a register: the values that its calls may return, and the values that the file may have at the end.

Calls overlap. A read may return what some order of the calls puts there, where each call that ended before
another began comes first in the order (linearizability: Herlihy and Wing 1990; Wing and Gong 1993). The classes
here decide this while a model runs, without storing its history. For each value they record how far its writes
have come (`Stage`), and for each call the stages at its beginning:

- the end of a write removes every value whose writes had all taken effect when it began;
- the end of a read removes the same values, and those that the write whose value it returned has removed, since that
  write has taken effect;
- the beginning of a write of a value makes the value possible again.

Gibbons and Korach (1997) show that it is enough to compare pairs of values if all writes differ. So this is exact
for histories in which no value is written twice. If a value is written several times, a correct history is never
rejected. It is exact for all histories of three calls except eight with a refused write, a hole punch and a
truncate (tests/kernel/test_register.py compares it with all orders).

A hole punch writes zeros, and leaves a file that is truncated to nothing as it is. A refused write (EIO) takes
effect before it returns, or never.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from dio_mc.kernel.words import Data
from dio_mc.lang import Array, Model, PerThread, me, operation, threads

VALUES: Final = (Data.ZERO, Data.OLD, Data.NEW, Data.NEWER, Data.EOF)
"""The values that the register can hold; EOF: the file has been truncated to nothing. Any other
result of a call is not judged here."""
CALL: Final = 0
REQUEST: Final = 1
"""Which of a thread's two calls: the one that it waits for, or an asynchronous one in flight at the same time."""


class Stage(Enum):
    """How far the writes of a value have come."""

    SEVERAL = 0  # several may still take effect, or one may although the value was there before
    UNDER_WAY = 1  # one may still take effect, and the value can only come from it
    SETTLED = 2  # all have taken effect
    GONE = 3  # no read may return it: never written, or overwritten


class Given(Enum):
    """The verdict on a thread's reads."""

    FINE = 0
    OVERWRITTEN = 1  # a value that is impossible given the writes that had ended
    BACKWARDS = 2  # a value that is impossible given what other reads had returned as well


OVER: Final = (Stage.SETTLED, Stage.GONE)
FIRST: Final = [Stage.SETTLED if value is Data.OLD else Stage.GONE for value in VALUES]
"""The stages of a file that has OLD."""
SEEN: Final = 0
ACKED: Final = 1
"""Two records of the stages: one uses the results of all calls, the other only the writes that have ended."""
EOF: Final = VALUES.index(Data.EOF)
NONE: Final = len(VALUES)
ZERO: Final = VALUES.index(Data.ZERO)


@dataclass(frozen=True)
class Call:
    """A call, and the stages when it began, by record and by position in VALUES. `writes` is the
    value it writes, NOTHING for a read."""

    stage: Array(Stage, size=(2, 5))  # type: ignore[valid-type]  # the language's own annotation
    writes: Data = Data.NOTHING
    refused: bool = False


@dataclass(frozen=True)
class Calls:
    """The two calls of a thread, by CALL and REQUEST."""

    of: Array(Call, size=2)  # type: ignore[valid-type]  # the language's own annotation


class Register(Model, abstract=True):
    """A model calls these operations where its calls begin and end. Each is part of the step before it, or of
    the first step if it is at the entry of a thread. They write ghost variables only, which no program can read.

    `stage` holds the stages by record and by position in VALUES, `given` the verdict on each thread's reads. A
    model whose threads make no asynchronous calls may set ``slots = 1``, one without punches or without
    truncation ``punches = False``: the verdicts stay the same, and there is less to compile.
    """

    slots = 2
    punches = True
    stage = Array(Stage, size=(2, 5), init=[FIRST, FIRST], ghost=True)
    calls = PerThread(Calls, ghost=True)
    given = PerThread(Given, ghost=True)
    freed = Array(bool, size=2, ghost=True)

    # -- what a model says --------------------------------------------------------------------------------------------

    @operation()
    def read_begins(self, slot):
        """A read of the page begins."""
        self.call_begins(slot, Data.NOTHING)

    @operation()
    def read_ends(self, slot, value):
        """A read returns this value; a value that is not in VALUES is not judged."""
        n = number(value)
        if n != NONE:
            self.given[me] = self.judged(slot, n)
            for v in range(5):
                self.stage[SEEN][v] = self.after_read(v, slot, value, n)
        self.call_ends(slot)

    @operation()
    def write_begins(self, slot, value):
        """A write of the whole page begins; truncation to nothing writes EOF."""
        self.call_begins(slot, value)
        self.opens(slot, number(value), True)
        if self.punches and value != Data.EOF:
            self.opens_punches()

    @operation()
    def punch_begins(self, slot):
        """A hole punch begins: it writes zeros unless the file has been truncated to nothing."""
        self.call_begins(slot, Data.ZERO)
        self.opens(slot, ZERO, False)

    @operation()
    def write_ends(self, slot, value):
        """The write is acknowledged."""
        self.acknowledged(slot, value, number(value), False)

    @operation()
    def punch_ends(self, slot):
        """The hole punch is acknowledged; a truncated file stays truncated."""
        self.acknowledged(slot, Data.ZERO, ZERO, True)

    @operation()
    def write_refused(self, slot, value):
        """The write fails: it has taken effect, or never will. It is recorded: a read may show which."""
        self.calls[me].of[slot].refused = True
        self.settles(slot, value, number(value))

    @operation()
    def write_past_end(self, slot, value):
        """The write finds that the file has been truncated, and does nothing (SIGBUS)."""
        self.settles(slot, value, number(value))
        self.read_ends(slot, Data.EOF)

    @operation()
    def request_ends(self, result):
        """An asynchronous call of any kind ends; EIO if it was refused."""
        n = number(result)
        if n != NONE:
            self.given[me] = self.judged(REQUEST, n) if self.is_read(REQUEST) else self.given[me]
            for v in range(5):
                self.stage[SEEN][v], self.stage[ACKED][v] = (
                    self.after_read(v, REQUEST, result, n)
                    if self.is_read(REQUEST)
                    else self.after_write(SEEN, v, REQUEST, n, False),
                    self.stage[ACKED][v] if self.is_read(REQUEST) else self.after_write(ACKED, v, REQUEST, n, False),
                )
            self.settles(REQUEST, result, n)
            self.call_ends(REQUEST)
        else:
            self.calls[me].of[REQUEST].refused = True
            for v in range(5):
                self.stage[SEEN][v], self.stage[ACKED][v] = (self.after_refusal(SEEN, v), self.after_refusal(ACKED, v))

    def overwritten(self, value):
        """Whether the file cannot have this value at the end, given the writes that were acknowledged (pure)."""
        return number(value) != NONE and self.stage[ACKED][number(value)] == Stage.GONE

    def backwards(self, value):
        """Whether the file cannot have this value at the end, given also what reads have returned (pure)."""
        return number(value) != NONE and self.stage[SEEN][number(value)] == Stage.GONE

    # -- what comes of it ---------------------------------------------------------------------------------------------

    @operation()
    def call_begins(self, slot, writes):
        """Store the current stages in the call that begins."""
        for v in range(5):
            self.calls[me].of[slot].stage[SEEN][v], self.calls[me].of[slot].stage[ACKED][v] = (
                self.stage[SEEN][v],
                self.stage[ACKED][v],
            )
        self.calls[me].of[slot].writes, self.calls[me].of[slot].refused = writes, False

    @operation()
    def call_ends(self, slot):
        """Clear what was stored when the call began."""
        for v in range(5):
            self.calls[me].of[slot].stage[SEEN][v], self.calls[me].of[slot].stage[ACKED][v] = (
                Stage.SEVERAL,
                Stage.SEVERAL,
            )
        self.calls[me].of[slot].writes = Data.NOTHING

    @operation()
    def opens(self, slot, n, surely):
        """A write of the n-th value begins, so calls that begin now or are in flight may see it.
        Unless `surely`, this holds only if the file may have a page."""
        for t in threads():
            for s in range(self.slots):
                if t != me or s != slot:
                    self.calls[t].of[s].stage[SEEN][n], self.calls[t].of[s].stage[ACKED][n] = (
                        one_more(self.calls[t].of[s].stage[SEEN][n], surely or self.may_have_page(SEEN)),
                        one_more(self.calls[t].of[s].stage[ACKED][n], surely or self.may_have_page(ACKED)),
                    )
        self.stage[SEEN][n], self.stage[ACKED][n] = (
            one_more(self.stage[SEEN][n], surely or self.may_have_page(SEEN)),
            one_more(self.stage[ACKED][n], surely or self.may_have_page(ACKED)),
        )

    @operation()
    def opens_punches(self):
        """A write begins: a hole punch in flight that may have found the file truncated may find this write instead."""
        for k in range(2):
            self.freed[k] = self.punch_under_way(k)
            for t in threads():
                for s in range(self.slots):
                    self.calls[t].of[s].stage[k][ZERO] = (
                        one_more(self.calls[t].of[s].stage[k][ZERO], True)
                        if self.freed[k]
                        else self.calls[t].of[s].stage[k][ZERO]
                    )
            self.stage[k][ZERO] = one_more(self.stage[k][ZERO], True) if self.freed[k] else self.stage[k][ZERO]
            self.freed[k] = False

    @operation()
    def acknowledged(self, slot, value, n, punch):
        """A write ends: values whose writes had all taken effect when it began are overwritten."""
        for v in range(5):
            self.stage[SEEN][v], self.stage[ACKED][v] = (
                self.after_write(SEEN, v, slot, n, punch),
                self.after_write(ACKED, v, slot, n, punch),
            )
        self.settles(slot, value, n)
        self.call_ends(slot)

    @operation()
    def settles(self, slot, value, n):
        """A write of this value ends; if it was the last one in flight, all writes of the value have taken effect."""
        self.stage[SEEN][n], self.stage[ACKED][n] = (
            settled(self.stage[SEEN][n], self.another(slot, value)),
            settled(self.stage[ACKED][n], self.another(slot, value)),
        )

    def judged_page(self):
        """The page that the recorded calls are about."""
        return 0

    # -- questions (all pure) -----------------------------------------------------------------------------------------

    def is_read(self, slot):
        """Whether the call writes nothing."""
        return self.calls[me].of[slot].writes == Data.NOTHING

    def may_have_page(self, k):
        """Whether the file may be in any state but truncated."""
        return any(self.stage[k][v] != Stage.GONE for v in range(EOF))

    def punch_under_way(self, k):
        """Whether a hole punch that may find the file truncated is in flight."""
        return any(any(self.may_find_end(k, t, s) for s in range(self.slots)) for t in threads())

    def may_find_end(self, k, t, s):
        """Whether a call is a hole punch that may find the file truncated."""
        return self.writing(t, s, Data.ZERO) and self.calls[t].of[s].stage[k][EOF] != Stage.GONE

    def writing(self, t, s, value):
        """Whether a call is a write of this value that has not ended."""
        return self.calls[t].of[s].writes == value and not self.calls[t].of[s].refused

    def another(self, slot, value):
        """Whether another write of this value has not ended."""
        return any(
            any((t != me or s != slot) and self.writing(t, s, value) for s in range(self.slots)) for t in threads()
        )

    def after_write(self, k, v, slot, n, punch):
        """The stage of a value after a write of the n-th value has ended. If only hole punches
        preceded a truncation, they find the file truncated or are undone."""
        return (
            Stage.GONE
            if v != n and not (punch and v == EOF) and self.calls[me].of[slot].stage[k][v] in OVER
            else Stage.GONE
            if self.punches and n == EOF and v == ZERO and self.only_punches(k, slot)
            else self.stage[k][v]
        )

    def after_refusal(self, k, v):
        """The stage of a value after a request was refused; no read can settle it, since NOTHING is not a value."""
        return (
            settled(self.stage[k][v], self.another(REQUEST, self.calls[me].of[REQUEST].writes))
            if number(self.calls[me].of[REQUEST].writes) == v
            else self.stage[k][v]
        )

    def only_punches(self, k, slot):
        """Whether all values except zeros had taken effect when a call began."""
        return all(self.calls[me].of[slot].stage[k][y] in OVER for y in range(ZERO + 1, EOF))

    def judged(self, slot, n):
        """The verdict on a read that returns the n-th value; the first wrong one is kept."""
        return (
            self.given[me]
            if self.given[me] != Given.FINE
            else Given.OVERWRITTEN
            if self.calls[me].of[slot].stage[ACKED][n] == Stage.GONE
            else Given.BACKWARDS
            if self.calls[me].of[slot].stage[SEEN][n] == Stage.GONE
            else Given.FINE
        )

    def after_read(self, v, slot, value, n):
        """The stage of a value after a read has returned the n-th value; a wrong read gives no information."""
        return (
            self.stage[SEEN][v]
            if self.stage[SEEN][v] == Stage.GONE or self.calls[me].of[slot].stage[SEEN][n] == Stage.GONE
            else Stage.GONE
            if v != n and self.calls[me].of[slot].stage[SEEN][v] in OVER
            else self.stage[SEEN][v]
            if self.calls[me].of[slot].stage[SEEN][n] != Stage.UNDER_WAY
            else self.after_showing(v, value, n)
        )

    def after_showing(self, v, value, n):
        """The same for a read that may have shown that a write in flight has taken effect: what that
        write has overwritten is gone, and its own value is settled if no other write can be meant."""
        return (
            (Stage.SETTLED if self.sources(value) == 1 and self.shows(v, value, n, True) else self.stage[SEEN][v])
            if v == n
            else Stage.GONE
            if self.shows(v, value, n, False)
            else self.stage[SEEN][v]
        )

    def sources(self, value):
        """The number of writes of this value that are in flight or were refused."""
        return sum(sum(1 if self.calls[t].of[s].writes == value else 0 for s in range(self.slots)) for t in threads())

    def shows(self, v, value, n, anyway):
        """Whether the n-th value comes from a write in flight (no read could return it when that
        write began) which has overwritten another value, or `anyway`."""
        return any(
            any(
                self.calls[t].of[s].writes == value
                and self.calls[t].of[s].stage[SEEN][n] == Stage.GONE
                and (anyway or self.calls[t].of[s].stage[SEEN][v] in OVER)
                for s in range(self.slots)
            )
            for t in threads()
        )


def number(value):
    """The position of a value in VALUES, or NONE."""
    return (
        ZERO
        if value == Data.ZERO
        else 1
        if value == Data.OLD
        else 2
        if value == Data.NEW
        else 3
        if value == Data.NEWER
        else EOF
        if value == Data.EOF
        else NONE
    )


def settled(stage, another):
    """The stage of a value after a write of it has ended, unless `another` one is in flight."""
    return stage if another or stage == Stage.GONE else Stage.SETTLED


def one_more(stage, possible):
    """The stage of a value after a write of it begins; `possible`: the write can leave this value."""
    return (Stage.UNDER_WAY if possible else Stage.GONE) if stage == Stage.GONE else Stage.SEVERAL
