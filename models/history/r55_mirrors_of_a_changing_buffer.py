"""Two mirrors are written from a buffer that the program keeps changing (R55, btrfs).

A direct write passes the program's own memory to the device, once per mirror. POSIX lets the program
change it during the write, at its own risk: either version may be on disk. With two mirrors both
are: they differ, and the result of a read depends on the mirror. 7c2830f00c3e (2026): a profile with
copies sends direct writes through the page cache; data checksums had the same problem before (R44).
"""

from dio_mc import Array, Model, Var, expect, invariant, operation, thread
from dio_mc.kernel import Data


class FromTheBuffer(Model):
    """Before 7c2830f00c3e."""

    buffer = Var(Data, init=Data.NEW)
    page = Var(Data)
    mirror = Array(Data, size=2, init=Data.OLD)

    @thread
    def writer(self):
        self.direct_write()

    @operation(kernel="fs/btrfs/direct-io.c:btrfs_direct_write @6.12-")
    def direct_write(self):
        for k in range(2):
            data = self.buffer
            self.mirror[k] = data

    @thread
    def program(self):
        self.buffer = Data.NEWER

    @invariant
    def mirrors_agree(self):
        return not self.at_rest() or self.mirror[0] == self.mirror[1]


class ThroughTheCache(FromTheBuffer):
    """The fix, 7c2830f00c3e: copied once, and the page is stable under writeback."""

    @operation(kernel="fs/btrfs/file.c:btrfs_buffered_write @4.19-")
    def direct_write(self):
        data = self.buffer
        self.page = data
        for k in range(2):
            data = self.page
            self.mirror[k] = data


class MappedInstead(ThroughTheCache):
    """The mistake: a page that the program may still modify under writeback does not help."""

    @thread
    def program(self):
        self.page = Data.NEWER


expect(FromTheBuffer, violates={"mirrors_agree"})
expect(ThroughTheCache, holds=True)
expect(MappedInstead, violates={"mirrors_agree"})
