"""And of data alone."""

from dio_mc import *

class M(Model):
    x = Var(bool)
    y = Var(bool)

    @thread
    def t(self):
        self.x = True
        self.x = False

    @thread
    def u(self):
        self.y = True
        self.y = False

    @invariant
    def data(self):
        return not (self.x and self.y)
