"""States of several words, a thousand of which differ in the last words alone."""

from dio_mc import *

class M(Model):
    far = Array(Range(0, 1073741823), size=5, init=3)

    @thread
    def t(self):
        with atomic():
            for i in range(5):
                self.far[i] = (self.far[i] * 3 + i) % 1073741823

    @thread(daemon=True)
    def u(self):
        while True:
            with atomic():
                wait_until(self.far[0] == 9 and self.far[3] < 200)
                self.far[3] = self.far[3] + 7

    @thread(daemon=True)
    def v(self):
        while True:
            with atomic():
                wait_until(self.far[0] == 9 and self.far[4] < 200)
                self.far[4] = self.far[4] + 6

    @invariant
    def p(self):
        return self.far[4] != 135 or self.far[3] != 186
