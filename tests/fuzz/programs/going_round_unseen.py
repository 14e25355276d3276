"""Who goes round for ever, unseen by all properties, does not keep the others from being looked at."""

from dio_mc import *

class M(Model):
    a = Var(bool)
    y = Var(Range(0, 2))

    @thread(daemon=True)
    def d(self):
        while True:
            self.a = not self.a

    @thread
    def t(self):
        self.y = 1
        self.y = 2

    @invariant
    def p(self):
        return self.y != 2
