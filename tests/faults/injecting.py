"""What goes wrong at the n-th occasion, inside the process of a command.

An occasion of `io` is an event that Python's audit hooks see (a file is opened, renamed, removed, a folder listed or
made) for a file that is not one of Python's or dio-mc's modules; it fails with EIO or ENOSPC. One of the others is the n-th call of
a function of dio-mc, on whichever thread: `memory` raises MemoryError there, `signal` sends SIGINT to the process.
(SQLite tests itself like this: https://www.sqlite.org/testing.html, "Anomaly Testing".)
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import dio_mc

Kind = Literal["io", "memory", "signal"]
PACKAGE = str(Path(dio_mc.__file__).parent)
EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.listdir", "os.scandir", "os.chmod", "os.link"})
ELSEWHERE = (PACKAGE, "/proc", "/sys", "/dev", "/usr/lib", sys.prefix, sys.base_prefix)
QUIET = ("cli/interrupts.py", "cli/streams.py", "cli/__init__.py", "deep.py", "guard.py")
"""Where a fault is dealt with: what is raised there is raised again, and again, and says nothing of a command."""


@dataclass(slots=True)
class Injected:
    """What goes wrong at the occasion `number`, counted from 1; `seen` have come, and it has been if `done`."""

    kind: Kind
    number: int
    seen: int = 0
    done: bool = False

    def arm(self) -> None:
        """From now on, in this process."""
        if self.kind == "io":
            sys.addaudithook(self._event)
        else:
            threading.setprofile(self._call)
            sys.setprofile(self._call)

    def _comes(self) -> bool:
        self.seen += 1
        if self.seen == self.number:
            self.done = True
        return self.seen == self.number

    def _event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in EVENTS or not _is_data(arguments) or "importlib" in sys._getframe(1).f_code.co_filename:
            return
        if self._comes():
            number = errno.ENOSPC if self.number % 2 else errno.EIO
            raise OSError(number, os.strerror(number), str(arguments[0]))

    def _call(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(PACKAGE):
            return
        if frame.f_code.co_filename.endswith(QUIET) or not self._comes():
            return
        if self.kind == "signal":
            os.kill(os.getpid(), signal.SIGINT)
            return
        raise MemoryError


def _is_data(arguments: tuple[Any, ...]) -> bool:
    name = arguments[0] if arguments else None
    if not isinstance(name, str | bytes | os.PathLike):
        return False
    text = os.fsdecode(name)
    return not text.startswith(ELSEWHERE)
