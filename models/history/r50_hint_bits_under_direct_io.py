"""A bit is set in a buffer between its checksum and its transfer (R50, PostgreSQL).

Backends set hint bits in a shared buffer under a shared lock, since losing one is harmless. A backend that writes
the buffer also holds the lock shared, computes the checksum, and passes the buffer to the device. With buffered IO
the write was of a copy made with the checksum. With direct and asynchronous IO the device reads the buffer itself,
later: data and checksum differ, and the page is corrupt when it is read. pgsql-hackers, September 2024 (asynchronous
direct IO; no commit): a lock mode for both that excludes itself but not readers, or a copy.

A file system that checksums data has the same race with a program that changes the buffer of its direct write: btrfs
acknowledges data that cannot be read back. Fixed by a copy: the page cache in 6.12.77, a kernel buffer in 7.3.
"""

from dio_mc import Kernel, Model, Mutex, RWSem, Var, atomic, expect, invariant, operation, thread


class SharedLockOnly(Model):
    """Before the fix. The checksum of a page is its only bit."""

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
        """The device reads the page in place."""
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
    """The lock mode: one holder at a time, in parallel with readers."""

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
    """The alternative fix: checksum and transfer use a copy."""

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
