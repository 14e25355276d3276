"""Failures of guests, as exceptions. `cli` phrases them; the codes are in `dio_mc.catalogue`."""

from __future__ import annotations

from dataclasses import dataclass

from dio_mc.errors import DioError


@dataclass(eq=False)
class GuestLost(DioError):
    """The guest cannot be used any more: QEMU has ended, or the guest does not answer. `log` is the end of its console,
    if there is one; `oops`: the kernel has reported a bug of its own."""

    message: str
    log: str = ""
    oops: bool = False

    def __str__(self) -> str:
        head = f"dio-mc: error DIO284: {self.message}"
        return "\n".join([head, *(f"  | {line}" for line in self.log.splitlines())])
