"""Submission and completion both drop a reference, and one of them reads the object afterwards (R30, 2.6.19).

`struct dio` is freed by the last put. A completion that drops its reference and then checks whether there is
a waiter to wake may read freed memory: the submitter has dropped the last reference in between. 5eb6c7a2ab41
(10 Dec 2006) drops and checks in one critical section. Found by review, never observed.
"""

from dio_mc import Model, Range, SpinLock, Var, atomic, expect, invariant, operation, thread


class LooksAfterwards(Model):
    """Before 5eb6c7a2ab41. One thread is the submission, one the completion; both do the same."""

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
        freed = self.freed  # dio->waiter, in an object that may be freed
        self.touched = self.touched or freed

    @invariant
    def no_use_after_free(self):
        return not self.touched


class DropsAndLooksLocked(LooksAfterwards):
    """The fix, 5eb6c7a2ab41."""

    bio_lock = SpinLock()

    @operation(kernel="fs/direct-io.c:dio_bio_end_aio")
    def put(self):
        self.bio_lock.lock()
        last = super().put()
        self.bio_lock.unlock()
        return last


expect(LooksAfterwards, violates={"no_use_after_free"})
expect(DropsAndLooksLocked, holds=True)
