"""A request is marked as fully issued after its last part has already ended (R63, netfs, 2025).

netfslib issues the parts of a request, which start at once, and then sets ALL_QUEUED. Each part that ends queues
the collector; it removes the ended parts from the request's list, and ends the request if ALL_QUEUED is set and
the list is empty. If the last part was collected before the flag was set, the collector is not queued again: the
request never ends, and eviction of its inode waits for it forever (a copy to the cache, as ceph makes it).
89635eae076c: after setting the flag the issuer tests the list, and queues the collector if it is empty.
"""

from dio_mc import Model, Param, Range, Var, atomic, expect, operation, reachable, spawn, thread, wait_until


class SetsTheFlag(Model):
    """Before 89635eae076c. `listed` are parts on the list, `ended` those of them that have ended."""

    parts = Param(1, min=1, max=3)
    listed, ended = Var(Range(0, parts)), Var(Range(0, parts))
    all_queued, work = Var(bool), Var(bool)
    io_count = Var(Range(0, 1), init=1)

    @thread
    def copier(self):
        for _ in range(self.parts):
            self.issue_write()
        self.end_copy_to_cache()

    @operation(kernel="fs/netfs/write_issue.c:netfs_issue_write @6.10-")
    def issue_write(self):
        with atomic():
            self.listed += 1
            spawn(self.write_terminated)

    @operation(kernel="fs/netfs/write_collect.c:netfs_write_subrequest_terminated @6.10-", slots=3)
    def write_terminated(self):
        with atomic():
            self.ended += 1
            self.work = True  # netfs_wake_collector

    @operation(kernel="fs/netfs/read_pgpriv2.c:netfs_pgpriv2_end_copy_to_cache @6.14-")
    def end_copy_to_cache(self):
        self.all_queued = True

    @thread(daemon=True)
    def worker(self):
        while True:
            with atomic():
                wait_until(self.work)
                self.work = False
            self.collect()

    @operation(kernel="fs/netfs/write_collect.c:netfs_write_collection_worker @6.10-")
    def collect(self):
        with atomic():
            self.listed, self.ended = self.listed - self.ended, 0
        all_queued = self.all_queued
        if all_queued:
            with atomic():
                if self.listed == 0:
                    self.io_count = 0

    @thread
    def evict(self):
        self.wait_for_outstanding_io()

    @operation(kernel="include/linux/netfs.h:netfs_wait_for_outstanding_io @6.10-")
    def wait_for_outstanding_io(self):
        wait_until(self.io_count == 0)

    @reachable
    def request_ends(self):
        return self.at_rest() and self.listed == 0


class LooksAfterwards(SetsTheFlag):
    """The fix, 89635eae076c."""

    @operation(kernel="fs/netfs/read_pgpriv2.c:netfs_pgpriv2_end_copy_to_cache @6.14-")
    def end_copy_to_cache(self):
        self.all_queued = True
        empty = self.listed == 0
        if empty:
            self.work = True


class LooksBefore(SetsTheFlag):
    """The mistake: the list is tested before the flag is set."""

    @operation(kernel="fs/netfs/read_pgpriv2.c:netfs_pgpriv2_end_copy_to_cache @6.14-")
    def end_copy_to_cache(self):
        empty = self.listed == 0
        self.all_queued = True
        if empty:
            self.work = True


expect(SetsTheFlag, violates={"deadlock"})
expect(LooksAfterwards, holds=True)
expect(LooksAfterwards, holds=True, parts=2)
expect(LooksBefore, violates={"deadlock"})
