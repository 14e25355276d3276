"""Two classes of users, and ranges that meet only where both have something."""

from dio_mc import *

class M(Model):
    c = TwoClassLock()
    rl = RangeLock(size=3)
    x = Var(Range(0, 2))

    @thread
    def t(self):
        self.c.lock_direct()
        self.rl.lock(0, 1)
        self.x = 1
        self.rl.unlock(0, 1)
        self.c.unlock_direct()

    @thread
    def u(self):
        self.c.lock_buffered()
        self.x = 2
        self.c.unlock_buffered()

    @thread
    def v(self):
        self.rl.lock(1, 3)
        self.rl.hand_over(1, 2)
        self.rl.unlock(2, 3)
        self.rl.unlock_non_owner(1, 2)

    @reachable
    def p(self):
        return any(self.rl.held_by(t) for t in threads(self.t)) and any(self.rl.held_by(t) for t in threads(self.v))

    @invariant
    def q(self):
        return not (any(self.c.held_by(t) for t in threads(self.t)) and any(self.c.held_by(t) for t in threads(self.u)))
