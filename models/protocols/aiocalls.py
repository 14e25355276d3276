"""Asynchronous IO, one request per thread, and the record that every system call leaves (syscalls.py)."""

from record import Recorded

from dio_mc import PerThread, atomic, me, operation, wait_until
from dio_mc.kernel import Data
from dio_mc.kernel.register import REQUEST


class AsynchronousCalls(Recorded, abstract=True):
    """`iocb` is the event that waits to be reaped; `reading` says what it was asked for."""

    iocb = PerThread(Data)
    outcome, earlier = PerThread(Data, ghost=True), PerThread(Data, ghost=True)
    reading = PerThread(bool, ghost=True)

    @operation()
    def io_submit_pwrite(self, i, value):
        """Returns as soon as the kernel lets it; one request per thread."""
        if self.is_watched(i):
            self.write_begins(REQUEST, value)
        self.reading[me] = False
        self.aio_write(i, value)

    @operation()
    def io_submit_pread(self, i):
        """The record is made when it is reaped; a thread makes no other call until then."""
        self.a_read_begins(REQUEST, i)
        self.moved[me], self.copy_on_write = False, False
        self.reading[me] = True
        self.aio_read(i)

    @operation()
    def io_getevents(self):
        with atomic():
            wait_until(self.iocb[me] != Data.NOTHING)
            result = self.iocb[me]
            self.iocb[me] = Data.NOTHING
        self.earlier[me] = self.outcome[me]
        self.outcome[me] = Data.UNTOUCHED if self.reading[me] and self.moved[me] else result
        self.a_request_ends(result)
