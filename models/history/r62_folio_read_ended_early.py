"""The read of a large folio is ended while a part of it is still to be read (R62, f2fs, 2026).

The parts of a large folio that are not adjacent on disk are read by several bios; a bio is submitted
when the next part does not fit into it. A part was counted when it had been added to a bio, that is,
after the previous bio was submitted: if that one completes at once, its completion finds nothing
pending, marks the whole folio uptodate and unlocks it. c0c589fa1d17: a part is counted first.
"""

from dio_mc import Array, Model, Param, Range, Var, atomic, choose, expect, invariant, operation, reachable, thread
from dio_mc.kernel import Data


class CountsAfterwards(Model):
    """Before c0c589fa1d17. Each part has a bio of its own."""

    parts = Param(2, min=1, max=3)
    folio = Array(Data, size=parts, init=Data.STALE)
    in_flight = Array(bool, size=parts)
    pending = Var(Range(0, parts))
    uptodate = Var(bool)

    @thread
    def reader(self):
        self.read_large_folio()

    @operation(kernel="fs/f2fs/data.c:f2fs_read_data_large_folio @7.0-")
    def read_large_folio(self):
        for i in range(self.parts):
            if i > 0:
                self.submit_read_bio(i - 1)
            self.count()
        self.submit_read_bio(self.parts - 1)

    @operation(kernel="fs/f2fs/data.c:f2fs_submit_read_bio @6.12-")
    def submit_read_bio(self, i):
        self.in_flight[i] = True

    @operation()
    def count(self):
        with atomic():
            self.pending += 1

    @thread(daemon=True)
    def device(self):
        while True:
            with atomic():
                i = choose(i for i in range(self.parts) if self.in_flight[i])
                self.folio[i], self.in_flight[i] = Data.NEW, False
            self.finish_read_bio()

    @operation(kernel="fs/f2fs/data.c:f2fs_finish_read_bio @5.19-")
    def finish_read_bio(self):
        with atomic():
            self.pending -= 1
            if self.pending == 0:
                self.uptodate = True  # folio_end_read

    @invariant
    def no_stale_exposure(self):
        """Every part of an uptodate folio has been read."""
        return not self.uptodate or all(self.folio[i] != Data.STALE for i in range(self.parts))

    @reachable
    def is_read(self):
        return self.uptodate and all(self.folio[i] == Data.NEW for i in range(self.parts))


class CountsFirst(CountsAfterwards):
    """The fix, c0c589fa1d17."""

    @operation(kernel="fs/f2fs/data.c:f2fs_read_data_large_folio @7.0-")
    def read_large_folio(self):
        for i in range(self.parts):
            self.count()
            if i > 0:
                self.submit_read_bio(i - 1)
        self.submit_read_bio(self.parts - 1)


expect(CountsAfterwards, violates={"no_stale_exposure"})
expect(CountsAfterwards, holds=True, parts=1)
expect(CountsFirst, holds=True, any="device")
expect(CountsFirst, holds=True, parts=3)
