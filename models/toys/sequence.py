"""A sequence counter: readers of two fields never see half of one write and half of another."""

from dio_mc import Array, Model, Param, SeqCount, SpinLock, expect, operation, thread


class Sequence(Model):
    """The writers are serialized by a lock; the readers take none."""

    writers = Param(2, min=1, max=2)
    sequence = SeqCount()
    lock = SpinLock()
    fields = Array(bool, size=2)

    @thread(instances=writers)
    def writer(self):
        self.lock.lock()
        self.update()
        self.lock.unlock()

    @operation()
    def update(self):
        self.sequence.write_begin()
        self.fields[0] = True
        self.fields[1] = True
        self.sequence.write_end()

    @thread
    def reader(self):
        self.read()

    @operation()
    def read(self):
        while True:
            self.sequence.read_begin()
            low = self.fields[0]
            high = self.fields[1]
            retry = self.sequence.read_retry()
            if not retry:
                break
        assert low == high, "half of a write"


class NoLock(Sequence):
    """The mistake: two writers at once."""

    @thread(instances=Sequence.writers)
    def writer(self):
        self.update()


class NoRetry(Sequence):
    """The mistake: the reader does not check whether a writer was active."""

    @operation()
    def read(self):
        self.sequence.read_begin()
        low = self.fields[0]
        high = self.fields[1]
        assert low == high, "half of a write"


expect(Sequence, holds=True)
expect(NoLock, holds=True, writers=1)
expect(NoLock, violates={"lock_misuse"})
expect(NoRetry, violates={"assertion"})
