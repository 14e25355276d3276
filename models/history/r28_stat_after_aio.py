"""An asynchronous write is reported complete before i_size has grown (R28, generic code up to 2.6.19).

The program reaps its completion, calls stat(2), and gets the old size. Fixed in 2.6.20 by the opposite order of
the two steps, according to the comment of xfstests generic/207 (kernel bugzilla 6831), which gives no commit id.
"""

from dio_mc import Kernel, Model, Range, Var, expect, invariant, operation, thread, wait_until


class CompletesFirst(Model):
    """Up to 2.6.19. `stat` is the size that the program gets, None before its call."""

    i_size = Var(Range(0, 1))
    completed = Var(bool)
    stat = Var(Range(0, 1) | None)

    @thread
    def completion(self):
        self.dio_complete()

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self):
        self.completed = True
        self.i_size = 1

    @thread
    def program(self):
        wait_until(self.completed)  # io_getevents
        size = self.i_size
        self.stat = size

    @invariant
    def size_ok(self):
        return self.stat != 0


class SizeFirst(CompletesFirst):
    """2.6.20: i_size is raised before the completion is reported."""

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self):
        self.i_size = 1
        self.completed = True


expect(
    CompletesFirst,
    violates={"size_ok"},
    kernel=Kernel(
        "xfs",
        layout="empty",
        threads={"completion": "io_submit_pwrite:NEW,io_getevents", "program": "pread_direct"},
        shows={"size_ok": {"program": "eof"}},
        mended=("5.10", "6.12", "7.3", "6.12 ext4"),
    ),
)
expect(SizeFirst, holds=True, any="all")
