"""A failed invalidation completes an asynchronous write a second time (R29, generic code, about 2.6.16 to 2.6.20).

The submitter has queued its IO and holds -EIOCBQUEUED, which says that the completion will report. The invalidation
after the IO fails and puts -EIO in its place; the AIO core takes that for the result, completes the iocb, and so does
the bio's completion. The comment of xfstests generic/208 tells it (versions and commit id not verified); a sibling is
8459d86aff04 (10 Dec 2006). Repair: invalidate before the IO, where an error means that there is none; or never let a
later error replace "queued". Later the failure became a buffered write: 6ccfa806a9cf (2008), 60263d5889e6 (2020).
"""

from dio_mc import Model, Range, Var, atomic, choose, expect, invariant, operation, spawn, thread


class FailsAfterwards(Model):
    """2.6.18."""

    completions = Var(Range(0, 2))

    @thread
    def submitter(self):
        queued = self.direct_write()
        if not queued:
            self.aio_complete()

    @operation(kernel="mm/filemap.c:generic_file_direct_IO @-2.6.24")
    def direct_write(self):
        spawn(self.aio_complete)  # the bio's completion
        failed = choose(False, True)  # invalidate_inode_pages2_range
        return not failed

    @operation(kernel="fs/aio.c:aio_complete")
    def aio_complete(self):
        with atomic():
            self.completions += 1

    @invariant
    def complete_once(self):
        return self.completions <= 1 and (not self.at_rest() or self.completions == 1)


class InvalidatesBefore(FailsAfterwards):
    """2.6.20 and later: without an IO the error is the result."""

    @operation(kernel="mm/filemap.c:generic_file_direct_IO @-2.6.24")
    def direct_write(self):
        failed = choose(False, True)
        if not failed:
            spawn(self.aio_complete)
        return not failed


class KeepsQueued(FailsAfterwards):
    """The other half: once queued, the error is dropped."""

    @operation(kernel="mm/filemap.c:generic_file_direct_IO @-2.6.24")
    def direct_write(self):
        spawn(self.aio_complete)
        return True


expect(FailsAfterwards, violates={"complete_once"})
expect(InvalidatesBefore, holds=True)
expect(KeepsQueued, holds=True)
