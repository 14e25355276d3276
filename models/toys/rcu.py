"""RCU: an element is removed from a list, and freed when no reader can hold a reference to it any more."""

from dio_mc import RCU, Model, Param, Var, expect, invariant, operation, spawn, thread


class Removes(Model):
    """Readers look the element up and use it; the updater unlinks it, waits for a grace period, frees it."""

    readers = Param(2, min=1, max=3)
    rcu = RCU(depth=1)
    linked = Var(bool, init=True)
    freed = Var(bool)
    touched = Var(bool, ghost=True)

    @thread(instances=readers)
    def reader(self):
        self.lookup()

    @operation()
    def lookup(self):
        self.rcu.rcu_read_lock()
        found = self.linked
        if found:
            self.use()
        self.rcu.rcu_read_unlock()

    @operation()
    def use(self):
        freed = self.freed
        self.touched = self.touched or freed

    @thread
    def updater(self):
        self.linked = False
        self.release()

    @operation()
    def release(self):
        self.rcu.synchronize_rcu()
        self.freed = True

    @invariant
    def no_use_after_free(self):
        return not self.touched


class FreesAtOnce(Removes):
    """The mistake: no grace period."""

    @operation()
    def release(self):
        self.freed = True


class UnlinksLater(Removes):
    """The mistake: the grace period begins while the element can still be found."""

    @thread
    def updater(self):
        self.rcu.synchronize_rcu()
        self.linked = False
        self.freed = True


class UsesOutside(Removes):
    """The mistake: the element is used after the end of the read-side critical section."""

    @operation()
    def lookup(self):
        self.rcu.rcu_read_lock()
        found = self.linked
        self.rcu.rcu_read_unlock()
        if found:
            self.use()


class CallsBack(Removes):
    """``call_rcu``: the updater continues; a separate operation waits for the grace period and frees."""

    @thread
    def updater(self):
        self.linked = False
        spawn(self.release)


expect(Removes, holds=True)
expect(FreesAtOnce, violates={"no_use_after_free"})
expect(UnlinksLater, violates={"no_use_after_free"})
expect(UsesOutside, violates={"no_use_after_free"})
expect(CallsBack, holds=True)
