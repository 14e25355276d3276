"""Output streams that keep control sequences from terminals and logs.

Names, documentation, messages and paths come from models, traces and file systems. Everything that a command prints
passes through here, so no command has to escape it. Control characters are written as escapes: ESC moves the cursor and
recolours earlier output, CR overwrites a line, and bidirectional marks display code in another order than it has. A
line that begins with ``::``, also after blanks, is a command to GitHub's runner; it is escaped too.
"""

from __future__ import annotations

import io
import os
import sys


class VisibleStream(io.TextIOWrapper):
    """A text stream that writes only visible characters. Characters that its encoding lacks are escaped too.

    With `commands`, lines may be commands to a CI service, because a report that consists of them is being written.
    With `colour`, verdicts are coloured, and the only escape sequences written are our own.
    """

    commands = False
    colour = False
    _blank = True

    def write(self, text: str) -> int:
        """Write the text; return the number of characters passed in."""
        from dio_mc.wording import visible, without_commands  # only click is imported before a command runs

        shown = visible(text)
        if not self.commands:
            shown = without_commands(shown) if self._blank else _first_line_kept(shown)
        if text:
            last = text.rpartition("\n")[2]
            self._blank = not last.strip() and (self._blank or "\n" in text)
        super().write(_painted(shown) if self.colour else shown)
        return len(text)


def _painted(text: str) -> str:
    from dio_mc.cli.colour import painted

    return painted(text)


def _first_line_kept(text: str) -> str:
    from dio_mc.wording import without_commands

    first, end, rest = text.partition("\n")
    return first + end + without_commands(rest)


def open_streams() -> None:
    """Replace standard streams that the caller has closed by ``/dev/null``, so that the next opened file does not get
    their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))


def flush_streams() -> None:
    """Flush the streams; a reader that has gone away does not affect the verdict."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def guard_streams() -> None:
    """Replace stdout and stderr by visible streams, if they are streams over bytes; on a terminal with colour."""
    from dio_mc.cli.colour import wanted

    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and not isinstance(stream, VisibleStream):
            encoding, line = stream.encoding, stream.line_buffering
            guarded = VisibleStream(stream.detach(), encoding, errors="backslashreplace", line_buffering=line)
            guarded.colour = wanted(guarded)
            setattr(sys, name, guarded)


def allow_commands() -> None:
    """Let stdout carry commands to a CI service: the report that follows escapes the model's text itself."""
    if isinstance(sys.stdout, VisibleStream):
        sys.stdout.commands = True
