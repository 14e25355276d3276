"""A log beside a register: which thread's call had ended when another's began (for one call per
thread)."""

from dataclasses import dataclass

from dio_mc import Array, Model, PerThread, me, operation, threads


@dataclass(frozen=True)
class Began:
    """The threads whose calls had ended."""

    had_ended: Array(bool, size=12)


class Log(Model, abstract=True):
    """A base class to be listed before a class that is a register."""

    began = PerThread(Began, ghost=True)
    ended = PerThread(bool, ghost=True)

    @operation()
    def call_begins(self, slot, writes):
        super().call_begins(slot, writes)
        for t in threads():
            self.began[me].had_ended[t] = self.ended[t]

    @operation()
    def call_ends(self, slot):
        super().call_ends(slot)
        self.ended[me] = True

    @operation()
    def write_refused(self, slot, value):
        super().write_refused(slot, value)
        self.ended[me] = True

    @operation()
    def request_ends(self, result):
        super().request_ends(result)
        self.ended[me] = True
