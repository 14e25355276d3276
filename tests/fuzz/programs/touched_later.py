"""What a thread touches later counts, and what touches whom a step touches."""

from dio_mc import *

class M(Model):
    m = Var(bool)
    n = Var(bool)
    b = Var(bool)
    o = Var(bool)

    @thread
    def t(self):
        self.m = True

    @thread
    def u(self):
        v = self.n
        w = self.m
        assert not v or w

    @thread
    def v(self):
        self.n = True

    @thread
    def x(self):
        self.o = True

    @thread
    def y(self):
        self.b = True
        got = self.o
        assert got
