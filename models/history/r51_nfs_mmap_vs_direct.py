"""A store through an existing pte is not excluded by the lock of direct IO (R51, NFS).

NFS separates buffered and direct users of a file by a lock of two classes (R19). A page that is
mapped writable needs no call: a store after the flush of a direct write dirties it, and its writeback
writes the whole page over the half that was written directly. e231c6879cfd (id not verified): direct
IO unmaps the pages before it flushes, and page_mkwrite takes the lock as a buffered user.
"""

from dio_mc import Array, Model, TwoClassLock, Var, atomic, expect, invariant, operation, thread, wait_until
from dio_mc.kernel import Data


class MapsStay(Model):
    """Before e231c6879cfd. Half 0 is written directly, half 1 through the mapping."""

    classes = TwoClassLock()
    page, server = Array(Data, size=2, init=Data.OLD), Array(Data, size=2, init=Data.OLD)
    pte = Var(bool, init=True)
    dirty = Var(bool)

    @thread
    def writer(self):
        self.direct_write()

    @operation(kernel="fs/nfs/direct.c:nfs_file_direct_write")
    def direct_write(self):
        self.classes.lock_direct()
        self.start_direct()
        self.server[0] = Data.NEW
        self.classes.unlock_direct()

    @operation(kernel="fs/nfs/io.c:nfs_start_io_direct @4.9-")
    def start_direct(self):
        wait_until(not self.dirty)

    @thread
    def mapper(self):
        done = False
        while not done:
            with atomic():
                done = self.pte
                if done:
                    self.page[1], self.dirty = Data.NEWER, True
            if not done:
                self.page_mkwrite()

    @operation(kernel="fs/nfs/file.c:nfs_vm_page_mkwrite @2.6.24-")
    def page_mkwrite(self):
        """The page is read again, since the direct write has made it stale."""
        self.classes.lock_buffered()
        with atomic():
            self.page[0], self.page[1], self.pte = self.server[0], self.server[1], True
        self.classes.unlock_buffered()

    @thread(daemon=True)
    def flusher(self):
        while True:
            with atomic():
                wait_until(self.dirty)
                self.server[0], self.server[1], self.dirty = self.page[0], self.page[1], False

    @invariant
    def no_lost_write(self):
        """Both writes are on the server, or on their way."""
        return not self.at_rest() or (
            self.page[0] == Data.NEW if self.dirty else self.server[0] == Data.NEW and self.server[1] == Data.NEWER
        )


class Unmaps(MapsStay):
    """The fix, e231c6879cfd."""

    @operation(kernel="fs/nfs/io.c:nfs_start_io_direct @4.9-")
    def start_direct(self):
        self.pte = False  # unmap_mapping_range
        super().start_direct()


class FlushesFirst(MapsStay):
    """The mistake: a store is possible between the flush and the unmapping."""

    @operation(kernel="fs/nfs/io.c:nfs_start_io_direct @4.9-")
    def start_direct(self):
        super().start_direct()
        self.pte = False


class UnlockedFault(Unmaps):
    """The mistake: page_mkwrite does not take the lock."""

    @operation(kernel="fs/nfs/file.c:nfs_vm_page_mkwrite @2.6.24-")
    def page_mkwrite(self):
        with atomic():
            self.page[0], self.page[1], self.pte = self.server[0], self.server[1], True


expect(MapsStay, violates={"no_lost_write"})
expect(Unmaps, holds=True)
expect(FlushesFirst, violates={"no_lost_write"})
expect(UnlockedFault, violates={"no_lost_write"})
