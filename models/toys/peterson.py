"""Mutual exclusion of two threads with loads and stores only (Peterson 1981)."""

from dio_mc import Array, Model, Range, Var, expect, invariant, operation, reachable, thread


class Peterson(Model):
    """Set your own flag, give the turn to the other, wait until the other's flag is clear or the turn is yours."""

    wants = Array(bool, size=2)
    turn = Var(Range(0, 1))
    critical = Array(bool, size=2)

    @thread(instances=2)
    def contender(self, k):
        while True:
            self.announce(k)
            self.wait(k)
            self.critical[k] = True
            self.critical[k] = False
            self.wants[k] = False

    @operation()
    def announce(self, k):
        self.wants[k] = True
        self.turn = 1 - k

    @operation()
    def wait(self, k):
        while True:
            wanted = self.wants[1 - k]
            if not wanted:
                break
            turn = self.turn
            if turn == k:
                break

    @invariant
    def mutual_exclusion(self):
        return not (self.critical[0] and self.critical[1])

    @reachable
    def second_enters(self):
        return self.critical[1]


class TurnFirst(Peterson):
    """The mistake: the turn is given to the other before the own flag is set."""

    @operation()
    def announce(self, k):
        self.turn = 1 - k
        self.wants[k] = True


expect(Peterson, holds=True)
expect(TurnFirst, violates={"mutual_exclusion"})
