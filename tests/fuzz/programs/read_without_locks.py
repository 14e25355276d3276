"""A sequence counter: its reader begins after one writer and beside the next."""

from dio_mc import *

class M(Model):
    sq = SeqCount()
    a = Var(Range(0, 2))
    b = Var(Range(0, 2))
    torn = Var(bool)

    @thread
    def writer(self):
        for n in range(2):
            self.sq.write_begin()
            self.a += 1
            self.b += 1
            self.sq.write_end()

    @thread
    def reader(self):
        self.sq.read_begin()
        x = self.a
        y = self.b
        again = self.sq.read_retry()
        if not again:
            self.torn = x != y

    @invariant
    def p(self):
        return not self.torn
