"""Three threads that are alike, and properties that name one of their cells, from either end."""

from dio_mc import *

class M(Model):
    a = Array(Range(0, 1), size=3)

    @thread(instances=3)
    def t(self, k):
        self.a[k] = 1

    @invariant
    def p(self):
        return not (self.a[0] == 1 and self.a[2] == 0)

    @invariant
    def q(self):
        return not (self.a[2] == 1 and self.a[0] == 0)
