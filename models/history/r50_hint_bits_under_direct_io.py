"""A bit is set in a buffer between its checksum and its transfer (R50, PostgreSQL).

Backends set hint bits in a shared buffer under a shared lock, since a lost one does no harm. Whoever writes the buffer
has it shared too, computes the checksum, and hands the buffer to the device. With buffered IO the kernel copied it at
once, from a copy with the checksum; with direct and asynchronous IO the device reads the buffer itself, later: data and
checksum differ, and the page is corrupt when it is read. pgsql-hackers, September 2024 (asynchronous direct IO; no
commit): a lock mode of its own that excludes itself and not readers, for both, or a copy.

A file system that keeps checksums of data does the same to a program that changes the buffer of its direct write: what
btrfs acknowledged cannot be read. Repaired by a copy: in 6.12.77 the page cache, in 7.3 a buffer of the kernel's.
"""

from dio_mc import Kernel, Model, Mutex, RWSem, Var, atomic, expect, invariant, operation, thread


class SharedLockOnly(Model):
    """Before. The checksum of a page is its one bit."""

    hint = Var(bool)
    content_lock = RWSem()
    share_exclusive = Mutex()
    disk, disk_checksum = Var(bool), Var(bool)

    @thread
    def writer(self):
        self.content_lock.down_read()
        self.write_buffer()
        self.content_lock.up_read()

    @operation()
    def write_buffer(self):
        """FlushBuffer."""
        checksum = self.hint
        self.transfer(checksum)

    @operation(kernel="block/blk-core.c:submit_bio @2.6.27-")
    def transfer(self, checksum):
        """The device takes the page as it is."""
        data = self.hint
        with atomic():
            self.disk, self.disk_checksum = data, checksum

    @thread
    def backend(self):
        self.content_lock.down_read()
        self.set_hint()
        self.content_lock.up_read()

    @operation()
    def set_hint(self):
        """MarkBufferDirtyHint."""
        self.hint = True

    @invariant
    def checksum_matches(self):
        return not self.at_rest() or self.disk == self.disk_checksum


class ShareExclusive(SharedLockOnly):
    """The lock mode: one at a time, beside readers."""

    @operation()
    def write_buffer(self):
        self.share_exclusive.lock()
        super().write_buffer()
        self.share_exclusive.unlock()

    @operation()
    def set_hint(self):
        self.share_exclusive.lock()
        super().set_hint()
        self.share_exclusive.unlock()


class Copies(SharedLockOnly):
    """The other repair: checksum and transfer are of a copy."""

    @operation()
    def write_buffer(self):
        copy = self.hint
        with atomic():
            self.disk, self.disk_checksum = copy, copy


class ChecksumOnly(ShareExclusive):
    """The mistake: the lock is dropped when the IO is submitted."""

    @operation()
    def write_buffer(self):
        self.share_exclusive.lock()
        checksum = self.hint
        self.share_exclusive.unlock()
        self.transfer(checksum)


expect(
    SharedLockOnly,
    violates={"checksum_matches"},
    kernel=Kernel(
        "btrfs",
        layout="written",
        threads={"writer": "pwrite_direct_shared:NEW", "backend": "change_shared:NEWER"},
        gates={"writer.transfer": "submit_bio"},
        shows={"checksum_matches": {"writer": "new", "file": "error"}},
        has=("5.10", "6.1", "6.12.74"),
        mended=("6.12", "7.3"),
    ),
)
expect(ShareExclusive, holds=True, any="all")
expect(Copies, holds=True, any="all")
expect(ChecksumOnly, violates={"checksum_matches"})
