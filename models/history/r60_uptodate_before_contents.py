"""A reader sees the uptodate flag of a page before its contents (R60, 2.6.25, 2008).

The page's contents are stored, then its flag, without a barrier in between: on a processor that
reorders stores the flag becomes visible first, and the reader copies the previous contents of the
page. 0ed361dec369: SetPageUptodate has a store barrier before the flag, PageUptodate a load barrier
after it. Loads are in order in this model, so only the store barrier matters here.
"""

from dio_mc import Model, Var, expect, invariant, operation, reachable, smp_rmb, smp_store_release, smp_wmb, thread
from dio_mc.kernel import Data


class NoBarrier(Model):
    """Before 0ed361dec369."""

    memory_model = "pso"
    contents = Var(Data, init=Data.STALE, ordering="relaxed")
    uptodate = Var(bool, ordering="relaxed")
    seen = Var(Data)

    @thread
    def device(self):
        self.end_read()

    @operation(kernel="fs/mpage.c:mpage_end_io_read @-2.6.27")
    def end_read(self):
        self.contents = Data.NEW
        self.set_page_uptodate()

    @operation()
    def set_page_uptodate(self):
        self.uptodate = True

    @thread
    def reader(self):
        self.buffered_read()

    @operation(kernel="mm/filemap.c:do_generic_file_read @2.6.27-4.9")
    def buffered_read(self):
        uptodate = self.uptodate
        if uptodate:
            smp_rmb()
            contents = self.contents
            self.seen = contents

    @invariant
    def no_stale_exposure(self):
        """The contents copied from an uptodate page are those that were read into it."""
        return self.seen != Data.STALE

    @reachable
    def reads_new(self):
        """The reader may find the page uptodate."""
        return self.seen == Data.NEW


class StoreBarrier(NoBarrier):
    """The fix, 0ed361dec369."""

    @operation()
    def set_page_uptodate(self):
        smp_wmb()
        self.uptodate = True


class StoreRelease(NoBarrier):
    """The same with a store-release, as in later kernels."""

    @operation()
    def set_page_uptodate(self):
        smp_store_release(self.uptodate, True)


class BarrierTooLate(NoBarrier):
    """The mistake: the barrier comes after the flag."""

    @operation()
    def set_page_uptodate(self):
        self.uptodate = True
        smp_wmb()


class OnX86(NoBarrier):
    """Stores in order, as on x86, where the bug cannot be observed."""

    memory_model = "tso"


expect(NoBarrier, violates={"no_stale_exposure"})
expect(StoreBarrier, holds=True)
expect(StoreRelease, holds=True)
expect(BarrierTooLate, violates={"no_stale_exposure"})
expect(OnX86, holds=True)
