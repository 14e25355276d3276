"""Models whose threads mostly mind their own pages, and what they have in common."""

from dio_mc import Array, Model, Mutex, Param, Range, Var, atomic, invariant, reachable, thread, wait_until


class Pages(Model):
    """A writer per page: nobody touches another's page until all are written, and then somebody counts."""

    writers = Param(3, min=1, max=5)
    page = Array(Range(0, 3), size=writers)
    done = Var(Range(0, 5))

    @thread(instances=writers)
    def writer(self, k: int):
        self.page[k] = 1
        self.page[k] = 2
        self.page[k] = 3
        with atomic():
            self.done += 1

    @invariant
    def all_or_not(self):
        """The last one is not missed."""
        return self.done <= self.writers


class Torn(Pages):
    """With an invariant that the last of them breaks."""

    @invariant
    def not_all(self):
        return self.done < self.writers


class Turning(Model):
    """One thread that goes round forever on its own data, and one that does what must not be done."""

    mine = Var(bool)
    bad = Var(bool)

    @thread(daemon=True)
    def turner(self):
        while True:
            self.mine = not self.mine

    @thread
    def culprit(self):
        self.bad = True

    @invariant
    def good(self):
        return not self.bad


class Stuck(Pages):
    """Every run ends in a deadlock: what the writers wait for never comes."""

    go = Var(bool)

    @thread(instances=Pages.writers)
    def writer(self, k: int):
        self.page[k] = 1
        self.page[k] = 2
        wait_until(self.go)


class Crossed(Pages):
    """Two locks taken in opposite orders, beside writers who need neither. With other ways to go wrong, at other depths."""

    a = Mutex()
    b = Mutex()
    met = Var(Range(0, 2))

    @thread
    def one(self):
        self.a.lock()
        self.b.lock()
        self.b.unlock()
        self.a.unlock()
        self.met += 1
        assert self.met < 2

    @thread
    def two(self):
        self.b.lock()
        self.a.lock()
        self.a.unlock()
        self.b.unlock()
        self.met += 1

    @invariant
    def not_all(self):
        return self.done < self.writers

    @reachable
    def both_met(self):
        return self.met == 2


class Early(Pages):
    """What goes wrong in two steps, and in every state after them."""

    bad = Var(bool)

    @thread
    def culprit(self):
        self.bad = True
        assert not self.bad

    @invariant
    def good(self):
        return not self.bad
