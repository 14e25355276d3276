"""Ctrl-C and SIGTERM: the partial verdict is worth more than a traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Interrupts:
    """The first Ctrl-C or SIGTERM asks the search to stop and give a partial verdict, the second ends it."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def __enter__(self) -> Callable[[], str | None]:
        import signal

        self.previous = {s: signal.signal(s, self._note) for s in (signal.SIGINT, signal.SIGTERM)}
        return lambda: self.reason

    def __exit__(self, *_: object) -> None:
        import signal

        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: object) -> None:
        import signal

        if self.reason is not None:
            raise KeyboardInterrupt
        self.reason = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"


@contextmanager
def raised() -> Iterator[None]:
    """SIGTERM is raised as Ctrl-C is, so that what was started is ended."""
    import signal

    def note(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
