"""The best run does not begin in the first of the initial states."""

from dio_mc import *

class M(Model):
    x = Var(Range(0, 1), init=any)
    a = Var(bool)
    bad = Var(bool)

    @thread
    def t(self):
        self.a = True
        if self.x == 1:
            self.bad = True

    @thread
    def u(self):
        wait_until(self.a and self.x == 0)
        self.bad = True

    @invariant
    def p(self):
        return not self.bad
