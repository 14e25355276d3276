"""Two that go round both have their turns in a loop; one that may choose never opens the door is strongly fair."""

from dio_mc import *

class M(Model):
    x = Var(bool)
    y = Var(bool)
    open = Var(bool)
    done = Var(Range(0, 2))

    @thread(daemon=True)
    def d(self):
        while True:
            self.x = not self.x

    @thread(daemon=True)
    def e(self):
        while True:
            if choose(True, False):
                self.open = True
                self.open = False

    @thread
    def waiting(self):
        wait_until(self.open)
        self.done = 1

    @progress
    def weakly(self):
        return self.done == 1

    @progress(fairness="strong")
    def strongly(self):
        return self.done == 1

    @progress(fairness="strong")
    def turning(self):
        return self.x and self.open
