"""A thread that only writes history: its step is called after that."""

from dio_mc import *
size = 2

class M(Model):
    a = Array(Range(0, 2), size=size)
    old = Array(Range(0, 2), size=2, ghost=True)

    @thread
    def t1(self):
        self.old[0] = self.a[0]
