"""Writeback of a metadata block that was freed overwrites another file's data (R69, ext4 and jbd2, 2025).

A freed metadata block must not be written any more: the data of its next owner does not go through the block
device's cache, so the two writes are not ordered. jbd2_journal_forget tests whether the buffer is clean. A buffer
locked for a write in flight was treated as dirty: its dirty bit, already clear, was cleared, and the block freed.
3c652c3a71de (Sep 2025): always wait for the buffer; the write of a dirty one may begin before its dirty bit is
cleared. 328a782cb138 is the same without a journal. Found by review: the write has to last longer than a commit.
"""

from dio_mc import Model, PageLock, Var, atomic, expect, invariant, operation, reachable, thread, wait_until
from dio_mc.kernel import Data, Owner


class ForgetsAtOnce(Model):
    """Before 3c652c3a71de. One block; `dirty` and `buffer_lock` are those of its buffer in the block device's cache."""

    owner = Var(Owner)
    disk = Var(Data, init=Data.STALE)
    dirty = Var(bool, init=True)
    buffer_lock = PageLock()

    @thread(daemon=True)
    def flusher(self):
        self.write_dirty_buffer()
        return

    @operation()
    def write_dirty_buffer(self):
        """The end of the IO unlocks the buffer."""
        self.buffer_lock.lock()
        with atomic():
            write, self.dirty = self.dirty, False
        if write:
            self.disk = Data.OLD
        self.buffer_lock.unlock()

    @thread
    def truncater(self):
        self.forget()
        self.free_block()

    @operation(kernel="fs/jbd2/transaction.c:jbd2_journal_forget @2.6.24-")
    def forget(self):
        clean = self.buffer_lock.trylock()
        if clean:
            clean = not self.dirty
            self.buffer_lock.unlock()
        if not clean:
            self.discard()

    @operation()
    def discard(self):
        self.dirty = False

    @operation(kernel="fs/ext4/mballoc.c:ext4_free_blocks @3.16-")
    def free_block(self):
        self.owner = Owner.NOBODY

    @thread
    def other_file(self):
        with atomic():
            wait_until(self.owner == Owner.NOBODY)
            self.owner = Owner.OTHER_FILE
        self.disk = Data.NEW

    @invariant
    def no_lost_write(self):
        return not self.finished(self.other_file) or self.disk == Data.NEW

    @reachable
    def metadata_is_written(self):
        return self.disk == Data.OLD


class Waits(ForgetsAtOnce):
    """The fix, 3c652c3a71de."""

    @operation()
    def discard(self):
        self.dirty = False
        wait_until(not self.buffer_lock.is_locked())


class WaitsFirst(ForgetsAtOnce):
    """The mistake: the buffer is waited for first, and the next write begins before the dirty bit is cleared."""

    @operation()
    def discard(self):
        wait_until(not self.buffer_lock.is_locked())
        self.dirty = False


expect(ForgetsAtOnce, violates={"no_lost_write"})
expect(Waits, holds=True, any="all")
expect(WaitsFirst, violates={"no_lost_write"})
