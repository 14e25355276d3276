"""The fix of r63_all_queued_too_late.py, with stores that become visible after later loads (R63, netfs).

One side sets the flag and tests the list, the other removes from the list and tests the flag. If both stores are
still in store buffers when the other side loads, neither ends the request, as before 89635eae076c. Each side needs a
full barrier in between; set_bit() is not a barrier on every architecture. Derived from the fix; no report is known.
"""

from r63_all_queued_too_late import LooksAfterwards

from dio_mc import Range, Var, expect, operation, smp_mb, spawn


class NoFullBarrier(LooksAfterwards):
    """One part, which has ended when the collector runs."""

    listed = Var(Range(0, 1), ordering="relaxed")
    all_queued = Var(bool, ordering="relaxed")

    @operation(kernel="fs/netfs/write_issue.c:netfs_issue_write @6.10-")
    def issue_write(self):
        self.listed = 1
        spawn(self.write_terminated)

    @operation(kernel="fs/netfs/write_collect.c:netfs_write_collection_worker @6.10-")
    def collect(self):
        self.listed = 0
        self.barrier()
        all_queued = self.all_queued
        if all_queued:
            self.io_count = 0

    @operation(kernel="fs/netfs/read_pgpriv2.c:netfs_pgpriv2_end_copy_to_cache @6.14-")
    def end_copy_to_cache(self):
        self.all_queued = True
        self.barrier()
        empty = self.listed == 0
        if empty:
            self.work = True

    @operation()
    def barrier(self):
        pass


class FullBarriers(NoFullBarrier):
    """A barrier between the store and the load, on both sides."""

    @operation()
    def barrier(self):
        smp_mb()


expect(NoFullBarrier, violates={"deadlock"})
expect(FullBarriers, holds=True)
