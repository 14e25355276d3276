"""What a condition guards is not evaluated where it is false."""

from dio_mc import *

class M(Model):
    x = Var(Range(0, 3))
    a = Array(Range(0, 2), size=2, init=[0, 1])

    @thread
    def t(self):
        self.x = choose(range(4))
        if self.x < 2 and self.a[self.x] == 1:
            self.a[0] = 2
        self.a[1] = 2 if self.x > 1 else self.a[self.x]
        wait_until(self.x > 1 or self.a[self.x] != 0)

    @thread
    def u(self):
        self.x = 3 if self.x > 1 or self.a[self.x] == 2 else 2

    @invariant
    def p(self):
        return self.a[1] != 2 or self.x != 0
