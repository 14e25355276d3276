"""Threads that go round: what fair runs do, weakly and strongly; runs that end; what can no longer be reached."""

from dio_mc import *

class M(Model):
    deadlock = False
    busy = Var(bool)
    n = Var(Range(0, 2))
    stop = Var(bool)

    @thread(daemon=True)
    def turning(self):
        while True:
            self.busy = True
            self.busy = False
            if self.stop:
                break

    @thread
    def waiting(self):
        wait_until(not self.busy)
        self.n = 1

    @thread
    def choosing(self):
        if choose(True, False):
            self.stop = True

    @progress
    def weakly(self):
        return self.finished(self.waiting)

    @progress(fairness="strong")
    def strongly(self):
        return self.finished(self.waiting)

    @progress
    def chosen(self):
        return self.stop

    @progress
    def again(self):
        return self.busy

    @progress(fairness="strong")
    def ended(self):
        return self.finished(self.choosing) and not self.busy

    @always_reachable
    def stops(self):
        return self.stop

    @always_reachable
    def rests(self):
        return self.at_rest()
