"""Truncate under the proposal of October 2006: the place holder must replace `i_alloc_sem` (R09, P8).

The scenario of ext3_truncate.py: no page is cached, so the place holder is the only thing to lock. According to the
mail the pinned range keeps truncate out. It is not enough that truncate waits for the place holder that it finds: a new
one can be inserted after that and before the block is freed. Either the read checks i_size with its place holder in the
slot, or truncate holds the slot until it is done. Derived from the design; the code of the patches is not known.
"""

from ext3_truncate import Ext3Truncate
from pagecache import Slot

from dio_mc import atomic, expect, operation, wait_until


class TruncateIgnores(Ext3Truncate):
    """The read has a place holder, and truncate ignores it."""

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self):
        self.insert_placeholder()
        self.read_locked()

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def insert_placeholder(self):
        with atomic():
            wait_until(self.slot == Slot.ABSENT)
            self.slot = Slot.PLACEHOLDER

    @operation(kernel="fs/direct-io.c:direct_io_worker @2.6.18")
    def read_locked(self):
        mapped = self.mapped
        self.transfer(mapped)
        self.slot = Slot.ABSENT

    @operation(kernel="mm/memory.c:vmtruncate @2.6.18")
    def truncate(self):
        self.inside_size = False
        self.free_blocks()


class TruncateWaits(TruncateIgnores):
    """Truncate waits for the place holder that is there when it passes."""

    @operation(kernel="mm/memory.c:vmtruncate @2.6.18")
    def truncate(self):
        self.inside_size = False
        wait_until(self.slot == Slot.ABSENT)
        self.free_blocks()


class SizeAskedAgain(TruncateWaits):
    """In addition, the read checks i_size with its place holder in the slot."""

    @operation(kernel="fs/direct-io.c:direct_io_worker @2.6.18")
    def read_locked(self):
        inside = self.inside_size
        if inside:
            mapped = self.mapped
            self.transfer(mapped)
        self.slot = Slot.ABSENT


class TruncateKeepsOut(TruncateIgnores):
    """Truncate inserts place holders of its own."""

    @operation(kernel="mm/memory.c:vmtruncate @2.6.18")
    def truncate(self):
        self.inside_size = False
        self.insert_placeholder()
        self.free_blocks()
        self.slot = Slot.ABSENT


class ReleasedBeforeIO(TruncateKeepsOut):
    """The mistake: the place holder covers the map, not the IO."""

    @operation(kernel="fs/direct-io.c:direct_io_worker @2.6.18")
    def read_locked(self):
        mapped = self.mapped
        self.slot = Slot.ABSENT
        self.transfer(mapped)


expect(TruncateIgnores, violates={"no_stale_exposure", "no_freed_io"})
expect(TruncateWaits, violates={"no_stale_exposure", "no_freed_io"})
expect(SizeAskedAgain, holds=True)
expect(TruncateKeepsOut, holds=True)
expect(ReleasedBeforeIO, violates={"no_stale_exposure", "no_freed_io"})
