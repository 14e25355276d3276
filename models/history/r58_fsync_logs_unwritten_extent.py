"""fsync logs an extent while the data of a direct write is still in flight (R58, btrfs, 2022).

A direct write inserts its extent into the map and unlocks the inode. fsync does not find an ordered extent to wait
for yet, and logs the extent; after a crash and a replay of the log, the file shows the previous contents of the
block. de0ee0edb21f: the ordered extent is registered before the inode is unlocked, so that fsync waits for it.
"""

from dio_mc import Mutex, Var, expect, invariant, operation, reachable, thread, wait_until
from dio_mc.kernel import Crashes, Data


class RegistersLate(Crashes):
    """Before de0ee0edb21f. `disk` is the new block; `mapped` the block of the file after log replay."""

    durable = ("disk", "logged", "mapped")
    disk = Var(Data, init=Data.STALE)
    logged, mapped, extent, ordered, in_flight = Var(bool), Var(bool), Var(bool), Var(bool), Var(bool)
    inode = Mutex()

    @thread
    def writer(self):
        self.direct_write()

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_direct_write @6.12-")
    def direct_write(self):
        self.inode.lock()
        self.extent = True
        self.registered_locked()
        self.inode.unlock()
        self.registered_unlocked()
        self.in_flight = True

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_dio_iomap_begin @6.12-")
    def registered_locked(self):
        pass

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_dio_submit_io @6.12-")
    def registered_unlocked(self):
        self.ordered = True

    @thread(daemon=True)
    def device(self):
        self.finish_ordered_io()
        return

    @operation(kernel="fs/btrfs/inode.c:btrfs_finish_ordered_io @3.16-")
    def finish_ordered_io(self):
        wait_until(self.in_flight)
        self.disk = Data.NEW
        self.ordered = False

    @thread
    def syncer(self):
        self.sync_file()

    @operation(kernel="fs/sync.c:do_fsync @2.6.24-")
    def sync_file(self):
        self.inode.lock()
        wait_until(not self.ordered)
        extent = self.extent
        if extent:
            self.logged = True
        self.inode.unlock()

    @operation()
    def recover(self):
        logged = self.logged
        if logged:
            self.mapped = True

    @invariant
    def no_stale_exposure(self):
        """After a crash the file does not show the block's previous contents."""
        return not self.recovered() or not self.mapped or self.disk == Data.NEW

    @reachable
    def survives(self):
        """A logged extent is there after a crash."""
        return self.recovered() and self.mapped and self.disk == Data.NEW


class RegistersLocked(RegistersLate):
    """The fix, de0ee0edb21f."""

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_dio_iomap_begin @6.12-")
    def registered_locked(self):
        self.ordered = True

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_dio_submit_io @6.12-")
    def registered_unlocked(self):
        pass


class DoesNotWait(RegistersLocked):
    """The mistake: fsync looks only at the map."""

    @operation(kernel="fs/sync.c:do_fsync @2.6.24-")
    def sync_file(self):
        self.inode.lock()
        extent = self.extent
        if extent:
            self.logged = True
        self.inode.unlock()


class EndsBeforeTheData(RegistersLocked):
    """The mistake: the ordered extent ends when the IO is submitted."""

    @operation(kernel="fs/btrfs/inode.c:btrfs_finish_ordered_io @3.16-")
    def finish_ordered_io(self):
        wait_until(self.in_flight)
        self.ordered = False
        self.disk = Data.NEW


expect(RegistersLate, violates={"no_stale_exposure"})
expect(RegistersLocked, holds=True)
expect(RegistersLocked, holds=True, crashes=2)
expect(DoesNotWait, violates={"no_stale_exposure"})
expect(EndsBeforeTheData, violates={"no_stale_exposure"})
