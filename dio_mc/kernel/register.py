"""One page as a register: what its calls may be given, and what the file may have at the end.

Calls overlap. A read may be given what some order of the calls puts there, an order that keeps every call which had
ended before another began before that one (linearizability: Herlihy and Wing 1990; Wing and Gong 1993). The classes
here follow that while a model runs, without keeping its history. For each value they know how far its writes have come
(`Stage`), and for each call how far they had come when it began:

- the end of a write puts away every value whose writes had all taken effect when it began;
- the end of a read puts away the same values, and those that were put away by the write whose value it was given, for
  this one has taken effect;
- the beginning of a write takes all that back for its own value.

Gibbons and Korach (1997) show that pairs of values decide for a register whose writes are told apart, so this is exact
for histories in which no value is written twice. Where a value has several writes, it never says that a history is
wrong which is not. It is exact for all histories of three calls, but for eight with a refused write, a punch and a
truncate (tests/kernel/test_register.py compares it with all orders).

A punch leaves zeros, or a file that is truncated to nothing as it is. A refused write (EIO) takes effect before it
returns, or never.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from dio_mc.kernel.words import Data
from dio_mc.lang import Array, Model, PerThread, me, operation, threads

VALUES: Final = (Data.ZERO, Data.OLD, Data.NEW, Data.NEWER, Data.EOF)
"""What the register can hold; EOF: the file has been truncated to nothing. Nothing else that a call returns is judged
here."""
CALL: Final = 0
REQUEST: Final = 1
"""Which of a thread's two calls: one that it waits for, or an asynchronous one that is under way beside it."""


class Stage(Enum):
    """How far the writes of a value have come."""

    SEVERAL = 0  # more than one may yet take effect, or one beside what was there before
    UNDER_WAY = 1  # one may yet take effect, and is where the value comes from
    SETTLED = 2  # all have taken effect
    GONE = 3  # nobody may be given it: never written, or overwritten


class Given(Enum):
    """What became of a thread's reads."""

    FINE = 0
    OVERWRITTEN = 1  # a value that no write could have left, given the writes that had ended
    BACKWARDS = 2  # the same, given what other reads had returned as well


OVER: Final = (Stage.SETTLED, Stage.GONE)
FIRST: Final = [Stage.SETTLED if value is Data.OLD else Stage.GONE for value in VALUES]
"""The stages of a file that has OLD."""
SEEN: Final = 0
ACKED: Final = 1
"""Two accounts of the stages: by all that calls have returned, and by the writes alone that have ended."""
EOF: Final = VALUES.index(Data.EOF)
NONE: Final = len(VALUES)
ZERO: Final = VALUES.index(Data.ZERO)


@dataclass(frozen=True)
class Call:
    """A call, and the stages when it began, by account and place among VALUES. `writes` is what it writes, NOTHING for
    a read."""

    stage: Array(Stage, size=(2, 5))  # type: ignore[valid-type]  # the language's own annotation
    writes: Data = Data.NOTHING
    refused: bool = False


@dataclass(frozen=True)
class Calls:
    """The two calls of a thread, by CALL and REQUEST."""

    of: Array(Call, size=2)  # type: ignore[valid-type]  # the language's own annotation


class Register(Model, abstract=True):
    """A model says when its calls begin and end; each of these operations is part of the step before it, and at the
    entry of a thread of the first. All they keep is history, which no program can read.

    `stage` has the stages by account and place among VALUES; `given` what became of each thread's reads. A model whose
    threads make no asynchronous calls may say ``slots = 1``, one that has no punch, or no truncation, ``punches =
    False``: nothing is different then, and less is to be compiled.
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
        """It returns a value; what is not one of VALUES is not judged."""
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
        """Zeros are about to be written, unless the file has been truncated to nothing."""
        self.call_begins(slot, Data.ZERO)
        self.opens(slot, ZERO, False)

    @operation()
    def write_ends(self, slot, value):
        """It is acknowledged."""
        self.acknowledged(slot, value, number(value), False)

    @operation()
    def punch_ends(self, slot):
        """It is acknowledged; a file that had been truncated stays so."""
        self.acknowledged(slot, Data.ZERO, ZERO, True)

    @operation()
    def write_refused(self, slot, value):
        """It returns an error: it has taken effect, or never will. It is kept, since a read may show which."""
        self.calls[me].of[slot].refused = True
        self.settles(slot, value, number(value))

    @operation()
    def write_past_end(self, slot, value):
        """It finds that the file has been truncated, and does nothing (SIGBUS)."""
        self.settles(slot, value, number(value))
        self.read_ends(slot, Data.EOF)

    @operation()
    def request_ends(self, result):
        """An asynchronous call ends, whatever it was; a refused one has EIO."""
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
        """Whether it cannot have it, given what reads have returned as well (pure)."""
        return number(value) != NONE and self.stage[SEEN][number(value)] == Stage.GONE

    # -- what comes of it ---------------------------------------------------------------------------------------------

    @operation()
    def call_begins(self, slot, writes):
        """Keep the stages as they are."""
        for v in range(5):
            self.calls[me].of[slot].stage[SEEN][v], self.calls[me].of[slot].stage[ACKED][v] = (
                self.stage[SEEN][v],
                self.stage[ACKED][v],
            )
        self.calls[me].of[slot].writes, self.calls[me].of[slot].refused = writes, False

    @operation()
    def call_ends(self, slot):
        """Forget how it began."""
        for v in range(5):
            self.calls[me].of[slot].stage[SEEN][v], self.calls[me].of[slot].stage[ACKED][v] = (
                Stage.SEVERAL,
                Stage.SEVERAL,
            )
        self.calls[me].of[slot].writes = Data.NOTHING

    @operation()
    def opens(self, slot, n, surely):
        """A value may come to be there, for the calls that begin now and for those that are under way; if not `surely`,
        then only where the file may have a page."""
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
        """A write begins: a punch that may have found the file truncated may find this instead."""
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
        """What had all taken effect when a write began is overwritten."""
        for v in range(5):
            self.stage[SEEN][v], self.stage[ACKED][v] = (
                self.after_write(SEEN, v, slot, n, punch),
                self.after_write(ACKED, v, slot, n, punch),
            )
        self.settles(slot, value, n)
        self.call_ends(slot)

    @operation()
    def settles(self, slot, value, n):
        """All writes of a value have taken effect when this was the last one under way."""
        self.stage[SEEN][n], self.stage[ACKED][n] = (
            settled(self.stage[SEEN][n], self.another(slot, value)),
            settled(self.stage[ACKED][n], self.another(slot, value)),
        )

    def judged_page(self):
        """The page whose calls these are."""
        return 0

    # -- questions (all pure) -----------------------------------------------------------------------------------------

    def is_read(self, slot):
        """Whether the call writes nothing."""
        return self.calls[me].of[slot].writes == Data.NOTHING

    def may_have_page(self, k):
        """Whether the file may be anything but truncated."""
        return any(self.stage[k][v] != Stage.GONE for v in range(EOF))

    def punch_under_way(self, k):
        """Whether there is one that may find the file truncated."""
        return any(any(self.may_find_end(k, t, s) for s in range(self.slots)) for t in threads())

    def may_find_end(self, k, t, s):
        """Whether a call is a punch that may find the file truncated."""
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
        """The stage of a value when a write of the n-th has ended. Where truncation comes upon nothing but punches,
        these find it truncated or are undone."""
        return (
            Stage.GONE
            if v != n and not (punch and v == EOF) and self.calls[me].of[slot].stage[k][v] in OVER
            else Stage.GONE
            if self.punches and n == EOF and v == ZERO and self.only_punches(k, slot)
            else self.stage[k][v]
        )

    def after_refusal(self, k, v):
        """The stage of a value when a request has been refused, which a read never settles: NOTHING is not a value."""
        return (
            settled(self.stage[k][v], self.another(REQUEST, self.calls[me].of[REQUEST].writes))
            if number(self.calls[me].of[REQUEST].writes) == v
            else self.stage[k][v]
        )

    def only_punches(self, k, slot):
        """Whether everything but zeros had taken effect when a call began."""
        return all(self.calls[me].of[slot].stage[k][y] in OVER for y in range(ZERO + 1, EOF))

    def judged(self, slot, n):
        """What a read is that returns the n-th value; the first that is wrong is kept."""
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
        """The stage of a value when a read has returned another one or the same; a wrong one teaches nothing."""
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
        """The same, of a read that may have shown that a write under way has taken effect: what that has overwritten is
        gone, and its own value is settled if no other write can be meant."""
        return (
            (Stage.SETTLED if self.sources(value) == 1 and self.shows(v, value, n, True) else self.stage[SEEN][v])
            if v == n
            else Stage.GONE
            if self.shows(v, value, n, False)
            else self.stage[SEEN][v]
        )

    def sources(self, value):
        """How many writes under way, or refused, have this value."""
        return sum(sum(1 if self.calls[t].of[s].writes == value else 0 for s in range(self.slots)) for t in threads())

    def shows(self, v, value, n, anyway):
        """Whether the n-th value comes from a write under way (nobody could be given it when that began), which has
        overwritten another, or `anyway`."""
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
    """The place of a value among VALUES, or NONE."""
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
    """The stage of a value of which a write has ended, unless `another` is under way."""
    return stage if another or stage == Stage.GONE else Stage.SETTLED


def one_more(stage, possible):
    """The stage of a value of which a write begins; `possible`: that write can leave it."""
    return (Stage.UNDER_WAY if possible else Stage.GONE) if stage == Stage.GONE else Stage.SEVERAL
