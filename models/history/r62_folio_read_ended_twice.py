"""The submitter and a completion both end the read of a folio (R62, iomap, 2025 and 2026).

A large folio is read in parts, and a count decides who ends the read: it starts at the whole folio, completions
subtract what they have read, and the submitter at the end what it did not submit. If all was submitted and has already
been read, the submitter subtracts nothing, finds zero as the last completion did, and unlocks again; that is an xor,
and locks the folio for good. As merged, d43558ae6729 counts one more, for the submitter alone. A folio of one block
has no count: its completion unlocks it, and reclaim may free it before the submitter reads it again. aa35dd5cbc06: the
submitter drops its pointer to a fully submitted folio. The same count in f2fs: r62_folio_read_ended_early.py.
"""

from dio_mc import Model, Param, Range, Var, atomic, choose, expect, invariant, operation, reachable, thread, wait_until


class CountsTheFolio(Model):
    """As first proposed. Blocks that need no IO are zeroed; a folio with `blocks=1` has no count."""

    blocks = Param(2, min=1, max=3)
    in_flight, pending = Var(Range(0, blocks)), Var(Range(0, blocks + 1))
    locked, freed = Var(bool, init=True), Var(bool)
    used_after_free = Var(bool, ghost=True)

    @thread
    def submitter(self):
        self.readahead()

    @operation(kernel="fs/iomap/buffered-io.c:iomap_readahead @5.10-")
    def readahead(self):
        self.pending = self.blocks + self.bias() if self.blocks > 1 else 0  # iomap_read_init
        submitted: Range(0, 3) = 0
        for _ in range(self.blocks):
            needs_io = choose(True, False)
            if needs_io:
                self.read_folio_range()
                submitted += 1
        self.read_end(submitted)

    def bias(self):
        """The submitter's own contribution to the count."""
        return 0

    @operation(kernel="fs/iomap/bio.c:iomap_bio_read_folio_range @6.19-")
    def read_folio_range(self):
        with atomic():
            self.in_flight += 1

    @operation(kernel="fs/iomap/buffered-io.c:iomap_read_end @6.19-")
    def read_end(self, submitted):
        with atomic():
            self.used_after_free = self.freed
            if self.blocks > 1:
                self.pending -= self.blocks + self.bias() - submitted
            if self.pending == 0 and (self.blocks > 1 or submitted == 0):
                self.folio_end_read()

    @thread(daemon=True)
    def device(self):
        while True:
            self.finish_folio_read()

    @operation(kernel="fs/iomap/buffered-io.c:iomap_finish_folio_read @6.1-")
    def finish_folio_read(self):
        with atomic():
            wait_until(self.in_flight > 0)
            self.in_flight -= 1
            if self.blocks > 1:
                self.pending -= 1
            if self.pending == 0:
                self.folio_end_read()

    @operation(kernel="mm/filemap.c:folio_end_read @6.7-")
    def folio_end_read(self):
        with atomic():
            self.locked = not self.locked  # an xor of the flags

    @thread
    def reader(self):
        with atomic():
            wait_until(not self.locked or self.freed)

    @thread(daemon=True)
    def reclaim(self):
        wait_until(not self.locked)
        self.freed = True
        return

    @invariant
    def no_use_after_free(self):
        return not self.used_after_free

    @invariant
    def unlocked_once(self, after):
        """No other thread locks the folio here, so it stays unlocked."""
        return self.locked or not after.locked

    @reachable
    def is_read(self):
        return self.finished(self.submitter) and not self.locked


class CountsOneMore(CountsTheFolio):
    """The fix, d43558ae6729."""

    def bias(self):
        return 1


class ForgetsTheFolio(CountsTheFolio):
    """The later fix, aa35dd5cbc06."""

    @operation(kernel="fs/iomap/buffered-io.c:iomap_read_end @6.19-")
    def read_end(self, submitted):
        if submitted < self.blocks:
            super().read_end(submitted)


expect(CountsTheFolio, violates={"unlocked_once", "deadlock", "no_use_after_free"})
expect(CountsOneMore, holds=True, any="reader,device,reclaim")
expect(CountsOneMore, violates={"no_use_after_free"}, blocks=1)
expect(ForgetsTheFolio, holds=True, any="reader,device,reclaim")
expect(ForgetsTheFolio, holds=True, blocks=1)
