"""The litmus tests of memory models: what two or four threads can see of each other's stores.

Each class looks for the outcome that sequential consistency forbids. The verdicts are those of herd7 for
x86-TSO: of the five only store buffering can happen, and a full barrier in both threads forbids it. Where
stores of a thread may be reordered as well (``memory_model = "pso"``), message passing and 2+2W can happen
too, until the stores are ordered by ``smp_wmb`` or ``smp_store_release``. Loads are in order in both.
"""

from dio_mc import Model, Range, Var, expect, reachable, smp_load_acquire, smp_mb, smp_store_release, smp_wmb, thread


class StoreBuffering(Model):
    """SB: each thread stores, then loads what the other stores."""

    x, y = Var(bool, ordering="relaxed"), Var(bool, ordering="relaxed")
    r0, r1 = Var(bool, init=True), Var(bool, init=True)

    @thread
    def p0(self):
        self.x = True
        seen = self.y
        self.r0 = seen

    @thread
    def p1(self):
        self.y = True
        seen = self.x
        self.r1 = seen

    @reachable
    def neither_sees_the_other(self):
        return self.at_rest() and not self.r0 and not self.r1


class StoreBufferingHalfFenced(StoreBuffering):
    """SB+mb+po."""

    @thread
    def p0(self):
        self.x = True
        smp_mb()
        seen = self.y
        self.r0 = seen


class StoreBufferingFenced(StoreBufferingHalfFenced):
    """SB+mbs."""

    @thread
    def p1(self):
        self.y = True
        smp_mb()
        seen = self.x
        self.r1 = seen


class MessagePassing(Model):
    """MP: one thread stores data, then a flag; the other sees the flag and the old data."""

    x, y = Var(bool, ordering="relaxed"), Var(bool, ordering="relaxed")
    r0, r1 = Var(bool), Var(bool, init=True)

    @thread
    def p0(self):
        self.x = True
        self.y = True

    @thread
    def p1(self):
        flag = self.y
        data = self.x
        self.r0 = flag
        self.r1 = data

    @reachable
    def flag_without_data(self):
        return self.at_rest() and self.r0 and not self.r1


class MessagePassingPso(MessagePassing):
    """MP where stores may be reordered."""

    memory_model = "pso"


class MessagePassingWmb(MessagePassingPso):
    """MP+wmb+rmb."""

    @thread
    def p0(self):
        self.x = True
        smp_wmb()
        self.y = True


class MessagePassingRelease(MessagePassingPso):
    """MP+release+acquire."""

    @thread
    def p0(self):
        self.x = True
        smp_store_release(self.y, True)

    @thread
    def p1(self):
        flag = smp_load_acquire(self.y)
        data = self.x
        self.r0 = flag
        self.r1 = data


class LoadBuffering(Model):
    """LB: each thread loads, then stores what the other loads."""

    x, y = Var(bool, ordering="relaxed"), Var(bool, ordering="relaxed")
    r0, r1 = Var(bool), Var(bool)

    @thread
    def p0(self):
        seen = self.x
        self.y = True
        self.r0 = seen

    @thread
    def p1(self):
        seen = self.y
        self.x = True
        self.r1 = seen

    @reachable
    def both_see_the_other(self):
        return self.at_rest() and self.r0 and self.r1


class IndependentReads(Model):
    """IRIW: two readers see two independent stores in different orders."""

    x, y = Var(bool, ordering="relaxed"), Var(bool, ordering="relaxed")
    r0, r1, r2, r3 = Var(bool), Var(bool, init=True), Var(bool), Var(bool, init=True)
    store_buffer = 1

    @thread
    def p0(self):
        self.x = True

    @thread
    def p1(self):
        self.y = True

    @thread
    def p2(self):
        first = self.x
        second = self.y
        self.r0 = first
        self.r1 = second

    @thread
    def p3(self):
        first = self.y
        second = self.x
        self.r2 = first
        self.r3 = second

    @reachable
    def readers_disagree(self):
        return self.at_rest() and self.r0 and not self.r1 and self.r2 and not self.r3


class TwoPlusTwoWrites(Model):
    """2+2W: two threads store to both variables in opposite orders, and both first stores are last in memory."""

    x, y = Var(Range(0, 2), ordering="relaxed"), Var(Range(0, 2), ordering="relaxed")

    @thread
    def p0(self):
        self.x = 1
        self.y = 2
        smp_mb()

    @thread
    def p1(self):
        self.y = 1
        self.x = 2
        smp_mb()

    @reachable
    def both_first_stores_are_last(self):
        return self.at_rest() and self.x == 1 and self.y == 1


class TwoPlusTwoWritesPso(TwoPlusTwoWrites):
    """2+2W where stores may be reordered."""

    memory_model = "pso"


class TwoPlusTwoWritesWmb(TwoPlusTwoWritesPso):
    """2+2W+wmbs."""

    @thread
    def p0(self):
        self.x = 1
        smp_wmb()
        self.y = 2
        smp_mb()

    @thread
    def p1(self):
        self.y = 1
        smp_wmb()
        self.x = 2
        smp_mb()


expect(StoreBuffering, holds=True)
expect(StoreBufferingHalfFenced, holds=True)
expect(StoreBufferingFenced, violates={"neither_sees_the_other"})
expect(MessagePassing, violates={"flag_without_data"})
expect(MessagePassingPso, holds=True)
expect(MessagePassingWmb, violates={"flag_without_data"})
expect(MessagePassingRelease, violates={"flag_without_data"})
expect(LoadBuffering, violates={"both_see_the_other"})
expect(IndependentReads, violates={"readers_disagree"})
expect(TwoPlusTwoWrites, violates={"both_first_stores_are_last"})
expect(TwoPlusTwoWritesPso, holds=True)
expect(TwoPlusTwoWritesWmb, violates={"both_first_stores_are_last"})
