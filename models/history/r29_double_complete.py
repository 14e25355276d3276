"""A failed invalidation completes an asynchronous write a second time (R29, generic code, about 2.6.16 to 2.6.20).

The submitter has queued its IO and holds -EIOCBQUEUED, which means that the completion will report the result. The
invalidation after the IO fails and replaces it by -EIO; the AIO core takes that as the result and completes the iocb,
and the bio's completion completes it again. Described in the comment of xfstests generic/208 (versions and commit id
not verified); 8459d86aff04 (10 Dec 2006) is related. The fix: invalidate before the IO, where an error means that no IO
follows; or never let a later error replace "queued". Since 6ccfa806a9cf (2008), 60263d5889e6 (2020): a buffered write.
"""

from dio_mc import Model, Range, Var, atomic, choose, expect, invariant, operation, spawn, thread


class FailsAfterwards(Model):
    """2.6.18: invalidates after the IO."""

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
    """2.6.20 and later: on an error no IO is submitted, so the error is the result."""

    @operation(kernel="mm/filemap.c:generic_file_direct_IO @-2.6.24")
    def direct_write(self):
        failed = choose(False, True)
        if not failed:
            spawn(self.aio_complete)
        return not failed


class KeepsQueued(FailsAfterwards):
    """The alternative fix: after the IO was queued, a later error is ignored."""

    @operation(kernel="mm/filemap.c:generic_file_direct_IO @-2.6.24")
    def direct_write(self):
        spawn(self.aio_complete)
        return True


expect(FailsAfterwards, violates={"complete_once"})
expect(InvalidatesBefore, holds=True)
expect(KeepsQueued, holds=True)
