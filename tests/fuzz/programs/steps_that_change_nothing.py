"""A step that leads back to the state that it comes from is one all the same."""

from dio_mc import *

class M(Model):
    x = Var(Range(0, 2))
    y = Var(Range(0, 2))

    @thread
    def t(self):
        self.x = 1
        self.x = 2

    @thread(daemon=True)
    def e(self):
        while True:
            self.y = 2

    @invariant
    def p(self, after):
        return after.x != self.x or after.y != self.y
