"""Readers and writers: twice, downgraded, handed over, and a writer that keeps new readers out."""

from dio_mc import *

class M(Model):
    s = RWSem()
    w = RWSem(writer_preference=True)
    x = Var(Range(0, 2))

    @thread(instances=2)
    def r(self):
        self.w.down_read()
        self.x = 1
        self.w.up_read()

    @thread
    def t(self):
        self.w.down_write()
        self.x = 2
        self.w.up_write()
        self.s.down_write()
        self.s.downgrade_write()
        self.s.down_read()

    @thread
    def u(self):
        self.s.down_read()
        self.s.hand_over()
        self.s.up_read_non_owner()

    @invariant
    def p(self):
        return not any(self.w.held_by(t) for t in threads(self.r)) or self.x != 2
