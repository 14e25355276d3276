"""Threads that touch nothing of each other, and properties that see some of their steps: of data, and of control."""

from dio_mc import *

class M(Model):
    a = Array(Range(0, 2), size=2)
    x = Var(bool)
    y = Var(bool)

    @thread
    def t(self):
        self.a[0] = 1
        self.x = True
        self.x = False
        with window("left"):
            self.a[0] = 2
            self.a[0] = 0
        self.a[0] = 1

    @thread
    def u(self):
        self.a[1] = 1
        self.y = True
        self.y = False
        with window("right"):
            self.a[1] = 2
            self.a[1] = 0
        self.a[1] = 1

    @invariant
    def data(self):
        return not (self.x and self.y)

    @invariant
    def control(self):
        return not (self.inside("left") and self.inside("right"))
