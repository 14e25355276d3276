"""The best run is neither to the end that is found first nor over the option that comes first."""

from dio_mc import *

class M(Model):
    x = Var(bool)
    y = Var(Range(0, 3))
    c = Var(bool)
    last = Var(bool)

    @thread
    def t(self):
        self.x = True

    @thread
    def u(self):
        self.y = 1
        self.y = 2

    @thread
    def v(self):
        if choose(True, False):
            wait_until(self.x)
        else:
            self.c = True
            self.c = False
        self.last = True

    @thread
    def w(self):
        if choose(False, True):
            wait_until(self.x)
        else:
            self.c = True
            self.c = False
        assert not self.last or not self.x
        self.last = False
        self.y = 3

    @invariant
    def state(self):
        return not (self.x and self.y == 1) and self.y != 2

    @invariant
    def step(self, after):
        return not (self.x and self.y == 1 and after.c) and after.y != 3

    @invariant
    def late(self):
        return not self.last
