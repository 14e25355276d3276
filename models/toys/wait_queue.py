"""A thread sleeps until a condition holds, and may miss its wakeup."""

from dio_mc import Completion, Model, Var, WaitQueue, expect, operation, progress, thread


class Waits(Model):
    """``wait_event``: prepare, test, sleep, test again. The waker makes the condition hold, then wakes."""

    ready = Var(bool)
    queue = WaitQueue()

    @thread
    def waiter(self):
        self.wait_event()

    @operation()
    def wait_event(self):
        while True:
            self.queue.prepare_to_wait()
            if self.ready:
                break
            self.queue.schedule()
        self.queue.finish_wait()

    @thread
    def waker(self):
        self.ready = True
        self.queue.wake_up()

    @progress
    def waiter_goes_on(self):
        return self.finished(self.waiter)


class LooksFirst(Waits):
    """The mistake: the condition is tested before the waiter is on the queue."""

    @operation()
    def wait_event(self):
        if not self.ready:
            self.queue.prepare_to_wait()
            self.queue.schedule()
            self.queue.finish_wait()


class WakesFirst(Waits):
    """The mistake: the queue is woken before the condition holds."""

    @thread
    def waker(self):
        self.queue.wake_up()
        self.ready = True


class Forgets(Waits):
    """The mistake: a thread that need not sleep leaves its entry on the queue."""

    @operation()
    def wait_event(self):
        self.queue.prepare_to_wait()
        if not self.ready:
            self.queue.schedule()
            self.queue.finish_wait()


class Completes(Model):
    """The same with a completion, which remembers the wakeup: the order does not matter."""

    done = Completion(max=1)

    @thread
    def waiter(self):
        self.done.wait_for_completion()

    @thread
    def waker(self):
        self.done.complete()


expect(Waits, holds=True)
expect(LooksFirst, violates={"deadlock", "waiter_goes_on"})
expect(WakesFirst, violates={"deadlock", "waiter_goes_on"})
expect(Forgets, violates={"lock_misuse"})
expect(Completes, holds=True)
