"""A wake-up between looking and sleeping, a compare-and-exchange that fails, a grace period beside readers that leave."""

from dio_mc import *

class M(Model):
    wq = WaitQueue()
    at = AtomicInt(low=0, high=3)
    ru = RCU(depth=1)
    done = Var(bool)
    freed = Var(bool)

    @thread
    def sleeper(self):
        self.wq.prepare_to_wait()
        if not self.done:
            self.wq.schedule()
        self.wq.finish_wait()
        old = self.at.cmpxchg(1, 2)
        if old == 1:
            self.freed = True

    @thread
    def waker(self):
        self.done = True
        self.wq.wake_up()
        self.at.cmpxchg(0, 1)

    @thread
    def reader(self):
        self.ru.rcu_read_lock()
        self.done = True
        self.ru.rcu_read_unlock()

    @thread
    def updater(self):
        self.ru.synchronize_rcu()
        self.freed = True

    @invariant
    def p(self):
        return not (self.freed and self.ru.readers[2] > 0)
