"""A lock that faults take shared and paths that free blocks exclusive (R10); blocks that write faults reserve."""

from directio import DirectIO

from dio_mc import atomic, operation, wait_until
from dio_mc.kernel import Block, Slot


class FaultLock(DirectIO, abstract=True):
    """A rule defines the lock: `fault_begins`, `fault_ends`, `faults_kept_out`."""

    @operation(kernel="mm/memory.c:__do_fault @2.6.24-")
    def filemap_fault(self, i):
        self.fault_begins()
        data = super().filemap_fault(i)
        self.fault_ends()
        return data

    @operation(kernel="mm/memory.c:do_page_mkwrite @3.16-")
    def store_through_pte(self, i, value):
        """Store under the page's lock and the lock of faults."""
        with atomic():
            wait_until(not self.page_lock[i].is_locked() and not self.faults_kept_out())
            present = self.slot[i] == Slot.UPTODATE and i < self.i_size
            if present:
                self.reserve(i)
                self.page[i], self.dirty[i] = value, True
        return present

    @operation(kernel="fs/buffer.c:block_page_mkwrite @2.6.24-")
    def reserve(self, i):
        """Reserve a block for a page that is dirtied: nothing by default."""

    @operation(kernel="mm/memory.c:__do_fault @2.6.24-")
    def fault_begins(self):
        """Take the lock of faults, shared."""

    @operation(kernel="mm/memory.c:__do_fault @2.6.24-")
    def fault_ends(self):
        """Release the lock of faults."""

    def faults_kept_out(self):
        """Whether the lock of faults is held exclusive."""
        return False


class AllocatesUnwritten(FaultLock, abstract=True):
    """Delayed allocation: write(2) and write faults reserve a block, writeback allocates it
    unwritten and converts it before it reports the end of its IO."""

    @operation(kernel="fs/iomap/buffered-io.c:iomap_page_mkwrite @5.3-")
    def reserve(self, i):
        with atomic():
            if self.block[i] == Block.HOLE:
                self.block[i] = Block.DELALLOC

    @operation(kernel="fs/iomap/buffered-io.c:iomap_write_begin @5.3-")
    def write_begin(self, i):
        super().write_begin(i)
        self.reserve(i)

    @operation(kernel="fs/iomap/buffered-io.c:iomap_writepage_map @5.10-6.12")
    def map_for_writeback(self, i):
        with atomic():
            if self.block[i] != Block.MAPPED:
                self.block[i] = Block.UNWRITTEN

    @operation(kernel="fs/iomap/buffered-io.c:iomap_finish_ioend @5.10-6.12")
    def end_page_writeback(self, i):
        self.convert_unwritten(i)
        super().end_page_writeback(i)
