"""What may reach a terminal or a log: text, and nothing that they obey.

Names, documentation, messages and paths come from models, traces and file systems. All that a command prints passes
here, so no command has to remember it. Control characters are spelled as escapes: ESC moves the cursor and recolours
what was printed before, CR overwrites a line, and marks of direction show code in another order than it has. A line
that begins with ``::`` is a command to GitHub's runner, also after blanks; it is spelled so that it is none.
"""

from __future__ import annotations

import io
import os
import sys


class VisibleStream(io.TextIOWrapper):
    """A text stream that writes only what can be seen. What its encoding cannot say is spelled as an escape too.

    Where `commands` is set, lines may be commands to a CI service: a report that consists of them is being written.
    Where `colour` is set, verdicts are coloured: the only escape sequences that are written are our own.
    """

    commands = False
    colour = False
    _blank = True

    def write(self, text: str) -> int:
        """Write the text; returns how many characters were asked for."""
        from dio_mc.wording import visible, without_commands  # click alone before a command runs

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
    """What the caller has closed becomes a stream that nobody reads: what is opened next must not get its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))


def flush_streams() -> None:
    """Write what can be written: who has stopped reading costs no verdict."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def guard_streams() -> None:
    """Make stdout and stderr visible streams, where they are streams over bytes; coloured ones on a terminal."""
    from dio_mc.cli.colour import wanted

    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and not isinstance(stream, VisibleStream):
            encoding, line = stream.encoding, stream.line_buffering
            guarded = VisibleStream(stream.detach(), encoding, errors="backslashreplace", line_buffering=line)
            guarded.colour = wanted(guarded)
            setattr(sys, name, guarded)


def allow_commands() -> None:
    """Let stdout carry commands to a CI service: what follows is a report that escapes the model's text itself."""
    if isinstance(sys.stdout, VisibleStream):
        sys.stdout.commands = True
