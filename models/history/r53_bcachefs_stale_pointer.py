"""A read goes to a bucket that has been reused for other data (R53, bcachefs).

An extent points to a bucket and stores the bucket's generation; reuse of a bucket raises the
generation, and does not wait for reads. So a read may transfer the data of another file. It checks
the generation when its IO has ended, and starts again from the extent if the pointer was stale.
bcachefs has this rule from the start (6.7 to 6.17; no commit); the classes without it are mistakes.
"""

from dio_mc import Model, Range, Var, atomic, expect, invariant, operation, thread
from dio_mc.kernel import Data


class NoGeneration(Model):
    """The mistake: no check. The cached copy of a file's data is in bucket 0, the original in bucket 1."""

    pointer = Var(Range(0, 1))
    generation = Var(Range(0, 1))
    bucket = Var(Data, init=Data.OLD)
    seen = Var(Data)

    @thread
    def reader(self):
        done, data = False, Data.NOTHING
        while not done:
            with atomic():
                pointer, generation = self.pointer, self.generation
            done = self.is_current(pointer, generation)
            if done:
                data = Data.OLD
                if pointer == 0:
                    data = self.bucket
                done = self.bch2_read_endio(pointer, generation)
            if done:
                self.seen = data

    @operation(kernel="fs/bcachefs/io_read.c:__bch2_read_extent @6.7-6.17")
    def is_current(self, pointer, generation):
        return True

    @operation(kernel="fs/bcachefs/io_read.c:bch2_read_endio @6.7-6.17")
    def bch2_read_endio(self, pointer, generation):
        return True

    @thread
    def allocator(self):
        self.invalidate_bucket()
        self.bucket = Data.SECRET  # another file's write

    @operation(kernel="fs/bcachefs/alloc_background.c:invalidate_one_bucket @6.7-6.17")
    def invalidate_bucket(self):
        """The pointer is removed from the extent, and the generation is raised."""
        with atomic():
            self.pointer, self.generation = 1, 1

    @invariant
    def no_stale_exposure(self):
        return self.seen != Data.SECRET


class LooksAfterwards(NoGeneration):
    """As in bcachefs: a read through a stale pointer is retried."""

    @operation(kernel="fs/bcachefs/io_read.c:bch2_read_endio @6.7-6.17")
    def bch2_read_endio(self, pointer, generation):
        return pointer == 1 or self.generation == generation


class LooksBefore(NoGeneration):
    """The mistake: the generation is checked when the IO is submitted."""

    @operation(kernel="fs/bcachefs/io_read.c:__bch2_read_extent @6.7-6.17")
    def is_current(self, pointer, generation):
        return pointer == 1 or self.generation == generation


class RaisedLate(LooksAfterwards):
    """The mistake: the generation is raised after the bucket was written."""

    @operation(kernel="fs/bcachefs/alloc_background.c:invalidate_one_bucket @6.7-6.17")
    def invalidate_bucket(self):
        self.pointer = 1

    @thread
    def allocator(self):
        self.invalidate_bucket()
        self.bucket = Data.SECRET
        self.generation = 1


expect(NoGeneration, violates={"no_stale_exposure"})
expect(LooksAfterwards, holds=True, any="all")
expect(LooksBefore, violates={"no_stale_exposure"})
expect(RaisedLate, violates={"no_stale_exposure"})
