"""fsync copies a mask of devices to flush, then clears it, and loses a bit set in between (R70, bcachefs, 2026).

A direct write in place (nocow) is only in the drive's cache when it completes; its completion marks the device
in a mask of the inode, and fsync flushes the marked devices. fsync copied the mask and then cleared it: a device
marked between the two was not flushed, and the next fsync found no device to flush. 4316b75dfb96 (Aug 2026): one
atomic exchange. The commit leaves the ordering of concurrent fsyncs to the next commit. That is needed too: an
fsync that starts after another has taken the mask, and before it has flushed, also finds no device to flush.
"""

from dio_mc import Array, Model, Mutex, Param, Var, atomic, expect, invariant, operation, reachable, thread


class CopiesThenClears(Model):
    """Before 4316b75dfb96. Device 0 is marked; the write goes to device 1. (An empty mask was not cleared.)"""

    syncers = Param(2, min=1, max=3)
    need_flush = Array(bool, size=2, init=[True, False])
    in_drive_cache = Array(bool, size=2, init=[True, False])
    written, synced = Var(bool), Var(bool)

    @thread
    def writer(self):
        self.write_endio()
        self.written = True

    @operation(kernel="fs/bcachefs/io_write.c:bch2_write_endio @6.7-6.17")
    def write_endio(self):
        self.in_drive_cache[1] = True
        self.need_flush[1] = True

    @thread(instances=syncers)
    def syncer(self):
        for _ in range(2):
            acknowledged = self.written
            self.flush_nocow_writes()
            if acknowledged:
                self.synced = True

    @operation(kernel="fs/bcachefs/fs-io.c:bch2_inode_flush_nocow_writes_async @6.7-6.17")
    def flush_nocow_writes(self):
        with atomic():
            first, second = self.need_flush[0], self.need_flush[1]
        with atomic():
            self.need_flush[0], self.need_flush[1] = False, False
        self.flush(first, second)

    @operation()
    def flush(self, first, second):
        if first:
            self.in_drive_cache[0] = False
        if second:
            self.in_drive_cache[1] = False

    @invariant
    def synced_is_durable(self):
        """Data written before an fsync began is on disk when the fsync has ended."""
        return not (self.synced and self.in_drive_cache[1])

    @reachable
    def both_flushed(self):
        return self.synced and not self.in_drive_cache[0]


class Exchanges(CopiesThenClears):
    """An atomic exchange, 4316b75dfb96."""

    @operation(kernel="fs/bcachefs/fs-io.c:bch2_inode_flush_nocow_writes_async @6.7-6.17")
    def flush_nocow_writes(self):
        with atomic():
            first, second = self.need_flush[0], self.need_flush[1]
            self.need_flush[0], self.need_flush[1] = False, False
        self.flush(first, second)


class OneAtATime(Exchanges):
    """In addition, concurrent fsyncs are serialised."""

    flush_lock = Mutex()

    @operation(kernel="fs/bcachefs/fs-io.c:bch2_inode_flush_nocow_writes_async @6.7-6.17")
    def flush_nocow_writes(self):
        self.flush_lock.lock()
        super().flush_nocow_writes()
        self.flush_lock.unlock()


class LocksAndCopies(CopiesThenClears):
    """The mistake: a lock among the fsyncs does not exclude the completions of writes."""

    flush_lock = Mutex()

    @operation(kernel="fs/bcachefs/fs-io.c:bch2_inode_flush_nocow_writes_async @6.7-6.17")
    def flush_nocow_writes(self):
        self.flush_lock.lock()
        super().flush_nocow_writes()
        self.flush_lock.unlock()


expect(CopiesThenClears, violates={"synced_is_durable"}, syncers=1)
expect(Exchanges, holds=True, syncers=1)
expect(Exchanges, violates={"synced_is_durable"})
expect(OneAtATime, holds=True, any="syncer")
expect(LocksAndCopies, violates={"synced_is_durable"})
