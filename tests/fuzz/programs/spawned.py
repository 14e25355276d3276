"""Operations that run on their own: arguments, slots, a prefix before the first step, an early end."""

from dio_mc import *

class M(Model):
    x = Var(Range(0, 3))
    y = Var(Range(0, 3))

    @operation(slots=2)
    def later(self, i):
        v = i + 1
        if i == 2:
            return
        self.x = v
        w = self.y
        self.y = w + 1

    @thread
    def t(self):
        for i in range(3):
            spawn(self.later, i)
        wait_until(self.x == 2)
        spawn(self.later, 0)

    @invariant
    def p(self):
        return not self.at_rest() or self.y == 2

    @always_reachable
    def q(self):
        return self.at_rest()
