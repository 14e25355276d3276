"""Asynchronous IO, one request per thread, and the results that it records (syscalls.py)."""

from record import Recorded

from dio_mc import PerThread, atomic, me, operation, wait_until
from dio_mc.kernel import Data
from dio_mc.kernel.register import REQUEST


class AsynchronousCalls(Recorded, abstract=True):
    """`iocb` is the event that has not been reaped yet; `reading` says which kind of request it belongs to."""

    iocb = PerThread(Data)
    outcome, earlier = PerThread(Data, ghost=True), PerThread(Data, ghost=True)
    reading = PerThread(bool, ghost=True)

    @operation()
    def io_submit_pwrite(self, i, value):
        """Submit a write; returns when the kernel's submission does. One request per thread."""
        if self.is_watched(i):
            self.write_begins(REQUEST, value)
        self.reading[me] = False
        self.aio_write(i, value)

    @operation()
    def io_submit_pread(self, i):
        """Submit a read. It is recorded when it is reaped; until then the thread makes no other call."""
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
