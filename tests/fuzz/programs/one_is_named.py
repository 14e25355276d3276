"""Three threads that are alike but for a statement that names one of their cells."""

from dio_mc import *

class M(Model):
    a = Array(Range(0, 1), size=3)
    x = Var(Range(0, 2))

    @thread(instances=3)
    def t(self, k):
        self.a[k] = 1
        self.x = self.a[0] + 1

    @invariant
    def p(self):
        return self.x != 1

    @invariant
    def q(self):
        return self.x != 2
