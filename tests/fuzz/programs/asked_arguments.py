"""An argument that is asked for where no statement reads it any more; indexes outside; premises that are false."""

from dio_mc import *
from z3 import Implies

class M(Model):
    x = Var(Range(0, 3))
    a = Array(Range(0, 2), size=2, init=[0, 1])

    @operation()
    def op(self, i):
        self.a[i] = 2
        self.x = 1 + i
        self.x = 3

    @thread
    def t(self):
        self.op(0)
        self.op(1)

    @thread
    def u(self):
        self.x = 0

    @reachable
    def second(self):
        return self.inside(self.op, i=1) and self.x == 2

    @invariant
    def first(self):
        return Implies(self.inside(self.op, i=0), self.x < 3)

    @invariant
    def outside(self):
        return self.x != 3 or self.a[self.x] != 2

    @invariant
    def premise(self):
        return Implies(self.x == 1, self.a[0] == 2) and Implies(self.a[1] == 0, self.x == 2)

    @invariant
    def step(self, after):
        return Implies(after.x == 3, after.a[self.x - 1] == 2 and self.x > 0)
