"""Submission and completion both drop a reference, and one of them reads the object afterwards (R30, 2.6.19).

`struct dio` is freed by whoever drops the last reference. A completion that drops its own, and then looks whether there
is a waiter to wake, may look into freed memory: the other one has dropped the last in between. 5eb6c7a2ab41 (10 Dec
2006) drops and looks in one critical section. Found by reading the code, never seen.
"""

from dio_mc import Model, Range, SpinLock, Var, atomic, expect, invariant, operation, thread


class LooksAfterwards(Model):
    """Before. One thread stands for the submission, one for the completion; both do the same."""

    references = Var(Range(0, 2), init=2)
    freed = Var(bool)
    touched = Var(bool, ghost=True)

    @thread(instances=2)
    def user(self):
        last = self.put()
        if last:
            self.freed = True

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def put(self):
        last = self.drop()
        self.look()
        return last

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def drop(self):
        with atomic():
            self.references -= 1
            return self.references == 0

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def look(self):
        freed = self.freed  # dio->waiter, in an object that is there or not
        self.touched = self.touched or freed

    @invariant
    def no_use_after_free(self):
        return not self.touched


class DropsAndLooksLocked(LooksAfterwards):
    """5eb6c7a2ab41."""

    bio_lock = SpinLock()

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def put(self):
        self.bio_lock.lock()
        last = super().put()
        self.bio_lock.unlock()
        return last


expect(LooksAfterwards, violates={"no_use_after_free"})
expect(DropsAndLooksLocked, holds=True)
