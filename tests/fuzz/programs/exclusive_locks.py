"""A mutex that is handed over, a spinlock under which somebody sleeps, a counter that is drained."""

from dio_mc import *

class M(Model):
    m = Mutex()
    sp = SpinLock()
    dc = DrainCounter(max=2)
    x = Var(Range(0, 2))

    @thread
    def t(self):
        self.m.lock()
        self.dc.begin()
        self.m.hand_over()
        self.x = 1
        self.dc.end()

    @thread
    def u(self):
        self.m.lock()
        self.x = 2
        self.m.unlock()

    @thread
    def w(self):
        got = self.m.trylock()
        if got and self.x == 2:
            return
        if got:
            self.m.unlock()

    @thread
    def v(self):
        self.dc.wait()
        wait_until(self.x == 1)
        self.m.unlock_non_owner()
        self.sp.lock()
        self.dc.wait()

    @invariant
    def p(self):
        return sum(1 for t in threads() if self.m.held_by(t)) <= 1
