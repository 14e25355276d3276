"""O_DIRECT is tested twice while fcntl(2) toggles it (R45, ext4, CVE-2014-8086).

The filesystem tests whether the file is open for direct IO and prepares for it; the generic code tests again and takes
the other path. xfstests generic/036. No commit id is known here: the fix is to test once and pass the result on.
"""

from dio_mc import Model, Var, choose, expect, invariant, operation, thread


class AsksTwice(Model):
    """Before the fix."""

    o_direct = Var(bool, init=True)
    prepared = Var(bool | None)
    taken = Var(bool | None)

    @thread
    def writer(self):
        self.file_write()

    @operation(kernel="fs/ext4/file.c:ext4_file_write_iter @3.16-")
    def file_write(self):
        direct = self.o_direct
        self.prepared = direct
        self.generic_write(direct)

    @operation(kernel="mm/filemap.c:__generic_file_write_iter @3.16-")
    def generic_write(self, direct):
        direct = self.o_direct
        self.taken = direct

    @thread(daemon=True)
    def toggler(self):
        while True:
            self.o_direct = choose(False, True)

    @invariant
    def tests_agree(self):
        return self.taken is None or self.taken == self.prepared


class AsksOnce(AsksTwice):
    """The result of the first test is passed on."""

    @operation(kernel="mm/filemap.c:__generic_file_write_iter @3.16-")
    def generic_write(self, direct):
        self.taken = direct


expect(AsksTwice, violates={"tests_agree"})
expect(AsksOnce, holds=True)
