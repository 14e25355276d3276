"""A thread fails before its first step, so there is no state at all: machine code with partial order had no answer."""

from dataclasses import dataclass
from dio_mc import *

@dataclass(frozen=True)
class Rec:
    n: Range(0, 2)
    ok: bool = False

class M(Model):
    x = Var(Range(0, 2))

    @operation()
    def get(self, i):
        return self.x

    @thread
    def t0(self):
        v1 = self.x

    @thread
    def t1(self):
        v4 = -(self.x + 2) % 2 - 2

    @thread
    def t2(self):
        self.x = self.get(Rec(n=0 - 1, ok=False))
