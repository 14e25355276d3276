"""Truncate under the proposal of October 2006: the place holder must do the work of `i_alloc_sem` (R09, P8).

ext3_truncate.py, where there is no page in the cache and so nothing to lock but the place holder. The mail has truncate
among those that the pinned range keeps out. That truncate waits for the place holder it meets is not enough: one can be
inserted after it, before the block is free. Either the read asks for i_size with its place holder in the slot, or
truncate keeps the slot until it is done. Derived from the design; how the patches did it is not known.
"""

from ext3_truncate import Ext3Truncate
from pagecache import Slot

from dio_mc import atomic, expect, operation, wait_until


class TruncateIgnores(Ext3Truncate):
    """A place holder for the read, and a truncate that takes no notice of it."""

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
    """It waits for the place holder that is there when it passes."""

    @operation(kernel="mm/memory.c:vmtruncate @2.6.18")
    def truncate(self):
        self.inside_size = False
        wait_until(self.slot == Slot.ABSENT)
        self.free_blocks()


class SizeAskedAgain(TruncateWaits):
    """... and the read asks for i_size with its place holder in the slot."""

    @operation(kernel="fs/direct-io.c:direct_io_worker @2.6.18")
    def read_locked(self):
        inside = self.inside_size
        if inside:
            mapped = self.mapped
            self.transfer(mapped)
        self.slot = Slot.ABSENT


class TruncateKeepsOut(TruncateIgnores):
    """Truncate has place holders of its own."""

    @operation(kernel="mm/memory.c:vmtruncate @2.6.18")
    def truncate(self):
        self.inside_size = False
        self.insert_placeholder()
        self.free_blocks()
        self.slot = Slot.ABSENT


class ReleasedBeforeIO(TruncateKeepsOut):
    """The place holder covers the map, not the IO."""

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
