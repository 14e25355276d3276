"""A write queued before a truncate brings the truncated bytes back (R49, FUSE).

Writeback in FUSE copies a page and queues a request; the page is clean and may be reclaimed while the request
waits. A truncate lowers the size on the server, the file is extended again, and the truncated range reads as zeros;
then the request arrives. 2d033eaa0073 (id not verified): truncate sets a bias that blocks the sending of writes,
waits for those in flight, and sends the queued ones only when the new size is known, so that they are cut to it.
"""

from dio_mc import Model, Range, Var, atomic, expect, invariant, operation, thread, wait_until
from dio_mc.kernel import Data


class TruncatesAtOnce(Model):
    """Before 2d033eaa0073. One page, which has been written and is dirty."""

    dirty = Var(bool, init=True)
    queued, sent = Var(bool), Var(bool)
    no_write = Var(bool)
    i_size = Var(Range(0, 1), init=1)
    server = Var(Data, init=Data.ZERO)
    was_cut = Var(bool, ghost=True)

    @thread(daemon=True)
    def flusher(self):
        while True:
            with atomic():
                wait_until(self.dirty)
                self.writepages()

    @operation(kernel="fs/fuse/file.c:fuse_writepages @3.16-")
    def writepages(self):
        with atomic():
            self.dirty, self.queued = False, True

    @thread(daemon=True)
    def connection(self):
        while True:
            self.send()
            with atomic():  # the server writes
                self.server, self.sent = Data.OLD, False

    @operation(kernel="fs/fuse/file.c:fuse_send_writepage @2.6.27-")
    def send(self):
        with atomic():
            wait_until(self.queued and not self.no_write)
            self.queued, self.sent = False, True

    @thread
    def program(self):
        self.truncate()
        self.i_size = 1  # and extended again: zeros from here on

    @operation(kernel="fs/fuse/dir.c:fuse_do_setattr @2.6.24-")
    def truncate(self):
        with atomic():  # the server's reply
            self.server, self.was_cut = Data.ZERO, True
        with atomic():  # truncate_pagecache
            self.i_size, self.dirty = 0, False

    @invariant
    def stays_truncated(self):
        """Truncated bytes do not come back."""
        return not self.at_rest() or self.server == Data.ZERO


class KeepsWritesBack(TruncatesAtOnce):
    """The fix, 2d033eaa0073."""

    @operation(kernel="fs/fuse/dir.c:fuse_do_setattr @2.6.24-")
    def truncate(self):
        self.set_nowrite()
        super().truncate()
        self.release_nowrite()

    @operation(kernel="fs/fuse/dir.c:fuse_set_nowrite @2.6.27-")
    def set_nowrite(self):
        self.no_write = True
        wait_until(not self.sent)

    @operation(kernel="fs/fuse/dir.c:fuse_release_nowrite @2.6.27-")
    def release_nowrite(self):
        """The queued requests are sent, cut to the size; here that leaves nothing."""
        with atomic():
            self.no_write, self.queued = False, False


class DoesNotCut(KeepsWritesBack):
    """The mistake: the blocked requests are sent uncut."""

    @operation(kernel="fs/fuse/dir.c:fuse_release_nowrite @2.6.27-")
    def release_nowrite(self):
        self.no_write = False


class DoesNotWait(KeepsWritesBack):
    """The mistake: requests in flight are not waited for."""

    @operation(kernel="fs/fuse/dir.c:fuse_set_nowrite @2.6.27-")
    def set_nowrite(self):
        self.no_write = True


expect(TruncatesAtOnce, violates={"stays_truncated"})
expect(KeepsWritesBack, holds=True, any="all")
expect(DoesNotCut, violates={"stays_truncated"})
expect(DoesNotWait, violates={"stays_truncated"})
