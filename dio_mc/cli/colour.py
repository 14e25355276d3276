"""Colour on a terminal: verdicts and errors, nothing else.

It is added to the finished text by the stream that writes it, so no renderer knows about it, and pipes, files and logs
get uncoloured bytes. ``NO_COLOR`` (no-color.org) and ``TERM=dumb`` turn it off.
"""

from __future__ import annotations

import os
import re
from typing import Final, TextIO

GREEN, YELLOW, RED, BOLD, RESET = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[1m", "\x1b[0m"
COLOURS: Final = {
    "HOLDS": GREEN, "CONFIRMED": GREEN, "VIOLATED": RED, "ERROR": RED, "error": RED, "NOT AS EXPECTED": RED,
    "UNDETERMINED": YELLOW, "BLOCKED": YELLOW, "DIVERGED": YELLOW, "finding": YELLOW, "FINDING": RED,
}  # fmt: skip
WORDS: Final = re.compile(
    r"^(?P<head>[^\s\"{][^\"{\n]*?: | +|)(?P<verdict>HOLDS|VIOLATED|UNDETERMINED|ERROR)(?=[ ,;\n]|$)"
    r"|(?P<real>CONFIRMED|BLOCKED|DIVERGED)(?=  )"
    r"|(?P<unmet>NOT AS EXPECTED)"
    r"|(?P<coded>\b(?:error|finding|FINDING)) (?=DIO\d{3}\b)",
    re.MULTILINE,
)
"""The coloured words, at the positions where dio-mc writes them; in JSON a verdict is quoted and does not match."""


def wanted(stream: TextIO) -> bool:
    """Whether a stream is a terminal on which colour is wanted."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb":
        return False
    try:
        return stream.isatty()
    except ValueError:  # the stream is closed
        return False


def painted(text: str) -> str:
    """The text with escape sequences for colours."""
    return WORDS.sub(_paint, text)


def _paint(found: re.Match[str]) -> str:
    head, word = found["head"] or "", found["verdict"] or found["real"] or found["unmet"] or found["coded"]
    space = " " if found["coded"] else ""
    return f"{head}{BOLD}{COLOURS[word]}{word}{RESET}{space}"
