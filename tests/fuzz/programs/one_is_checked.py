"""Three threads that are alike but for what they check, of one of their cells and of another."""

from dio_mc import *

class M(Model):
    a = Array(Range(0, 1), size=3)

    @thread(instances=3)
    def t(self, k):
        self.a[k] = 1
        assert self.a[0] == 1
        assert self.a[2] == 1
