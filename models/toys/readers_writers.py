"""Readers and writers (Courtois, Heymans, Parnas 1971): many readers or one writer."""

from dio_mc import Model, Param, Range, Var, atomic, expect, operation, thread, wait_until


class ReadersWriters(Model):
    """A record of two fields; a writer changes them one after the other, and a reader must see them equal."""

    readers = Param(2, min=1, max=4)
    writers = Param(1, min=1, max=2)
    left = Var(Range(0, 1))
    right = Var(Range(0, 1))
    reading = Var(Range(0, readers))
    writing = Var(bool)

    @thread(instances=readers)
    def reader(self):
        with atomic():
            wait_until(not self.writing)
            self.reading += 1
        left = self.left
        right = self.right
        assert left == right, "the reader sees half a write"
        with atomic():
            self.reading -= 1

    @thread(instances=writers)
    def writer(self):
        self.enter()
        with atomic():
            self.left = 1 - self.left
        with atomic():
            self.right = 1 - self.right
        self.writing = False

    @operation()
    def enter(self):
        with atomic():
            wait_until(not self.writing and self.reading == 0)
            self.writing = True


class WriterIgnoresReaders(ReadersWriters):
    """The mistake: writers exclude each other, but not readers."""

    @operation()
    def enter(self):
        with atomic():
            wait_until(not self.writing)
            self.writing = True


expect(ReadersWriters, holds=True)
expect(ReadersWriters, holds=True, readers=3, writers=2)
expect(WriterIgnoresReaders, violates={"assertion"})
