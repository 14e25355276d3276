"""Cells of five values, so many that they share bits in machine code."""

from dio_mc import *

class M(Model):
    a = Array(Range(0, 4), size=24)
    x = Var(Range(0, 4))

    @thread
    def t(self):
        with atomic():
            for i in range(24):
                self.a[i] = (self.a[i] * 2 + i + self.x) % 5
        self.x = self.a[3]
        self.a[2] = self.a[21]

    @thread
    def u(self):
        self.x = 1
        self.x = self.a[20]

    @invariant
    def p(self):
        return self.a[2] != 2 or self.x != 3
