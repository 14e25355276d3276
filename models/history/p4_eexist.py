"""A lookup that ignores place holders cannot insert its page because of one (P4, of the design of October 2006).

To a lookup that ignores place holders a slot with one in it is empty. Its caller allocates a page, and to insert it
fails with EEXIST. "Somebody else has added a page": it takes what is there, which is not a page. Or it looks again, and
goes round for as long as the place holder stays: if the place holder is its own (own_buffer.py of models/seed) that is
forever, and so it may be if direct IO does not cease, since who only looks now and then has no claim to be there when
the slot is free. Derived from the design, no commit. The right answer is to wait on an EEXIST that a place holder
causes; a waiter has its place in a queue, so that it runs if the slot is free again and again (strong fairness).
"""

from enum import Enum

from dio_mc import Model, Param, Var, atomic, expect, operation, progress, thread, wait_until


class Slot(Enum):
    ABSENT = 0
    PLACEHOLDER = 1
    PAGE = 2


class TakesWhatIsThere(Model):
    """EEXIST means that there is a page now. `own`: the place holder is that of the faulting program itself. `stream`:
    one direct IO follows the other."""

    own = Param(False)
    stream = Param(False)

    slot = Var(Slot)

    @thread
    def direct_io(self):
        self.one_io()
        while self.stream:
            self.one_io()

    @operation(kernel="fs/direct-io.c:direct_io_worker @-3.1")
    def one_io(self):
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

    @operation(kernel="mm/filemap.c:filemap_nopage @-2.6.18")
    def fault(self):
        missing = self.slot != Slot.PAGE  # find_get_page
        if missing:
            with atomic():  # add_to_page_cache
                exists = self.slot != Slot.ABSENT
                if not exists:
                    self.slot = Slot.PAGE
            if exists:
                self.found()

    @operation(kernel="mm/filemap.c:page_cache_read @-4.19")
    def found(self):
        slot = self.slot
        assert slot != Slot.PLACEHOLDER, "a place holder is used as a page"

    @progress(fairness="strong")
    def fault_ends(self):
        """No page fault goes on forever."""
        return not self.inside(self.fault)


class LooksAgain(TakesWhatIsThere):
    """EEXIST means that it should look again."""

    @operation(kernel="mm/filemap.c:page_cache_read @-4.19")
    def found(self):
        slot = self.slot
        while slot == Slot.PLACEHOLDER:
            slot = self.slot


class Waits(TakesWhatIsThere):
    """EEXIST by a place holder means to wait until it is gone."""

    @operation(kernel="mm/filemap.c:page_cache_read @-4.19")
    def found(self):
        wait_until(self.slot != Slot.PLACEHOLDER)


expect(TakesWhatIsThere, violates={"assertion"})
expect(LooksAgain, holds=True, any="all")
expect(LooksAgain, violates={"fault_ends"}, own=True)
expect(LooksAgain, violates={"fault_ends"}, stream=True)
expect(Waits, holds=True, any="all")
expect(Waits, violates={"deadlock", "fault_ends"}, own=True)
expect(Waits, holds=True, stream=True)
