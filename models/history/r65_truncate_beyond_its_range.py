"""A swap entry that has grown is erased, with pages beyond the truncated range (R65, shmem, 2026).

The race window is that of r65_truncate_frees_a_split_swap_entry.py. Between the lookup of the
entries and their erasure, the page and its neighbour are swapped in, and out again as one large
folio: its entry has the same value as the small one had. 8a1968bd997f skips an entry that reaches
beyond the range: its pages there stay, and its part in the range has been zeroed by then.
"""

from r65_truncate_frees_a_split_swap_entry import AsksFirst, LooksUnderTheLock

from dio_mc import Range, Var, atomic, expect, invariant, operation, thread, wait_until
from dio_mc.kernel import Data


class GrowsBeyondTheRange(AsksFirst):
    """Before 8a1968bd997f. A hole is punched at page 0; both pages may be swapped in, and out again as one folio."""

    order = Var(Range(0, 1))

    def end(self):
        return 1

    @thread(daemon=True)
    def reclaim(self):
        self.writeout()
        return

    @operation(kernel="mm/shmem.c:shmem_writeout @6.16-")
    def writeout(self):
        with atomic():
            wait_until(self.order == 0 and self.entry[0] and self.entry[1])
            self.order = 1

    @invariant
    def no_lost_write(self, after):
        """Page 1 stays in swap until it has been faulted in."""
        return not self.entry[1] or after.entry[1] or after.seen != Data.NOTHING


class LeavesWhatReachesBeyond(LooksUnderTheLock, GrowsBeyondTheRange):
    """The fix, 8a1968bd997f."""


expect(GrowsBeyondTheRange, violates={"no_lost_write", "no_stale_exposure", "no_collateral"})
expect(LeavesWhatReachesBeyond, holds=True, any="all")
