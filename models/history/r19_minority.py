"""Whether the class in the minority gets its turn (R19, the progress of r19_two_class_exclusion.py).

Two buffered readers come and go, one direct writer wants in. A lock that only keeps the classes apart lets the readers
take turns forever: one is always inside. NFS (a5864c999de6, 2016) and ceph (321fe13c9398, 2019) put the two classes on
top of an rwsem instead: who finds the inode in the other mode drops the read lock and takes the write lock to change
it, and a writer that waits keeps new readers out. That is the whole of the fairness there is; with readers who overtake
a waiting writer it would be gone.
"""

from dio_mc import Model, RWSem, TwoClassLock, Var, expect, operation, progress, thread


class ClassesAlone(Model):
    """A lock without a queue, not a kernel's."""

    io_lock = TwoClassLock()

    @thread(instances=2, daemon=True)
    def reader(self):
        while True:
            self.start_io_read()
            self.end_io_read()

    @thread
    def writer(self):
        self.start_io_direct()
        self.end_io_direct()

    @operation()
    def start_io_read(self):
        self.io_lock.lock_buffered()

    @operation()
    def end_io_read(self):
        self.io_lock.unlock_buffered()

    @operation()
    def start_io_direct(self):
        self.io_lock.lock_direct()

    @operation()
    def end_io_direct(self):
        self.io_lock.unlock_direct()

    @progress(fairness="strong")
    def direct_io_ends(self):
        """The direct write gets its turn, if waiters are served in turn."""
        return self.finished(self.writer)


class Nfs(ClassesAlone):
    """a5864c999de6."""

    i_rwsem = RWSem(writer_preference=True)
    nfs_ino_odirect = Var(bool)

    @operation(kernel="fs/nfs/io.c:nfs_start_io_read @4.9-")
    def start_io_read(self):
        self.i_rwsem.down_read()
        odirect = self.nfs_ino_odirect
        if odirect:
            self.i_rwsem.up_read()
            self.i_rwsem.down_write()
            self.nfs_ino_odirect = False  # nfs_block_o_direct
            self.i_rwsem.downgrade_write()

    @operation(kernel="fs/nfs/io.c:nfs_end_io_read @4.9-")
    def end_io_read(self):
        self.i_rwsem.up_read()

    @operation(kernel="fs/nfs/io.c:nfs_start_io_direct @4.9-")
    def start_io_direct(self):
        self.i_rwsem.down_read()
        odirect = self.nfs_ino_odirect
        if not odirect:
            self.i_rwsem.up_read()
            self.i_rwsem.down_write()
            self.nfs_ino_odirect = True  # nfs_block_buffered
            self.i_rwsem.downgrade_write()

    @operation(kernel="fs/nfs/io.c:nfs_end_io_direct @4.9-")
    def end_io_direct(self):
        self.i_rwsem.up_read()


class ReadersOvertake(Nfs):
    """The mistake: an rwsem whose readers do not care who waits."""

    i_rwsem = RWSem()


expect(ClassesAlone, violates={"direct_io_ends"})
expect(Nfs, holds=True, any="all")
expect(ReadersOvertake, violates={"direct_io_ends"})
