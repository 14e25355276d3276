"""Numbers below zero, indexes outside, an index that its own statement changes, options that are closed, asserts."""

from dio_mc import *
from z3 import Implies

class M(Model):
    x = Var(Range(-3, 3), init=any)
    y = Var(Range(0, 2))
    b = Array(Range(0, 2), size=(2, 3))
    flag = Var(bool)

    @thread(instances=2)
    def t(self, k):
        v = self.x
        self.y = (v - 1) // 2 % 3
        rest = v % 3
        less = k - v
        w: Range(0, 1) = k
        self.flag = rest == 2 and less > -2
        w, self.b[w][self.y] = 1 - w, 1
        self.b[w][2] = choose(i for i in range(3) if self.b[0][i] <= k)

    @thread(daemon=True)
    def d(self):
        wait_until(self.y == 2)
        assert self.x != 3
        self.y, self.b[0][self.y] = 0, 2
        wait_until(self.flag)

    @invariant
    def p(self):
        return Implies(self.b[self.y][self.y + 1] == 1, self.x % 2 == 1)

    @invariant
    def q(self, after):
        return after.y <= self.y or (self.x - 2) // 2 == -1 or after.b[1][0] == 0
