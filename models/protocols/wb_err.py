"""An error that stays on the mapping until fsync reports it (5a9d929d6e13, v4.16; errseq_t,
v4.13).

A direct write after which a page could not be dropped records EIO in `wb_err`. Every open file
reports it once, at its next fsync or msync; each thread of a workload has opened the file itself.
"""

from syscalls import SystemCalls

from dio_mc import PerThread, Var, atomic, me, operation, threads


class RecordsErrors(SystemCalls, abstract=True):
    """`told[t]`: thread t has been told of the last error. A class with ``tells_all = False`` is
    about runs up to the first error: earlier errors then need not be forgotten."""

    tells_all = True

    wb_err = Var(bool)
    told = PerThread(bool)

    def reported(self):
        return self.wb_err

    @operation(kernel="mm/filemap.c:dio_warn_stale_pagecache @5.10-")
    def collision(self, gone):
        if not gone:
            with atomic():
                self.wb_err = True
                if self.tells_all:
                    for t in threads():
                        self.told[t] = False

    @operation(kernel="mm/filemap.c:file_check_and_advance_wb_err @4.19-")
    def vfs_fsync_range(self, i):
        self.flush(i)
        with atomic():
            good = not self.wb_err or self.told[me]
            self.told[me] = self.wb_err
        return good
