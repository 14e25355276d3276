"""What a campaign makes of a checker whose division rounds towards zero."""

from dio_mc import *

class M(Model):
    x = Var(Range(-4, 4))

    @thread
    def t(self):
        self.x = (self.x - 3) // 2

    @invariant
    def p(self):
        return self.x != -2
