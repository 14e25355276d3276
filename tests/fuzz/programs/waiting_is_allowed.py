"""A thread waits for ever where the class says that this is fine."""

from dio_mc import *

class M(Model):
    deadlock = False
    x = Var(Range(0, 2))

    @thread
    def t(self):
        self.x = 1
        wait_until(self.x == 2)

    @always_reachable
    def q(self):
        return self.finished(self.t)
