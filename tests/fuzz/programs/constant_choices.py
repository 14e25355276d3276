"""A choice between two truths that are constants (all threads are daemons, so they are at rest), in a disjunction."""

from dio_mc import *
from z3 import If

class M(Model):
    x = Var(Range(0, 2))

    @thread(instances=2, daemon=True)
    def t(self, k):
        while True:
            self.x = k

    @invariant
    def p(self):
        return If(self.x >= 1, self.at_rest(), self.at_rest()) or self.finished(self.t)

    @invariant
    def q(self):
        return not If(self.x >= 1, self.at_rest(), not self.at_rest())

    @reachable
    def r(self):
        return If(self.x >= 1, self.at_rest(), self.finished(self.t))
