"""The progress of long commands on stderr: one line that is redrawn on a terminal, otherwise a line a minute.

    level 14  812k states  61k/s  open 44k shrinking  412 MB  0:13
    120 of 1,950 cells  2.9/s  about 10:31 left  412 MB  0:41

For a search it does not estimate the time left: while the frontier grows, no estimate is meaningful. It shows the trend
of the frontier instead. Where the number of tasks is known, the time left is estimated from those that are done.
``DIO_MC_PROGRESS=off`` in the environment switches all of it off.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final, TextIO

from dio_mc.memory import resident_bytes
from dio_mc.semantics.search import Progress

_ERASE: Final = "\r\x1b[K"
EVERY: Final = 0.2
"""Seconds between two drawings of a line on a terminal."""
MINUTE: Final = 60.0
"""Seconds between two lines elsewhere."""
Clock = Callable[[], float]
"""Seconds since anything; monotonic."""


class Line:
    """The line of a command. On a terminal `tell` draws it; elsewhere it writes a line, at most one each `MINUTE`
    seconds. `finish` erases what is drawn."""

    def __init__(
        self, stream: TextIO, memory: Callable[[], int] = resident_bytes, clock: Clock = time.monotonic
    ) -> None:
        self._stream, self._memory, self._clock = stream, memory, clock
        self._off = os.environ.get("DIO_MC_PROGRESS") == "off"
        self.terminal = stream.isatty()
        self._begun = self._written = clock()
        self._drawn = False

    @property
    def seconds(self) -> float:
        """Since the command began."""
        return self._clock() - self._begun

    def is_time(self, every: float = EVERY) -> bool:
        """Whether to draw or write a line now."""
        pause = every if self.terminal else MINUTE
        return not self._off and self._clock() - self._written >= pause

    def draw(self, *parts: str) -> None:
        """Draw or write what there is to say, with memory and time."""
        self._written = self._clock()
        line = "  ".join([*(part for part in parts if part), f"{self._memory() >> 20} MB", show_time(self.seconds)])
        self._put(line)

    def _put(self, line: str) -> None:
        if self.terminal:
            self._stream.write(_ERASE + line[: _columns(self._stream) - 1])
            self._drawn = True
        else:
            self._stream.write(f"dio-mc: {line}\n")
        self._stream.flush()

    def finish(self) -> None:
        """Erase the line, if one was drawn."""
        if self._drawn:
            self._stream.write(_ERASE)
            self._stream.flush()
            self._drawn = False


class ProgressLine:
    """A `search.Report`: the line of one search after another. On a terminal it is drawn at most every `every` seconds
    of the search's own clock, and not earlier than that after its start."""

    def __init__(
        self,
        stream: TextIO,
        every: float = EVERY,
        memory: Callable[[], int] = resident_bytes,
        clock: Clock = time.monotonic,
    ) -> None:
        self._line = Line(stream, memory, clock)
        self._every = every
        self._last: Progress | None = None
        self._level = -1
        self._opened: tuple[int, int] = (0, 0)

    def __call__(self, progress: Progress) -> None:
        """Take a report, and show it if it is time."""
        if progress.depth != self._level:
            self._level = progress.depth
            self._opened = self._opened[1], progress.open
        if self._last is not None and progress.seconds < self._last.seconds:  # another search
            self._last = None
        if self._is_time(progress):
            self._line.draw(*self._parts(progress))
            self._last = progress

    def _is_time(self, progress: Progress) -> bool:
        if not self._line.terminal:
            return self._line.is_time()
        before = self._last.seconds if self._last else 0.0
        return progress.seconds - before >= self._every and self._line.is_time(0.0)

    def finish(self) -> None:
        """Erase the line, if one was drawn."""
        self._line.finish()
        self._last = None

    def _parts(self, progress: Progress) -> list[str]:
        """The rate is that since the previous line."""
        states, seconds = progress.states, progress.seconds
        if self._last is not None:
            states, seconds = states - self._last.states, seconds - self._last.seconds
        parts = [f"level {progress.depth}", f"{show_count(progress.states)} states"]
        if seconds > 0:
            parts.append(f"{show_count(round(states / seconds))}/s")
        return [*parts, f"open {show_count(progress.open)}{self._trend()}"]

    def _trend(self) -> str:
        """The size of this level's frontier compared with that of the previous level."""
        before, now = self._opened
        if not before or before == now:
            return ""
        return f" growing x{now / before:.1f}" if now > before else " shrinking"


class CountLine:
    """The line of work that consists of tasks: how many are done, and when all of them will be."""

    def __init__(
        self,
        stream: TextIO,
        what: str,
        memory: Callable[[], int] = resident_bytes,
        clock: Clock = time.monotonic,
    ) -> None:
        self._line, self._what = Line(stream, memory, clock), what

    def __call__(self, done: int, total: int, further: str = "") -> None:
        """Take note that `done` of `total` tasks are done; `further` is what else there is to say of them."""
        if done >= total:
            self._line.finish()
        elif self._line.is_time():
            seconds = self._line.seconds
            rate = f"{done / seconds:.1f}/s" if done and seconds > 0 else ""
            left = f"about {show_time(seconds / done * (total - done))} left" if done else ""
            self._line.draw(f"{done:,} of {total:,} {self._what}", rate, further, left)

    def finish(self) -> None:
        """Erase the line, if one was drawn."""
        self._line.finish()


class Waiting:
    """The line of work of which nothing is known but what it is; called again and again while it lasts."""

    def __init__(
        self,
        stream: TextIO,
        what: str,
        memory: Callable[[], int] = resident_bytes,
        clock: Clock = time.monotonic,
    ) -> None:
        self._line, self._what = Line(stream, memory, clock), what

    def __call__(self) -> None:
        """Tell that it lasts, if it is time: on a terminal from the first second on."""
        if self._line.is_time() and self._line.seconds >= 1:
            self._line.draw(self._what)

    def finish(self) -> None:
        """Erase the line, if one was drawn."""
        self._line.finish()


def show_time(seconds: float) -> str:
    """``0:07``, ``12:31``, ``1:00:00``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


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
