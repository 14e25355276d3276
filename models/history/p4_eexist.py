"""A routine that ignores place holders meets one all the same (P4, of the design of October 2006).

To a lookup that ignores place holders a slot with one in it is empty. Its caller allocates a page, and to insert it
fails with EEXIST. "Somebody else has added a page": it takes what is there, which is not a page. Or it looks again, and
goes round for as long as the place holder stays; if the place holder is its own (own_buffer.py of models/seed) that is
for ever. Derived from the design, no commit. The right answer is to wait on an EEXIST that a place holder causes.

`can_finish` says that some run ends. That every fair run does would need cycles to be looked at, which is not done.
"""

from enum import Enum

from dio_mc import Model, Param, Var, atomic, expect, operation, reachable, thread, wait_until


class Slot(Enum):
    ABSENT = 0
    PLACEHOLDER = 1
    PAGE = 2


class TakesWhatIsThere(Model):
    """EEXIST means that there is a page now. `own`: the place holder is that of the faulting program itself."""

    own = Param(False)

    slot = Var(Slot)

    @thread
    def direct_io(self):
        with atomic():
            inserted = self.slot == Slot.ABSENT
            if inserted:
                self.slot = Slot.PLACEHOLDER
        if inserted:
            if self.own:
                self.fault()  # get_user_pages
            self.slot = Slot.ABSENT

    @thread
    def faulter(self):
        if not self.own:
            self.fault()

    @operation(kernel="mm/filemap.c:filemap_nopage")
    def fault(self):
        missing = self.slot != Slot.PAGE  # find_get_page
        if missing:
            with atomic():  # add_to_page_cache
                exists = self.slot != Slot.ABSENT
                if not exists:
                    self.slot = Slot.PAGE
            if exists:
                self.found()

    @operation(kernel="mm/filemap.c:page_cache_read")
    def found(self):
        slot = self.slot
        assert slot != Slot.PLACEHOLDER, "a place holder is used as a page"

    @reachable
    def can_finish(self):
        return self.at_rest()


class LooksAgain(TakesWhatIsThere):
    """EEXIST means that it should look again."""

    @operation(kernel="mm/filemap.c:page_cache_read")
    def found(self):
        slot = self.slot
        while slot == Slot.PLACEHOLDER:
            slot = self.slot


class Waits(TakesWhatIsThere):
    """EEXIST by a place holder means to wait until it is gone."""

    @operation(kernel="mm/filemap.c:page_cache_read")
    def found(self):
        wait_until(self.slot != Slot.PLACEHOLDER)


expect(TakesWhatIsThere, violates={"assertion"})
expect(LooksAgain, holds=True)
expect(LooksAgain, violates={"can_finish"}, own=True)
expect(Waits, holds=True)
expect(Waits, violates={"deadlock", "can_finish"}, own=True)
