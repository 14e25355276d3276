"""Windows in operations, nested, and left by return, break and continue; what is asked of them, with arguments."""

from dio_mc import *

class M(Model):
    x = Var(Range(0, 3))
    y = Var(bool)
    a = Array(Range(0, 2), size=2)
    g = Var(Range(0, 3), ghost=True)

    @operation()
    def op(self, i):
        with window("w"):
            self.a[i] = 1
            if i == 0:
                return
            self.a[i] = 2
        self.x = 1

    @thread
    def t(self):
        self.g = 1
        self.op(0)
        self.op(1)
        for i in range(2):
            with window("outer"):
                self.x = 2
                with window("inner"):
                    self.y = True
                    self.y = False
                    if i == 0:
                        continue
                    break
        self.x = 3

    @thread
    def u(self):
        self.op(1)

    @reachable
    def p(self):
        return self.inside("w", i=0)

    @reachable
    def q(self):
        return self.inside(self.op, i=1) and not self.inside("w")

    @invariant
    def r(self):
        return not self.inside("inner") or self.inside("outer")

    @invariant
    def s(self, after):
        return not self.inside("outer") or after.x != 3

    @reachable
    def v(self):
        return self.inside("outer") and self.x == 3

    @invariant
    def w(self):
        return not self.inside("w") or self.inside(self.op)
