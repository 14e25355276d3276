"""A write tests the oplock, and dirties the cache after the oplock was broken (R47, cifs).

A client that holds an oplock may cache its writes. When the server breaks it, dirty pages are flushed and the break
is acknowledged; after that another client may write. A write that tested the oplock earlier dirties the cache after
the break, and its flush overwrites what the other client has written since. c11f1df5003d (2014, id not verified):
writers count themselves before the test, and wait while a break is pending; the break waits until the count is zero.
"""

from enum import Enum

from dio_mc import Model, Range, Var, atomic, expect, invariant, operation, thread, wait_until


class Data(Enum):
    OLD = 0
    OURS = 1
    OTHERS = 2


class LooksFirst(Model):
    """Before c11f1df5003d."""

    oplock = Var(bool, init=True)
    pending_break = Var(bool)
    writers = Var(Range(0, 1))
    page, server = Var(Data), Var(Data)
    dirty = Var(bool)
    acknowledged = Var(bool, ghost=True)
    overwrites = Var(bool, ghost=True)

    @thread
    def writer(self):
        self.get_writer()
        self.strict_writev()
        self.put_writer()

    @operation(kernel="fs/cifs/file.c:cifs_strict_writev @3.16-5.10")
    def strict_writev(self):
        cached = self.oplock
        if cached:
            with atomic():
                self.page, self.dirty, self.acknowledged = Data.OURS, True, True
        else:
            with atomic():
                self.server, self.acknowledged = Data.OURS, True

    @operation(kernel="fs/cifs/misc.c:cifs_get_writer @3.16-5.10")
    def get_writer(self):
        """Writers are not counted."""

    @operation(kernel="fs/cifs/misc.c:cifs_put_writer @3.16-5.10")
    def put_writer(self):
        """Writers are not counted."""

    @thread
    def breaker(self):
        self.oplock_break()

    @operation(kernel="fs/cifs/file.c:cifs_oplock_break @3.16-5.10")
    def oplock_break(self):
        wait_until(not self.dirty)
        self.oplock = False

    @thread
    def other_client(self):
        with atomic():  # its own write, before or after ours is acknowledged
            wait_until(not self.oplock)
            self.server = Data.OTHERS
            self.overwrites = self.acknowledged

    @thread(daemon=True)
    def flusher(self):
        while True:
            with atomic():
                wait_until(self.dirty)
                self.server, self.dirty = self.page, False

    @invariant
    def no_lost_write(self):
        """A write of the other client after our write was acknowledged is not overwritten."""
        return not self.at_rest() or not self.overwrites or (not self.dirty and self.server == Data.OTHERS)


class CountsFirst(LooksFirst):
    """The fix, c11f1df5003d."""

    @operation(kernel="fs/cifs/misc.c:cifs_get_writer @3.16-5.10")
    def get_writer(self):
        with atomic():  # wait; count; test again, or uncount and wait again
            wait_until(not self.pending_break)
            self.writers += 1

    @operation(kernel="fs/cifs/misc.c:cifs_put_writer @3.16-5.10")
    def put_writer(self):
        with atomic():
            self.writers -= 1

    @operation(kernel="fs/cifs/file.c:cifs_oplock_break @3.16-5.10")
    def oplock_break(self):
        self.pending_break = True
        wait_until(self.writers == 0)
        super().oplock_break()
        self.pending_break = False


class CountsOnly(CountsFirst):
    """The mistake: the break drains the counted writers before it blocks new ones."""

    @operation(kernel="fs/cifs/file.c:cifs_oplock_break @3.16-5.10")
    def oplock_break(self):
        wait_until(self.writers == 0)
        self.pending_break = True
        LooksFirst.oplock_break(self)
        self.pending_break = False


expect(LooksFirst, violates={"no_lost_write"})
expect(CountsFirst, holds=True)
expect(CountsOnly, violates={"no_lost_write"})
