"""The symbols of a kernel that is booted: only there are the functions of its modules, and what it keeps to itself."""

from __future__ import annotations

from collections.abc import Iterable

from dio_mc.machine.guest import Guest
from dio_mc.machine.images import Kernel
from dio_mc.study.anchors import Symbols, symbols_told

AT_ONCE = 500
"""So many names are asked for in one request."""


def symbols_of(kernel: Kernel, file_system: str, names: Iterable[str]) -> Symbols:
    """Which of these functions the kernel has, with the module of a file system; a clone of the compiler's counts as
    the function, a part that was split off (``f.cold``) does not. Raises `GuestLost` when it does not boot."""
    wanted = sorted(set(names))
    with Guest(kernel, file_system, threads=1) as guest:
        guest.stub.resume()
        for at in range(0, len(wanted), AT_ONCE):
            guest.channel.ask(f"symbols {','.join(wanted[at : at + AT_ONCE])}")
        told = [told.arguments[1] for told in guest.channel.told if told.word == "symbol"]
    return symbols_told(f"{kernel.release} with {file_system}", told, kernel.short)
