"""Two blocks that belong together are written one after the other, with a crash at any step."""

from dio_mc import Array, Var, atomic, expect, invariant, operation, reachable, thread
from dio_mc.kernel import Crashes


class InPlace(Crashes):
    """Both are overwritten in place: a crash between the two writes leaves one old and one new block."""

    durable = ("blocks", "journal", "committed")
    blocks = Array(bool, size=2)
    journal = Array(bool, size=2)
    committed = Var(bool)

    @thread
    def writer(self):
        self.update()

    @operation()
    def update(self):
        self.checkpoint()

    @operation()
    def checkpoint(self):
        self.blocks[0] = True
        self.blocks[1] = True

    @operation()
    def recover(self):
        committed = self.committed
        for i in range(2):
            with atomic():
                if committed:
                    self.blocks[i] = self.journal[i]

    @invariant
    def all_or_nothing(self):
        return not self.recovered() or self.blocks[0] == self.blocks[1]

    @reachable
    def new_survives(self):
        return self.recovered() and self.blocks[0] and self.blocks[1]


class Journalled(InPlace):
    """They are written to a journal, the journal is committed, and only then are they written in place."""

    @operation()
    def update(self):
        self.journal[0] = True
        self.journal[1] = True
        self.committed = True
        self.checkpoint()


class CommitsFirst(Journalled):
    """The mistake: the commit record is written before the blocks that it commits."""

    @operation()
    def update(self):
        self.committed = True
        self.journal[0] = True
        self.journal[1] = True
        self.checkpoint()


expect(InPlace, violates={"all_or_nothing"})
expect(Journalled, holds=True)
expect(Journalled, holds=True, crashes=2)
expect(CommitsFirst, violates={"all_or_nothing"})
