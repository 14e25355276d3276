"""Inside an operation that is spawned and called, with its argument; and inside what is one step."""

from dio_mc import *

class M(Model):
    x = Var(Range(0, 3))
    y = Var(bool)
    a = Array(Range(0, 2), size=2)

    @operation(slots=2)
    def end_io(self, i):
        self.a[i] = 1
        if self.y:
            return
        self.a[i] = 2
        self.x = 1

    @thread
    def t(self):
        spawn(self.end_io, 1)
        self.end_io(0)
        with window("one"):
            self.y = True
        with window("early"):
            self.x = 2
            if self.y:
                return

    @reachable
    def p(self):
        return self.inside(self.end_io, i=1)

    @reachable
    def both(self):
        return self.inside(self.end_io, i=0) and self.inside(self.end_io, i=1)

    @invariant
    def q(self):
        return not self.inside(self.end_io, i=1) or self.a[1] > 0

    @reachable
    def never(self):
        return self.inside("one")

    @reachable
    def r(self):
        return self.inside("early")

    @invariant
    def s(self, after):
        return not after.inside(self.end_io) or after.x < 3

    @reachable
    def ended(self):
        return self.a[1] == 2 and not self.inside(self.end_io)
