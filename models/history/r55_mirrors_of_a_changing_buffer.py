"""Two mirrors are written from a buffer that its program goes on changing (R55, btrfs).

A direct write hands the program's own memory to the device, once per mirror. POSIX lets the program change it
meanwhile, at its own risk: what is on disk is one or the other. With two mirrors it is both: they differ, and what a
read gives depends on which is asked. 7c2830f00c3e (2026): a profile with copies sends direct writes through the page
cache; checksums had the same trouble before (R44).
"""

from dio_mc import Array, Model, Var, expect, invariant, operation, thread
from dio_mc.kernel import Data


class FromTheBuffer(Model):
    """Before."""

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
    """7c2830f00c3e: copied once, and the page is stable under writeback."""

    @operation(kernel="fs/btrfs/file.c:btrfs_buffered_write @4.19-")
    def direct_write(self):
        data = self.buffer
        self.page = data
        for k in range(2):
            data = self.page
            self.mirror[k] = data


class MappedInstead(ThroughTheCache):
    """The mistake: a page that the program may store into under writeback is no better."""

    @thread
    def program(self):
        self.page = Data.NEWER


expect(FromTheBuffer, violates={"mirrors_agree"})
expect(ThroughTheCache, holds=True)
expect(MappedInstead, violates={"mirrors_agree"})
