"""Two threads increment a counter; the load and the store are two steps, so an increment can be lost."""

from dio_mc import Model, Param, Range, Var, atomic, expect, invariant, operation, thread


class Counter(Model):
    """Each of two threads increments `n` times."""

    n = Param(1, min=1, max=6)
    x = Var(Range(0, 2 * n))

    @thread(instances=2)
    def adder(self):
        for _ in range(self.n):
            self.increment()

    @operation()
    def increment(self):
        seen = self.x
        self.x = seen + 1

    @invariant
    def nothing_lost(self):
        return not self.at_rest() or self.x == 2 * self.n


class AtomicCounter(Counter):
    """The fix: load and store are one step."""

    @operation()
    def increment(self):
        with atomic():
            self.x += 1


expect(Counter, violates={"nothing_lost"})
expect(Counter, violates={"nothing_lost"}, n=3)
expect(AtomicCounter, holds=True, n=3)
