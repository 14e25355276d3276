"""Ctrl-C, SIGTERM and SIGHUP: a verdict on what was found is worth more than a traceback.

`main` takes the signals before anything else is imported, and waits in the main thread while the command runs in
another (`deep`), so that a signal is never waited for. A command that can give a part of its answer asks whether it is
to stop (`Interrupts`); any other one is ended at once. What was found is the exit code 3: undetermined. The second
signal ends what does not stop, and a third the process, be it in the middle of foreign code.

A signal that was ignored when the command began stays ignored: that is what a shell asks for a job in the background,
and ``nohup``.
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
"""Seconds after which the main thread looks for signals."""


class Signals:
    """What became of the signals of this process."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.count = 0
        self.listeners = 0
        self.thread: Thread | None = None
        self.before: dict[int, object] = {}

    def take(self) -> None:
        """From now on signals are noted here. Only in the main thread."""
        import signal

        for name in NAMES:
            number = getattr(signal, name, None)
            if number is None or signal.getsignal(number) is signal.SIG_IGN:
                continue
            self.before[number] = signal.signal(number, self.note)

    def give_back(self) -> None:
        """The handlers from before."""
        import signal

        for number, handler in self.before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self.before.clear()

    def note(self, number: int, frame: FrameType | None) -> None:
        """A signal has come."""
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
        """Raise `KeyboardInterrupt` where the command runs."""
        if self.thread is None:
            raise KeyboardInterrupt
        from dio_mc.guard import interrupt

        if self.thread.ident is not None:
            interrupt(self.thread.ident)

    def wait(self, thread: Thread) -> None:
        """Wait a moment for the thread of the command: the system may hand a signal to any thread, and Python handles
        it when the main one runs again. A signal that came before there was a thread is told now."""
        new = self.thread is None
        self.thread = thread
        if new and self.count and not self.listeners:
            self.end()
        thread.join(LOOK)


SIGNALS = Signals()


class Interrupts:
    """While it is entered the first signal asks to stop and the second ends the command."""

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
    """Every signal is raised as `KeyboardInterrupt`, so that what was started is ended. So it is in every command that
    does not ask; this is for one that `main` did not start."""
    own = not SIGNALS.before and _in_main_thread()
    if own:
        SIGNALS.take()
    try:
        yield
    finally:
        if own:
            SIGNALS.give_back()
