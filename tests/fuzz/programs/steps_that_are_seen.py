"""A step invariant is about every step, also one that changes nothing of what it reads."""

from dio_mc import *

class M(Model):
    x = Var(bool)
    b = Var(bool)

    @thread
    def u(self):
        self.b = True

    @thread
    def t(self):
        self.x = True

    @invariant
    def p(self, after):
        return not self.x or after.x != self.x
