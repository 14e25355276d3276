"""Models of which something is known for any number, and models that do not meet a condition each."""

from __future__ import annotations

from dio_mc import (
    Array,
    DrainCounter,
    Model,
    Mutex,
    Param,
    PerThread,
    Range,
    RWSem,
    ThreadId,
    Var,
    atomic,
    choose,
    crash,
    invariant,
    me,
    operation,
    spawn,
    thread,
    threads,
    wait_until,
)


class Exclusive(Model):
    """Any number of writers under a lock: the two stores of one are never apart."""

    a = Var(bool)
    b = Var(bool)
    lock = Mutex()

    @thread
    def writer(self):
        while True:
            self.lock.lock()
            self.a = not self.b
            self.b = self.a
            self.lock.unlock()

    @invariant
    def alike(self):
        return self.lock.is_locked() or self.a == self.b

    @invariant
    def no_two(self):
        return all(not (self.lock.held_by(t)) or self.lock.owner is not None for t in threads(self.writer))


class Unlocked(Exclusive):
    """One writer alone is right; two are not."""

    @thread
    def writer(self):
        while True:
            self.a = not self.b
            self.b = self.a

    @invariant
    def alike(self):
        return not self.at_rest() or self.a == self.b

    @invariant
    def no_two(self):
        return True


class Three(Model):
    """Goes wrong with three, not with two."""

    n = Var(Range(0, 3))

    @thread
    def worker(self):
        with atomic():
            wait_until(self.n < 3)
            self.n += 1

    @invariant
    def below_three(self):
        return self.n < 3


class Completes(Model):
    """Completions of any number of submitters, one after another under a lock that they are handed."""

    done = Var(bool)
    io = Mutex()

    @thread
    def submitter(self):
        self.io.lock()
        self.done = False
        with atomic():
            self.io.hand_over()
            spawn(self.end_io)

    @operation()
    def end_io(self):
        self.done = True
        self.io.unlock_non_owner()

    @invariant
    def held_while_in_flight(self):
        return self.done or self.io.is_locked() or True


class Drained(Model):
    """Any number of direct writes are counted, and waited for; a completion ends what its submitter began."""

    freed = Var(bool)
    touched = Var(bool)
    in_flight = DrainCounter(max=1)
    sem = RWSem()

    @thread
    def submitter(self):
        self.sem.down_read()
        freed = self.freed
        if not freed:
            self.in_flight.begin()
            spawn(self.end_io)
        self.sem.up_read()

    @operation()
    def end_io(self):
        self.touched = self.touched or self.freed
        self.in_flight.end()

    @thread
    def truncater(self):
        self.sem.down_write()
        self.in_flight.wait()
        self.freed = True
        self.sem.up_write()

    @invariant
    def never_after(self):
        return not self.touched

    @invariant
    def freed_at_rest(self):
        return not self.at_rest() or self.freed


class CountsLate(Drained):
    """The completion is started before it is counted."""

    @thread
    def submitter(self):
        self.sem.down_read()
        freed = self.freed
        self.sem.up_read()
        if not freed:
            self.in_flight.begin()
            spawn(self.end_io)


class EndsForOthers(Drained):
    """Who ends did not begin: the count is a number with a bound."""

    @thread
    def submitter(self):
        self.in_flight.begin()

    @thread
    def truncater(self):
        with atomic():
            wait_until(self.in_flight.count > 0)
            self.in_flight.end()


class Permits(Model):
    """No more than two hold a permit: three threads can tell."""

    free = Var(Range(0, 2), init=2)
    inside = PerThread(bool)

    @thread
    def worker(self):
        while True:
            with atomic():
                wait_until(self.free > 0)
                self.free -= 1
            self.inside[me] = True
            self.inside[me] = False
            self.free += 1

    @invariant
    def fits(self):
        return self.free < 2 or not any(self.inside)


class Doubled(Model):
    """There are twice as many of the others."""

    readers = Param(2)
    n = Var(Range(0, 9))

    @thread(instances=readers)
    def reader(self):
        wait_until(self.n < 7)

    @thread(instances=2 * readers)
    def other(self):
        with atomic():
            self.n += 1

    @invariant
    def small(self):
        return self.n < 9


class Takes(Model):
    """Who came last is remembered, and knows when it is no longer the last."""

    last = Var(ThreadId | None)
    alone = PerThread(bool)

    @thread
    def worker(self):
        while True:
            self.last = me
            with atomic():
                wait_until(self.last != me)
                self.alone[me] = True

    @invariant
    def one_waits(self):
        return any(not self.alone[t] or self.last == t for t in threads(self.worker))


class Numbered(Model):
    """Readers with numbers and rows of their own, readers and writers by a semaphore."""

    readers = Param(2, min=1, max=3)
    seen = Array(Range(0, 2), size=readers)
    first = Var(Range(0, 1))
    second = Var(Range(0, 1))
    sem = RWSem()

    @thread(instances=readers)
    def reader(self, k):
        self.sem.down_read()
        x = self.first
        self.seen[k] = 2 if self.second != x else x
        self.sem.up_read()

    @thread
    def writer(self):
        while True:
            self.sem.down_write()
            self.first = 1 - self.second
            self.second = self.first
            self.sem.up_write()

    @invariant
    def whole(self):
        return all(self.seen[k] != 2 for k in range(self.readers))


class Torn(Numbered):
    """Without the semaphore."""

    @thread(instances=Numbered.readers)
    def reader(self, k):
        x = self.first
        self.seen[k] = 2 if self.second != x else x


# --- one condition each -----------------------------------------------------------------------------------------------


class Base(Model, abstract=True):
    x = Var(Range(0, 3))

    @thread
    def single(self):
        self.x = 0

    @invariant
    def small(self):
        return self.x < 3


class Ordered(Base):
    owner = Var(ThreadId)

    @thread
    def worker(self):
        wait_until(self.owner <= me)
        self.owner = me


class Leader(Base):
    workers = Param(2)

    @thread(instances=workers)
    def worker(self, k):
        if k == 0:
            self.x = 1


class StartsDifferently(Base):
    workers = Param(2)
    row = Array(Range(0, 9), size=4, init=[0, 1, 2, 3])
    mine = Array(bool, size=workers)

    @thread(instances=workers)
    def worker(self, k):
        self.row[k] = 1


class Follows(Base):
    owner = Var(ThreadId | None)
    next = PerThread(ThreadId | None)

    @thread
    def worker(self):
        self.owner = me
        self.next[me] = self.owner


class NamesOne(Base):
    busy = PerThread(bool)

    @thread
    def worker(self):
        self.busy[me] = True
        wait_until(self.busy[threads(self.worker)[0]])


class AsksForMore(Base):
    want = PerThread(Range(0, 3))

    @thread
    def worker(self):
        self.want[me] = 1
        wait_until(not any(self.want[t] == self.x for t in threads(self.worker)))


class ThreeAtOnce(Base):
    busy = PerThread(bool)

    @thread
    def worker(self):
        self.busy[me] = choose(True, False)

    @invariant
    def together(self):
        return (
            all(self.busy[t] for t in threads(self.worker))
            or all(not self.busy[t] for t in threads(self.worker))
            or all(self.busy[t] for t in threads(self.single))
            or all(self.busy[t] or self.x == 1 for t in threads(self.worker))
        )


class Unrolled(Base):
    busy = PerThread(bool)

    @thread
    def worker(self):
        self.busy[me] = True
        for _ in threads(self.worker):
            self.x = 1


class Sized(Base):
    taken = Array(bool, size=3)

    @thread(instances=2)
    def worker(self, k):
        self.taken[k] = True


class LosesPower(Base):
    durable = ("x",)

    @thread
    def worker(self):
        self.x = 1

    @thread(daemon=True)
    def power(self):
        crash()
        return


class Counted(Base):
    workers = Param(2)
    n = Var(Range(0, workers))

    @thread(instances=workers)
    def worker(self):
        with atomic():
            wait_until(self.n < self.workers)
            self.n += 1


class Summed(Base):
    busy = PerThread(bool)

    @thread
    def worker(self):
        self.busy[me] = True
        wait_until(sum(self.busy[t] for t in threads()) < 9)


class Computed(Base):
    half = Param(1)

    @thread(instances=2 * half)
    def worker(self):
        self.x = 1
