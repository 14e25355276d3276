"""Dining philosophers (Dijkstra 1971): n locks in a circle. If all take the left one first, they can deadlock."""

from dio_mc import Array, Model, Mutex, Param, expect, operation, thread


class Philosophers(Model):
    """Each takes the left fork, then the right one, and puts both back."""

    n = Param(3, min=2, max=5)
    fork = Array(Mutex, size=n)

    @thread(instances=n)
    def philosopher(self, k):
        self.dine(k, (k + 1) % self.n)

    @operation()
    def dine(self, first, second):
        self.fork[first].lock()
        self.fork[second].lock()
        self.fork[second].unlock()
        self.fork[first].unlock()


class Ordered(Philosophers):
    """The fix: the lower fork first.

    Only deadlock is checked, and no property says what a fork protects: `dio-mc mutate` drops
    either lock unnoticed, since fewer locks form no circle either (docs/mutation.md).
    """

    @operation()
    def dine(self, first, second):
        super().dine(min(first, second), max(first, second))


expect(Philosophers, violates={"deadlock"})
expect(Philosophers, violates={"deadlock"}, n=2)
expect(Philosophers, violates={"deadlock"}, n=5)
expect(Ordered, holds=True)
expect(Ordered, holds=True, n=5)
