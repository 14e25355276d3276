"""The same of control alone."""

from dio_mc import *

class M(Model):
    a = Array(Range(0, 2), size=2)

    @thread
    def t(self):
        with window("left"):
            self.a[0] = 2
            self.a[0] = 0
        self.a[0] = 1

    @thread
    def u(self):
        with window("right"):
            self.a[1] = 2
            self.a[1] = 0
        self.a[1] = 1

    @invariant
    def control(self):
        return not (self.inside("left") and self.inside("right"))
