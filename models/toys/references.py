"""An object with a reference count: the last put frees it, and no thread reads it without a reference."""

from dio_mc import FolioRefs, Model, Param, Refcount, Var, expect, invariant, operation, thread


class References(Model):
    """Each of `users` holds a reference, reads the object, and drops the reference."""

    users = Param(2, min=1, max=4)
    refs = Refcount(init=users, max=users)
    freed, touched = Var(bool), Var(bool, ghost=True)

    @thread(instances=users)
    def user(self):
        self.look()
        self.put()

    @operation()
    def put(self):
        last = self.refs.dec_and_test()
        if last:
            self.freed = True

    @operation()
    def look(self):
        freed = self.freed
        self.touched = self.touched or freed

    @invariant
    def no_use_after_free(self):
        return not self.touched

    @invariant
    def freed_in_the_end(self):
        return not self.at_rest() or self.freed


class LooksAfterPut(References):
    """The mistake: the reference is dropped before the object is read."""

    @thread(instances=References.users)
    def user(self):
        self.put()
        self.look()


class PutsTwice(References):
    """The mistake: an error path drops a reference once more than it was taken."""

    @thread(instances=References.users)
    def user(self):
        self.look()
        self.put()
        self.put()


class Leaks(References):
    """The mistake: `dec` instead of `dec_and_test`, so the last put does not free the object."""

    @operation()
    def put(self):
        self.refs.dec()


class Reclaim(Model):
    """Reclaim takes a folio if the cache holds the only reference; a reader tries to get one more."""

    refs = FolioRefs(max=2)
    taken, read = Var(bool), Var(bool)

    @thread
    def reclaim(self):
        alone = self.refs.freeze(1)
        if alone:
            self.taken = True

    @thread
    def reader(self):
        self.get()

    @operation()
    def get(self):
        got = self.refs.inc_not_zero()
        if got:
            self.read = True

    @invariant
    def not_both(self):
        return not (self.taken and self.read)


class GetsWithoutLooking(Reclaim):
    """The mistake: a reference is taken even if the count is zero."""

    @operation()
    def get(self):
        self.refs.inc()
        self.read = True


expect(References, holds=True)
expect(References, holds=True, users=3)
expect(LooksAfterPut, violates={"no_use_after_free"})
expect(PutsTwice, violates={"misuse", "no_use_after_free"})
expect(Leaks, violates={"misuse"})
expect(Reclaim, holds=True)
expect(GetsWithoutLooking, violates={"misuse"})
