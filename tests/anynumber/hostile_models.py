"""Models that hold with up to three readers, or pages, and not with more: none may be said to hold for any number.

`MANY` is the number with which each is violated, `MORE` the number of those that say so.
"""

from __future__ import annotations

from enum import Enum

from dio_mc import (
    Array,
    DrainCounter,
    Model,
    Mutex,
    Param,
    PerThread,
    Range,
    ThreadId,
    Var,
    atomic,
    choose,
    invariant,
    me,
    operation,
    spawn,
    thread,
    threads,
    wait_until,
)
from dio_mc.lang.locks import Lock

MANY = 4
MORE = 6


class Where(Enum):
    OUT = 0
    IN = 1
    DONE = 2


def too_many(number):
    return number > 3


def four_are_in(model):
    return sum(1 if model.where[t] == Where.IN else 0 for t in threads()) > 3


class Readers(Model, abstract=True):
    readers = Param(2, min=1, max=8)
    deadlock = False

    @invariant
    def anything(self):
        return True


class Inside(Readers, abstract=True):
    """Readers that go in and stay there."""

    where = PerThread(Where)

    @thread(instances=Readers.readers)
    def reader(self):
        self.where[me] = Where.IN


class CountedBySum(Inside):
    @invariant
    def few(self):
        return sum(1 if self.where[t] == Where.IN else 0 for t in threads()) <= 3


class CountedElsewhere(Inside):
    @invariant
    def few(self):
        return not four_are_in(self)


class CountedAbove(Inside):
    """By a function that a class further down overrides, and asks; with `MORE`."""

    def crowded(self):
        return self.readers > 5

    @invariant
    def few(self):
        return not self.crowded()


class CountedAboveBySuper(CountedAbove):
    def crowded(self):
        return super().crowded()


class CountedAboveByName(CountedAbove):
    def crowded(self):
        return CountedAbove.crowded(self)


class Shown(Lock):
    """A lock that three may hold."""

    held = Var(Range(0, 3))

    def enter(self):
        wait_until(self.held < 3)
        self.held = self.held + 1


class ThreeMayEnter(Inside):
    """The fourth waits for ever: nothing but its absence tells."""

    gate = Shown()

    @thread(instances=Readers.readers)
    def reader(self):
        self.gate.enter()
        self.where[me] = Where.IN

    @invariant
    def everybody(self):
        return sum(1 if self.where[t] == Where.IN else 0 for t in threads(self.reader)) != 3 or not any(
            self.where[t] == Where.OUT for t in threads(self.reader)
        )


class FourQuantifiers(Inside):
    @invariant
    def few(self):
        return not any(
            self.where[a] == Where.IN
            and any(
                b != a
                and self.where[b] == Where.IN
                and any(
                    c not in (a, b)
                    and self.where[c] == Where.IN
                    and any(d not in (a, b, c) and self.where[d] == Where.IN for d in threads())
                    for c in threads()
                )
                for b in threads()
            )
            for a in threads()
        )


class BoundedCounter(Readers):
    inside = Var(Range(0, 3))

    @thread(instances=Readers.readers)
    def reader(self):
        with atomic():
            self.inside = self.inside + 1


class Switched(Readers):
    """Counts where that is asked for."""

    counts = Param(1, min=0, max=1)
    inside = Var(Range(0, 3))

    @thread(instances=Readers.readers)
    def reader(self):
        with atomic():
            self.inside = self.inside + self.counts


class CountsRound(Readers):
    """The fourth finds zero again."""

    turn = Var(Range(0, 3))
    broken = Var(bool)

    @thread(instances=Readers.readers)
    def reader(self):
        with atomic():
            self.turn = (self.turn + 1) % 4
            self.broken = self.broken or self.turn == 0

    @invariant
    def whole(self):
        return not self.broken


class NumberAsked(Readers):
    """With `MORE`."""

    broken = Var(bool)

    @thread(instances=Readers.readers)
    def reader(self):
        if self.readers > 5:
            self.broken = True

    @invariant
    def whole(self):
        return not self.broken


class NumberHandedOn(Readers):
    broken = Var(bool)

    @thread(instances=Readers.readers)
    def reader(self):
        self.broken = too_many(self.readers)

    @invariant
    def whole(self):
        return not self.broken


class SmallerOfTwo(Readers):
    broken = Var(bool)

    @thread(instances=Readers.readers)
    def reader(self):
        self.broken = max(self.readers, 3) != 3

    @invariant
    def whole(self):
        return not self.broken


class OwnNumber(Readers):
    broken = Var(bool)

    @thread(instances=Readers.readers)
    def reader(self, k):
        self.broken = self.broken or k == 3

    @invariant
    def whole(self):
        return not self.broken


class ComparedByOrder(Readers):
    """Each that comes has to have a larger id than the last one; the third in a row is broken by a fourth."""

    last = Var(ThreadId)
    rises = Var(Range(0, 3))

    @thread(instances=Readers.readers)
    def reader(self):
        with atomic():
            if self.last < me:
                self.rises = min(self.rises + 1, 3)
            self.last = me

    @invariant
    def few(self):
        return self.rises != 3


class IdsInAnArray(Readers):
    """Three places, one after the other; the fourth finds them taken."""

    seat = Array(ThreadId | None, size=3)
    broken = Var(bool)

    @thread(instances=Readers.readers)
    def reader(self):
        with atomic():
            if self.seat[0] is None:
                self.seat[0] = me
            elif self.seat[1] is None:
                self.seat[1] = me
            elif self.seat[2] is None:
                self.seat[2] = me
            else:
                self.broken = True

    @invariant
    def whole(self):
        return not self.broken


class Seats(Readers):
    """The same with three variables."""

    first = Var(ThreadId | None)
    second = Var(ThreadId | None)
    third = Var(ThreadId | None)

    @thread(instances=Readers.readers)
    def reader(self):
        with atomic():
            if self.first is None:
                self.first = me
            elif self.second is None:
                self.second = me
            elif self.third is None:
                self.third = me

    @invariant
    def everybody_sits(self):
        return not self.at_rest() or all(t in (self.first, self.second, self.third) for t in threads())


class StartsUnlike(Readers):
    """The fourth element is another one at first."""

    mark = Array(bool, size=8, init=[False, False, False, True, False, False, False, False])
    broken = Var(bool)

    @thread(instances=Readers.readers)
    def reader(self, k):
        self.broken = self.broken or self.mark[k]

    @invariant
    def whole(self):
        return not self.broken


class Spawned(Readers):
    """Four completions at once."""

    inside = Var(Range(0, 3))

    @thread(instances=Readers.readers)
    def reader(self):
        spawn(self.completion)

    @operation(slots=8)
    def completion(self):
        with atomic():
            self.inside = self.inside + 1


class AllAreIn(Inside):
    """A daemon that sees three marks, and one thread beside them that has none."""

    marks = Var(Range(0, 3))
    broken = Var(bool)

    @thread(instances=Readers.readers)
    def reader(self):
        with atomic():
            if self.marks == 3:
                self.broken = not any(self.where[t] == Where.DONE for t in threads())
            else:
                self.marks = self.marks + 1

    @invariant
    def whole(self):
        return not self.broken


class Relay(Readers):
    """A baton goes through three hands, and a fourth drops it."""

    baton = Var(ThreadId | None)
    hands = Var(Range(0, 4))
    had = PerThread(bool)

    @thread(instances=Readers.readers)
    def reader(self):
        with atomic():
            wait_until(self.baton is None)
            self.baton, self.had[me] = me, True
        with atomic():
            self.baton = None
            self.hands = min(self.hands + 1, 4)

    @invariant
    def few(self):
        return self.hands != 4 or not self.at_rest()


class InFlight(Readers):
    flight = DrainCounter()

    @thread(instances=Readers.readers)
    def reader(self):
        self.flight.begin()

    @invariant
    def few(self):
        return self.flight.count <= 3


class Loops(Inside):
    """A statement that counts them."""

    broken = Var(bool)

    @thread
    def watcher(self):
        seen: Range(0, 4) = 0
        with atomic():
            for t in threads():
                if self.where[t] == Where.IN:
                    seen = min(seen + 1, 4)
            self.broken = seen == 4

    @invariant
    def whole(self):
        return not self.broken


class Chosen(Readers):
    broken = Var(bool)

    @thread(instances=Readers.readers)
    def reader(self):
        n = choose(range(self.readers))
        self.broken = self.broken or n == 3

    @invariant
    def whole(self):
        return not self.broken


class Turns(Readers):
    """Each takes a lock once; the fourth time it breaks."""

    lock = Mutex()
    turns = Var(Range(0, 4))

    @thread(instances=Readers.readers)
    def reader(self):
        self.lock.lock()
        self.turns = self.turns + 1
        self.lock.unlock()

    @invariant
    def few(self):
        return self.turns != 4


class Ranks(Readers):
    """Four ranks, dealt in turn: with five of them two would be alike, with four the last is the highest."""

    next = Var(Range(0, 3))
    rank = PerThread(Range(0, 3))

    @thread(instances=Readers.readers)
    def reader(self):
        with atomic():
            self.rank[me], self.next = self.next, (self.next + 1) % 4

    @invariant
    def no_highest(self):
        return all(self.rank[t] != 3 for t in threads())


class Pages(Model, abstract=True):
    pages = Param(2, min=1, max=8)
    deadlock = False
    dirty = Array(bool, size=pages)

    @invariant
    def anything(self):
        return True


class PagesCounted(Pages):
    many = Var(Range(0, 3))

    @thread
    def writer(self):
        for i in range(self.pages):
            with atomic():
                self.dirty[i] = True
                self.many = self.many + 1


class PagesSummed(Pages):
    @thread
    def writer(self):
        for i in range(self.pages):
            self.dirty[i] = True

    @invariant
    def few(self):
        return sum(1 if self.dirty[i] else 0 for i in range(self.pages)) <= 3


class PageOfANumber(Pages):
    broken = Var(bool)

    @thread
    def writer(self):
        for i in range(self.pages):
            self.broken = self.broken or i == 3

    @invariant
    def whole(self):
        return not self.broken
