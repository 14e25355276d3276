"""The symbols of a booted kernel, which include those of its modules and static functions."""

from __future__ import annotations

from collections.abc import Iterable

from dio_mc.machine.guest import Guest
from dio_mc.machine.images import Kernel
from dio_mc.study.anchors import Symbols, reported_symbols

AT_ONCE = 500
"""The number of names per request."""


def symbols_of(kernel: Kernel, file_system: str, names: Iterable[str]) -> Symbols:
    """Which of these functions the kernel has, with the module of a file system loaded. A clone made by the compiler
    counts as the function, a part that was split off (``f.cold``) does not. Raises `GuestLost` if the kernel does not
    boot."""
    wanted = sorted(set(names))
    with Guest(kernel, file_system, threads=1) as guest:
        guest.stub.resume()
        for at in range(0, len(wanted), AT_ONCE):
            guest.channel.ask(f"symbols {','.join(wanted[at : at + AT_ONCE])}")
        listed = [event.arguments[1] for event in guest.channel.events if event.word == "symbol"]
    return reported_symbols(f"{kernel.release} with {file_system}", listed, kernel.short)
