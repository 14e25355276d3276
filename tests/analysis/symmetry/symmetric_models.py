"""Models with symmetry of every kind, and models that break it in one place."""

from enum import Enum

from dio_mc import (
    Array,
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


class Page(Enum):
    CLEAN = 0
    DIRTY = 1
    WRITEBACK = 2


class Both(Model):
    """Threads and pages may be exchanged: pages are picked, never counted."""

    pages = Param(3, min=1, max=4)
    page = Array(Page, size=pages)
    owner = Array(ThreadId | None, size=pages)
    last = Var(Range(0, 3) | None)
    seen = PerThread(bool)

    @thread(instances=2)
    def writer(self):
        with atomic():
            i = choose(range(self.pages))
            wait_until(self.owner[i] is None)
            self.owner[i] = me
        with atomic():
            self.page[i] = Page.DIRTY
            self.last = i
        with atomic():
            self.owner[i] = None
            self.seen[me] = True

    @thread(daemon=True)
    def flusher(self):
        while True:
            with atomic():
                j = choose(range(self.pages))
                wait_until(self.page[j] == Page.DIRTY)
                self.page[j] = Page.WRITEBACK
            self.page[j] = Page.CLEAN

    @invariant
    def one_writeback(self):
        return not any(
            self.page[i] == Page.WRITEBACK and self.page[j] == Page.WRITEBACK and self.last == i
            for i in range(self.pages)
            for j in range(self.pages)
            if i != j
        )


class FirstPage(Both):
    """A property that names page 0."""

    @invariant
    def zero_is_clean_when_last(self):
        return self.last == 0 or self.page[0] != Page.WRITEBACK


class PerPage(Model):
    """One thread for each page, and two that pick one: a sort with instances and indices."""

    n = Param(3, min=1, max=4)
    page = Array(Page, size=n)
    lock = Mutex()

    @thread(instances=n)
    def mapper(self, k):
        self.page[k] = Page.DIRTY
        self.lock.lock()
        self.page[k] = Page.CLEAN
        self.lock.unlock()

    @thread(instances=2)
    def cleaner(self):
        with atomic():
            i = choose(range(self.n))
            wait_until(self.page[i] == Page.DIRTY)
            self.page[i] = Page.WRITEBACK
        self.page[i] = Page.CLEAN

    @invariant
    def never_all(self):
        return not all(self.page[i] == Page.WRITEBACK for i in range(self.n))


class Waits(Model):
    """Threads that name each other: no key, every permutation is tried."""

    waits_for = PerThread(ThreadId | None)
    token = Var(ThreadId | None)

    @thread(instances=3)
    def node(self):
        with atomic():
            self.waits_for[me] = self.token
            self.token = me
        with atomic():
            wait_until(self.waits_for[me] is None or self.waits_for[me] != self.token)
            self.waits_for[me] = None

    @invariant
    def never_itself(self):
        return not any(self.waits_for[t] == t for t in threads())


class Ordered(Model):
    """The instance with the lower number goes first."""

    turn = Var(Range(0, 3))

    @thread(instances=3)
    def node(self, k):
        wait_until(self.turn >= k)
        self.turn = k

    @invariant
    def fine(self):
        return self.turn <= 3


class Leader(Model):
    """Instance 0 is not like the others."""

    done = Array(bool, size=3)

    @thread(instances=3)
    def node(self, k):
        with atomic():
            wait_until(k == 0 or self.done[0])
            self.done[k] = True

    @invariant
    def fine(self):
        return self.done[0] or not any(self.done[k] for k in range(3))


class Scans(Model):
    """Pages are walked through in order."""

    page = Array(Page, size=2)

    @thread
    def scanner(self):
        for i in range(2):
            self.page[i] = Page.DIRTY

    @invariant
    def fine(self):
        return self.page[0] != Page.WRITEBACK


class Spawns(Model):
    """Which of two slots a spawn takes depends on their order."""

    count = Var(Range(0, 3))

    @thread
    def starter(self):
        spawn(self.worker)
        spawn(self.worker)

    @operation(slots=2)
    def worker(self):
        with atomic():
            self.count += 1

    @invariant
    def fine(self):
        return self.count <= 2


class Torn(PerPage):
    """A step property that fails, some way in: both cleaners at work, and a page written again."""

    @invariant
    def no_page_is_cleaned_twice(self, after):
        return not any(
            self.page[i] == Page.WRITEBACK and self.page[j] == Page.WRITEBACK and after.page[i] == Page.CLEAN
            for i in range(self.n)
            for j in range(self.n)
            if i != j
        )


class Stuck(PerPage):
    """A deadlock, when a mapper keeps the lock."""

    @thread(instances=2)
    def taker(self):
        with atomic():
            wait_until(any(self.page[i] == Page.WRITEBACK for i in range(self.n)))
            self.lock.lock()
        with atomic():
            wait_until(not any(self.page[i] == Page.DIRTY for i in range(self.n)))
            wait_until(any(self.page[i] == Page.WRITEBACK for i in range(self.n)))
            self.lock.unlock()


class Broken(Both):
    """An assertion and an index that fail."""

    @thread(instances=2)
    def reader(self):
        with atomic():
            k = choose(range(self.pages))
            wait_until(self.last == k)
            assert self.page[k] != Page.WRITEBACK, "read under writeback"
