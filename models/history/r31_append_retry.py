"""An appending write computes its position again when it is retried (R31, btrfs).

One program, O_APPEND, and a user buffer that is not resident. The first attempt raises i_size, fails with
-EFAULT, and faults the buffer in; the second takes the new i_size as its position, so that the file has a
hole and is too long. 939b656bc8ab (2024) keeps the first position; xfstests generic/362. acf9ed3a6c00 (2026)
changes the same path again. This is not a race: the retry reads a value that the first attempt has changed.
"""

from dio_mc import Array, Model, Range, Var, expect, invariant, operation, thread


class AsksAgain(Model):
    """Before 939b656bc8ab."""

    i_size = Var(Range(0, 2))
    written = Array(bool, size=2)
    resident = Var(bool)

    @thread
    def program(self):
        position = self.i_size
        done = self.direct_write(position)
        if not done:
            self.resident = True  # fault_in_iov_iter_readable
            position = self.position(position)
            done = self.direct_write(position)

    @operation(kernel="fs/btrfs/file.c:btrfs_write_check @6.1-")
    def position(self, first):
        return self.i_size

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_direct_write @6.12-")
    def direct_write(self, position):
        self.i_size = position + 1  # btrfs_dio_iomap_begin
        resident = self.resident
        if resident:
            self.written[position] = True
        return resident

    @invariant
    def size_ok(self):
        """At the end the file has one block and no hole."""
        return not self.at_rest() or (self.i_size == 1 and self.written[0])


class KeepsThePosition(AsksAgain):
    """The fix, 939b656bc8ab."""

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_direct_write @6.12-")
    def position(self, first):
        return first


expect(AsksAgain, violates={"size_ok"})
expect(KeepsThePosition, holds=True)
