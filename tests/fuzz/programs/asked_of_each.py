"""Threads that are alike, and a property that asks where each stands and with what."""

from dio_mc import *

class M(Model):
    a = Array(Range(0, 1), size=3)

    @operation()
    def op(self, i):
        self.a[i] = 1
        self.a[i] = 0

    @thread(instances=3)
    def t(self, k):
        self.op(k)

    @invariant
    def p(self):
        return not all(self.inside(self.op, i=j) for j in range(3))
