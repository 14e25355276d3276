"""A direct write that was only partly submitted leaves a hole in the part written (R35, btrfs).

Faults are disabled while the range is locked (r35_own_buffer_fault.py), so a buffer of two pages of which one is
resident leads to a write of one page, and a second attempt for the other. The first attempt has one ordered extent for
both, and reports the part not submitted as finished with an error. The error is that of the whole extent, so the
completion of the part written drops that too. The second attempt succeeds, write(2) returns 2 pages, one of them lost.

b73a6fd1b1ef "btrfs: split partial dio bios before submit" (2023): the part submitted gets an ordered extent of its
own. xfstests generic/708. The first version fails in every schedule; the last mistake is a race.
"""

from dio_mc import Array, Model, Range, Var, atomic, expect, invariant, operation, spawn, thread


class OneOrderedExtent(Model):
    """Before b73a6fd1b1ef. `ordered` is the current ordered extent, named by its first page; `linked` is the map."""

    length = Array(Range(0, 2), size=2)
    pending = Array(Range(0, 2), size=2)
    failed = Array(bool, size=2)
    ordered = Var(Range(0, 1))
    resident = Var(bool)
    written = Array(bool, size=2)
    linked = Array(bool, size=2)

    @thread
    def program(self):
        end = self.iomap_dio_rw(0)
        if end < 2:
            self.resident = True  # fault_in_iov_iter_readable
            end = self.iomap_dio_rw(end)

    @operation(kernel="fs/iomap/direct-io.c:__iomap_dio_rw @5.10-")
    def iomap_dio_rw(self, first):
        with atomic():  # btrfs_dio_iomap_begin
            self.length[first], self.pending[first], self.ordered = 2 - first, 2 - first, first
        end = 2 if self.resident else 1  # bio_iov_iter_get_pages
        self.submit_io(first, end)
        if end < 2:
            self.dio_iomap_end(end)
        return end

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_dio_submit_io @6.12-")
    def submit_io(self, first, end):
        spawn(self.dio_end_io, first, end)

    @operation(kernel="fs/btrfs/inode.c:btrfs_dio_iomap_end @5.10-6.1")
    def dio_iomap_end(self, end):
        self.failed[self.ordered] = True
        self.mark_ordered_io_finished(self.ordered, 2 - end)

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_dio_end_io @6.12-", slots=2)
    def dio_end_io(self, first, end):
        for i in range(first, end):
            self.written[i] = True
        self.mark_ordered_io_finished(first, end - first)

    @operation(kernel="fs/btrfs/ordered-data.c:btrfs_mark_ordered_io_finished @6.1-")
    def mark_ordered_io_finished(self, extent, pages):
        with atomic():
            self.pending[extent] -= pages
            last = self.pending[extent] == 0
        if last:
            self.finish_ordered_io(extent)

    @operation(kernel="fs/btrfs/inode.c:btrfs_finish_ordered_io @3.16-")
    def finish_ordered_io(self, extent):
        with atomic():
            if not self.failed[extent]:
                for i in range(extent, extent + self.length[extent]):
                    self.linked[i] = True
            self.failed[extent] = False

    @invariant
    def no_lost_write(self):
        return not self.at_rest() or all(self.linked[i] for i in range(2))

    @invariant
    def no_stale_exposure(self):
        """Every block in the map has been written."""
        return all(self.written[i] or not self.linked[i] for i in range(2))


class SplitsTheExtent(OneOrderedExtent):
    """The fix, b73a6fd1b1ef."""

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_dio_submit_io @6.12-")
    def submit_io(self, first, end):
        self.split(first, end)
        super().submit_io(first, end)

    @operation(kernel="fs/btrfs/inode.c:btrfs_extract_ordered_extent @6.3-6.10")
    def split(self, first, end):
        if end < 2:
            with atomic():
                self.length[first], self.pending[first], self.ordered = end - first, end - first, end
                self.length[end], self.pending[end] = 2 - end, 2 - end


class ForgetsTheError(OneOrderedExtent):
    """The mistake: the part not submitted is finished without an error, and the map has a block without its data."""

    @operation(kernel="fs/btrfs/inode.c:btrfs_dio_iomap_end @5.10-6.1")
    def dio_iomap_end(self, end):
        self.mark_ordered_io_finished(self.ordered, 2 - end)


class SplitsTooLate(SplitsTheExtent):
    """The mistake: split after the bio was submitted; its completion may already have used the whole extent."""

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_dio_submit_io @6.12-")
    def submit_io(self, first, end):
        OneOrderedExtent.submit_io(self, first, end)
        self.split(first, end)


expect(OneOrderedExtent, violates={"no_lost_write"})
expect(SplitsTheExtent, holds=True)
expect(ForgetsTheError, violates={"no_stale_exposure"})
expect(SplitsTooLate, violates={"no_lost_write"})
