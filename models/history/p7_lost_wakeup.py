"""A waiter sleeps forever: the place holder was removed between its test and its sleep (P7, design of October 2006).

The place holder has no lock bit, so its waiters need a queue of their own. A waiter that tests the slot before it
puts itself on the queue misses the wakeup of an owner that removes the place holder and wakes the queue between the
two. Page wait queues have the right order: prepare to wait, then test. Derived from the design, no commit. A sleeper
that is never woken is reported as a deadlock here, and as a lack of progress.
"""

from dio_mc import Model, Var, expect, operation, progress, thread, wait_until


class TestsFirst(Model):
    """The slot has a place holder; `queued` is on the wait queue and asleep as soon as it calls schedule()."""

    placeholder = Var(bool, init=True)
    queued = Var(bool)

    @thread
    def owner(self):
        self.placeholder = False
        self.queued = False  # wake_up

    @thread
    def waiter(self):
        self.wait_for_placeholder()

    @operation(kernel="mm/filemap.c:wait_on_placeholder @unmerged")
    def wait_for_placeholder(self):
        present = self.placeholder
        if present:
            self.prepare_to_wait()
            self.schedule()

    @operation(kernel="kernel/wait.c:prepare_to_wait @-2.6.27")
    def prepare_to_wait(self):
        self.queued = True

    @operation(kernel="kernel/sched.c:schedule @-3.2")
    def schedule(self):
        wait_until(not self.queued)

    @progress
    def waiter_goes_on(self):
        return self.finished(self.waiter)


class PreparesFirst(TestsFirst):
    """prepare_to_wait, test, schedule."""

    @operation(kernel="mm/filemap.c:wait_on_placeholder @unmerged")
    def wait_for_placeholder(self):
        self.prepare_to_wait()
        present = self.placeholder
        if present:
            self.schedule()


class WakesFirst(PreparesFirst):
    """The mistake: the owner wakes the queue before it removes the place holder."""

    @thread
    def owner(self):
        self.queued = False
        self.placeholder = False


expect(TestsFirst, violates={"deadlock", "waiter_goes_on"})
expect(PreparesFirst, holds=True)
expect(WakesFirst, violates={"deadlock", "waiter_goes_on"})
