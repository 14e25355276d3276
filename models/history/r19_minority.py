"""Progress of a single direct writer against buffered readers (R19, for the locks of r19_two_class_exclusion.py).

Two buffered readers take the lock in endless loops, and one direct writer waits for it. A lock that only excludes
the other class lets the readers take turns forever: one of them always holds it. NFS (a5864c999de6, 2016) and
ceph (321fe13c9398, 2019) build the two classes on an rwsem: a caller that finds the inode in the other mode drops
the read lock and takes the write lock to change the mode, and a waiting writer blocks new readers. Fairness
depends on that alone; with readers that overtake a waiting writer it would be lost.
"""

from dio_mc import Model, RWSem, TwoClassLock, Var, expect, operation, progress, thread


class ClassesAlone(Model):
    """A lock without a queue, which no kernel uses."""

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
        """The direct write comes to an end, if waiters are served fairly."""
        return self.finished(self.writer)


class Nfs(ClassesAlone):
    """The fix, a5864c999de6."""

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
    """The mistake: an rwsem whose readers overtake a waiting writer."""

    i_rwsem = RWSem()


expect(ClassesAlone, violates={"direct_io_ends"})
expect(Nfs, holds=True, any="all")
expect(ReadersOvertake, violates={"direct_io_ends"})
