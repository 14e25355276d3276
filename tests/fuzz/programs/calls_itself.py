"""Calls of one operation that are under way at once, each with locals of its own; one that is too deep, by a choice of
two threads that are alike; two operations that call each other."""

from dio_mc import *

class M(Model):
    x = Var(Range(0, 3))
    a = Array(Range(0, 3), size=3)

    @operation(depth=2)
    def down(self, i):
        self.a[i] = i
        if self.x < i:
            below = self.down(i - 1)
            self.x = below
            self.a[i] = 3 - i
        return i

    @operation()
    def first(self, i):
        self.second(i)

    @operation(depth=2)
    def second(self, i):
        if i > 0:
            self.first(i - 1)
            self.x = i

    @thread(instances=2)
    def t(self):
        got = self.down(1)

    @thread
    def u(self):
        more = choose(1, 2)
        got = self.down(more)
        with atomic():
            self.first(got - 1)

    @reachable
    def inner_and_outer(self):
        return self.inside(self.down, i=0) and self.inside(self.down, i=2)

    @invariant
    def alone(self):
        return not self.inside(self.down, i=0) or self.x != 2

    @progress
    def ends(self):
        return self.finished(self.u)
