"""A lookup that ignores place holders cannot insert its page because of one (P4, of the design of October 2006).

A lookup that ignores place holders treats a slot with a place holder as empty. Its caller allocates a page, and the
insertion fails with EEXIST. The caller may assume that another thread has inserted a page, and use the place holder
as one. Or it repeats the lookup for as long as the place holder stays: forever if the place holder is its own
(own_buffer.py of models/seed), and possibly forever if direct IO continues without a pause, since a loop that polls
the slot may always find it taken. Derived from the design, no commit. The correct reaction to an EEXIST caused by a
place holder is to wait in a queue: a queued waiter runs if the slot becomes free again and again (strong fairness).
"""

from enum import Enum

from dio_mc import Model, Param, Var, atomic, expect, operation, progress, thread, wait_until


class Slot(Enum):
    ABSENT = 0
    PLACEHOLDER = 1
    PAGE = 2


class TakesWhatIsThere(Model):
    """On EEXIST the caller assumes that there is a page. `own`: the place holder belongs to the
    faulting thread itself. `stream`: direct IOs follow each other without end."""

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
        """Every page fault comes to an end."""
        return not self.inside(self.fault)


class LooksAgain(TakesWhatIsThere):
    """On EEXIST the caller repeats the lookup."""

    @operation(kernel="mm/filemap.c:page_cache_read @-4.19")
    def found(self):
        slot = self.slot
        while slot == Slot.PLACEHOLDER:
            slot = self.slot


class Waits(TakesWhatIsThere):
    """On EEXIST caused by a place holder the caller waits until it is gone."""

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
