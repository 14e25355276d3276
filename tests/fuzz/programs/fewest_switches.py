"""Several shortest runs: those with fewest switches are shown, of representatives too."""

from dio_mc import *

class M(Model):
    x = Array(Range(0, 2), size=3)
    last = Var(ThreadId | None)
    count = Var(Range(0, 3))

    @thread(instances=3)
    def t(self, k):
        self.x[k] = 1
        self.last = me
        with atomic():
            self.count = sum(1 for i in range(3) if self.x[i] > 0)
            self.x[k] = 2

    @thread(daemon=True)
    def d(self):
        wait_until(self.last is not None)
        self.last = None

    @invariant
    def p(self):
        return self.count < 2

    @invariant
    def q(self, after):
        return self.count == 0 or after.last is not None or self.last is None

    @reachable
    def r(self):
        return self.finished(self.d) and any(self.last == t for t in threads(self.t))
