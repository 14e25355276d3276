"""Properties that read so much that machine code evaluates them: an index outside, numbers below zero."""

from dio_mc import *
from z3 import Implies

class M(Model):
    x = Var(Range(0, 3))
    y = Var(Range(-5, 9999))
    a = Array(Range(0, 2), size=2, init=[0, 1])

    @thread
    def t(self):
        self.y = (self.y * 7 + 3) % 9999
        self.y = self.y - 5
        self.x = 3
        self.y = (self.y - 4) % 9999

    @thread
    def u(self):
        self.a[0] = 2

    @invariant
    def outside(self):
        return self.x < 2 or self.a[self.x] != 1 or self.y > 9998

    @invariant
    def below(self):
        return (self.y - 8) // 5 != -2 or (self.y - 9) % 5 != 4

    @invariant
    def step(self, after):
        return Implies(after.x == 3, after.a[self.x + 5] == 1) and (after.y - self.y) // 4 > -2
