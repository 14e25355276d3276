"""A snapshot shows zeros that the file never contained (R43, btrfs).

A buffered write of block 0 is still in memory; a direct write of block 1 is on disk and has raised the size on
disk past both; a snapshot is committed. In it block 0 is a hole inside the file. The live file never had that
state: the first write always precedes the second. 609e804d771f (2019): the flush at the start of the snapshot is
too early, so flush again in the commit, when no one can join the transaction. The alternative is not to raise the
size on disk over data that is not written yet. `snapshot` and `snapshot_size` are the image that stays on disk.
"""

from dio_mc import Array, Model, Range, RWSem, Var, atomic, expect, invariant, operation, thread, wait_until


class FlushesOnce(Model):
    """Before 609e804d771f."""

    dirty = Var(bool)  # block 0, in the cache
    on_disk = Array(bool, size=2)
    disk_i_size = Var(Range(0, 2))
    snapshot_size = Var(Range(0, 2))
    snapshot = Array(bool, size=2)
    transaction = RWSem()

    @thread
    def writer(self):
        self.dirty = True  # write(2) to block 0
        self.on_disk[1] = True  # O_DIRECT to block 1
        self.finish_ordered_io()

    @operation(kernel="fs/btrfs/inode.c:btrfs_finish_ordered_io @3.16-")
    def finish_ordered_io(self):
        self.transaction.down_read()
        self.update_disk_i_size()
        self.transaction.up_read()

    @operation(kernel="fs/btrfs/ordered-data.c:btrfs_ordered_update_i_size @3.16-4.19")
    def update_disk_i_size(self):
        self.disk_i_size = 2

    @thread(daemon=True)
    def flusher(self):
        while True:
            wait_until(self.dirty)
            with atomic():
                self.on_disk[0], self.dirty = True, False

    @thread
    def snapshotter(self):
        self.flush()  # btrfs_start_delalloc_snapshot
        self.transaction.down_write()
        self.commit()
        self.transaction.up_write()

    @operation(kernel="fs/btrfs/inode.c:btrfs_start_delalloc_snapshot @4.19-")
    def flush(self):
        wait_until(not self.dirty)

    @operation(kernel="fs/btrfs/transaction.c:create_pending_snapshot @3.16-")
    def commit(self):
        with atomic():
            self.snapshot_size = self.disk_i_size
            self.snapshot[0], self.snapshot[1] = self.on_disk[0], self.on_disk[1]

    @invariant
    def no_hole_in_snapshot(self):
        return all(i >= self.snapshot_size or self.snapshot[i] for i in range(2))


class FlushesInCommit(FlushesOnce):
    """The fix, 609e804d771f: a second flush, when the size can no longer be raised."""

    @operation(kernel="fs/btrfs/transaction.c:btrfs_start_delalloc_flush @3.16-")
    def commit(self):
        self.flush()
        super().commit()


class OrdersTheSize(FlushesOnce):
    """The alternative. (The end of the flush would raise the size later; left out.)"""

    @operation(kernel="fs/btrfs/ordered-data.c:btrfs_ordered_update_i_size @3.16-4.19")
    def update_disk_i_size(self):
        with atomic():
            if not self.dirty:
                super().update_disk_i_size()


expect(FlushesOnce, violates={"no_hole_in_snapshot"})
expect(FlushesInCommit, holds=True)
expect(OrdersTheSize, holds=True)
