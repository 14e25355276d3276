"""A progress line for long searches on a terminal: ``Progress`` -> text.

    level 14  812k states  61k/s  open 44k shrinking  412 MB

It does not estimate the time left: while the frontier grows, no estimate is meaningful. It shows the trend of the
frontier instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, TextIO

from dio_mc.memory import resident_bytes
from dio_mc.semantics.search import Progress

_ERASE: Final = "\r\x1b[K"


class ProgressLine:
    """A `search.Report` that redraws one line of `stream`, at most every `every` seconds of the search's own clock, and
    not earlier than that after the start. On a stream that is not a terminal it writes nothing. `finish` erases the
    line."""

    def __init__(self, stream: TextIO, every: float = 0.2, memory: Callable[[], int] = resident_bytes) -> None:
        self._stream = stream
        self._every = every
        self._memory = memory
        self._terminal = stream.isatty()
        self._drawn: Progress | None = None
        self._level = -1
        self._opened: tuple[int, int] = (0, 0)

    def __call__(self, progress: Progress) -> None:
        """Take a report, and draw it if it is time."""
        if not self._terminal:
            return
        if progress.depth != self._level:
            self._level = progress.depth
            self._opened = self._opened[1], progress.open
        before = self._drawn.seconds if self._drawn else 0.0
        if progress.seconds - before >= self._every:
            line = self.render(progress)[: _columns(self._stream) - 1]
            self._stream.write(_ERASE + line)
            self._stream.flush()
            self._drawn = progress

    def finish(self) -> None:
        """Erase the line, if one was drawn."""
        if self._drawn is not None:
            self._stream.write(_ERASE)
            self._stream.flush()
            self._drawn = None

    def render(self, progress: Progress) -> str:
        """The line for a report; the rate is that since the previous line."""
        states, seconds = progress.states, progress.seconds
        if self._drawn is not None:
            states, seconds = states - self._drawn.states, seconds - self._drawn.seconds
        parts = [f"level {progress.depth}", f"{show_count(progress.states)} states"]
        if seconds > 0:
            parts.append(f"{show_count(round(states / seconds))}/s")
        parts.append(f"open {show_count(progress.open)}{self._trend()}")
        parts.append(f"{self._memory() >> 20} MB")
        return "  ".join(parts)

    def _trend(self) -> str:
        """The size of this level's frontier compared with that of the previous level."""
        before, now = self._opened
        if not before or before == now:
            return ""
        return f" growing x{now / before:.1f}" if now > before else " shrinking"


def show_count(number: int) -> str:
    """A number in about three digits: ``812``, ``61.2k``, ``812k``, ``3.5M``."""
    for divisor, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= divisor:
            scaled = number / divisor
            return f"{scaled:.0f}{letter}" if scaled >= 100 else f"{scaled:.1f}{letter}"
    return str(number)


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
