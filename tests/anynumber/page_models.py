"""Models of which something is known for any number of pages, and models that do not meet a condition each."""

from __future__ import annotations

from dio_mc import (
    Array,
    Model,
    Mutex,
    PageLock,
    Param,
    PerThread,
    Range,
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


class Base(Model, abstract=True):
    pages = Param(2)
    page = Array(Range(0, 2), size=pages)
    lock = Array(PageLock, size=pages)
    x = Var(Range(0, 3))

    @invariant
    def whole(self):
        return all(self.page[i] != 1 or self.lock[i].is_locked() for i in range(self.pages))


class Locked(Base):
    """Any number of writers go through any number of pages, under the lock of each."""

    @thread
    def writer(self):
        for i in range(self.pages):
            self.lock[i].lock()
            self.page[i] = 1
            self.page[i] = 2
            self.lock[i].unlock()


class Unlocked(Base):
    """One writer stores outside of the lock, to one page that it chooses."""

    @thread
    def writer(self):
        i = choose(range(self.pages))
        self.page[i] = 1
        self.page[i] = 2


class TwoLoops(Base):
    """The second loop begins when the first has been through all pages: no page is at 2 while another is at 0."""

    @thread
    def writer(self):
        for i in range(self.pages):
            self.page[i] = 2
        for j in range(self.pages):
            assert self.page[j] == 2
        self.x = 1

    @invariant
    def seen_by_all(self):
        return self.x == 0 or all(self.page[i] == 2 for i in range(self.pages))


class LeavesOneOut(TwoLoops):
    """One of the pages is left as it was."""

    @thread
    def writer(self):
        k = choose(range(self.pages))
        for i in range(self.pages):
            if i != k:
                self.page[i] = 2
            else:
                self.x = 0
        self.x = 1


class Waits(Base):
    """A sweep waits until no page is dirty; whoever there is for each page cleans it. A completion ends it."""

    dirty = Array(bool, size=Base.pages)

    @thread(instances=Base.pages)
    def cleaner(self, i):
        self.dirty[i] = True
        self.page[i] = 2
        spawn(self.completion, i)

    @operation()
    def completion(self, i):
        self.dirty[i] = False

    @thread
    def sweeper(self):
        wait_until(all(not self.dirty[i] for i in range(self.pages)))
        self.x = 1

    @invariant
    def clean_at_rest(self):
        return not self.at_rest() or all(not self.dirty[i] for i in range(self.pages))


class Cleans(Base):
    """What is seen of one page decides what is stored in common data."""

    @thread
    def cleaner(self):
        for i in range(self.pages):
            wait_until(self.page[i] == 0)
            self.page[i] = 2
        wait_until(all(self.page[i] == 2 for i in range(self.pages)))
        self.x = 1


class Ends(Base):
    """A lock that is not held is unlocked."""

    @thread
    def worker(self):
        i = choose(range(self.pages))
        self.lock[i].unlock()


class OnlyOne(Base):
    """Something happens where there is one page only."""

    busy = PerThread(bool, init=True)

    @thread(instances=Base.pages)
    def worker(self, i):
        wait_until(not any(self.busy[t] for t in threads() if t != me))
        self.page[i] = 2
        self.x = 1

    @invariant
    def nothing_happens(self):
        return self.x == 0


class Crowd(Base):
    """As many threads as pages, which do not know which is theirs."""

    big = Mutex()

    @thread(instances=Base.pages)
    def worker(self):
        i = choose(range(self.pages))
        self.big.lock()
        self.lock[i].lock()
        self.page[i] = 1
        self.page[i] = 2
        self.lock[i].unlock()
        self.big.unlock()


# --- one condition each -----------------------------------------------------------------------------------------------


class NamesOne(Base):
    @thread
    def worker(self):
        self.page[0] = 2


class ComparesSize(Base):
    @thread
    def worker(self):
        i = choose(range(self.pages))
        if i < 1:
            self.page[i] = 2


class NextPage(Base):
    @thread
    def worker(self):
        i = choose(range(self.pages))
        self.page[(i + 1) % 2] = 2


class StartsInTheMiddle(Base):
    @thread
    def worker(self):
        for i in range(1, self.pages):
            self.page[i] = 2


class TwoPages(Base):
    @thread
    def worker(self):
        i = choose(range(self.pages))
        j = choose(range(self.pages))
        self.page[i] = self.page[j]


class AsksTwoPages(Locked):
    """What is asked of two pages in one step."""

    @thread
    def worker(self):
        i = choose(range(self.pages))
        j = choose(range(self.pages))
        with atomic():
            wait_until(self.page[i] == 0 and self.page[j] == 2)
            self.x = 2
        self.page[i] = 0
        self.page[j] = 0


class AllAtOnce(Base):
    @thread
    def worker(self):
        with atomic():
            for i in range(self.pages):
                self.page[i] = 2


class Remembers(Base):
    last = Var(Range(0, 9))

    @thread
    def worker(self):
        i = choose(range(self.pages))
        self.last = i
        self.page[i] = 2


class OneIsDifferent(Base):
    first = Array(bool, size=2, init=[True, False])

    @thread
    def worker(self):
        i = choose(range(self.pages))
        if self.first[i]:
            self.page[i] = 2


class StartsApart(Base):
    first = Array(bool, size=Base.pages, init=[True, False])

    @thread
    def worker(self):
        i = choose(range(self.pages))
        if self.first[i]:
            self.page[i] = 2


class TwiceAsMany(Base):
    sectors = Array(bool, size=2 * Base.pages)

    @thread
    def worker(self):
        i = choose(range(self.pages))
        self.page[i] = 2
        self.sectors[2 * i] = True


class Related(Locked):
    @invariant
    def ordered(self):
        return all(self.page[i] == self.page[j] for i in range(self.pages) for j in range(self.pages))


class TwoAtOnce(Locked):
    @invariant
    def either(self):
        return all(self.page[i] != 1 for i in range(self.pages)) or all(self.page[i] != 2 for i in range(self.pages))


class NamesFirst(Locked):
    @invariant
    def first(self):
        return self.page[0] != 1 or self.x == 0


class TwoSizes(Locked):
    blocks = Param(2)
    block = Array(bool, size=blocks)


class Summed(Base):
    @thread
    def worker(self):
        i = choose(range(self.pages))
        wait_until(sum(self.page[j] for j in range(self.pages)) == 0)
        self.page[i] = 2


class LastPage(Base):
    @thread
    def worker(self):
        for i in range(self.pages):
            if i == self.pages - 1:
                self.page[i] = 2
