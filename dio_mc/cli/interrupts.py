"""Ctrl-C, SIGTERM and SIGHUP: a command that is interrupted reports what it has found instead of a traceback.

`main` installs the handlers before anything else is imported, and waits in the main thread while the command runs in
another (`deep`), so that signals are handled promptly. A command that can give partial results polls whether it should
stop (`Interrupts`); any other command is ended at once. The exit code is 3 (undetermined). A second signal ends a
command that does not stop, and a third ends the process, even inside foreign code.

Python raises an exception only between two of its operations, so the second signal takes effect when the command is
back from a system call: a write to a pipe that nobody reads, or to a disk that hangs. This is left so. The third signal
needs no such moment, and files are renamed into place when they are complete, so it does not leave half of one.

A signal that was ignored when the command began stays ignored, as shells expect for background jobs, and ``nohup``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Thread

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
ENDED = 3
"""The exit code of a command that a signal ended."""


LOOK = 0.05
"""Seconds between two checks for signals by the main thread."""


class Signals:
    """Handles the signals of this process and records which have arrived."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.count = 0
        self.listeners = 0
        self.thread: Thread | None = None
        self.before: dict[int, object] = {}

    def take(self) -> None:
        """Install the handlers. Main thread only."""
        import signal

        for name in NAMES:
            number = getattr(signal, name, None)
            if number is None or signal.getsignal(number) is signal.SIG_IGN:
                continue
            self.before[number] = signal.signal(number, self.note)

    def give_back(self) -> None:
        """Restore the previous handlers."""
        import signal

        for number, handler in self.before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self.before.clear()

    def note(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        import os
        import signal

        self.count += 1
        self.reason = self.reason or ("Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name)
        if self.listeners and self.count == 1:
            return
        if self.count > 2 and self.thread is not None:
            os._exit(ENDED)
        self.end()

    def end(self) -> None:
        """Raise `KeyboardInterrupt` in the thread that runs the command."""
        if self.thread is None:
            raise KeyboardInterrupt
        from dio_mc.guard import interrupt

        if self.thread.ident is not None:
            interrupt(self.thread.ident)

    def wait(self, thread: Thread) -> None:
        """Wait briefly for the thread of the command. The system may deliver a signal to any thread, and Python handles
        it when the main thread runs again. A signal that arrived before the thread existed is passed on now."""
        new = self.thread is None
        self.thread = thread
        if new and self.count and not self.listeners:
            self.end()
        thread.join(LOOK)


SIGNALS = Signals()


class Interrupts:
    """A context in which the first signal requests a stop and the second ends the command. Its value returns the reason
    to stop, or None."""

    def __enter__(self) -> Callable[[], str | None]:
        self._own = not SIGNALS.before and _in_main_thread()
        if self._own:
            SIGNALS.__init__()  # type: ignore[misc]
            SIGNALS.take()
        SIGNALS.listeners += 1
        return lambda: SIGNALS.reason

    def __exit__(self, *_: object) -> None:
        SIGNALS.listeners -= 1
        if self._own:
            SIGNALS.give_back()


def _in_main_thread() -> bool:
    import threading

    return threading.current_thread() is threading.main_thread()


@contextmanager
def raised() -> Iterator[None]:
    """A context in which every signal raises `KeyboardInterrupt`, so that child processes are ended. Commands that do
    not poll behave this way anyway; this is for code that `main` did not start."""
    own = not SIGNALS.before and _in_main_thread()
    if own:
        SIGNALS.take()
    try:
        yield
    finally:
        if own:
            SIGNALS.give_back()
