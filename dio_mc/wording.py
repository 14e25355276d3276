"""Small pieces of wording that reports and results share."""

from __future__ import annotations

import re
from typing import Final

_OBEYED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x80-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_COMMAND: Final = re.compile(r"^([ \t]*):(?=:)", re.MULTILINE)


def plural(count: int, noun: str) -> str:
    """``1 state``, ``2 states``, ``3 properties``."""
    many = noun[:-1] + "ies" if noun.endswith("y") else noun + "es" if noun.endswith(("s", "x", "ch")) else noun + "s"
    return f"{count:,} {noun if count == 1 else many}"


def one_line(text: str) -> str:
    """The first paragraph of `text` as one line."""
    return " ".join(text.split("\n\n")[0].split())


def without_control(text: str) -> str:
    """The text with each character that XML 1.0 cannot carry replaced by ``?``; tabs and line ends stay. None of those
    characters should reach a terminal either."""
    return re.sub(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)


def visible(text: str) -> str:
    """The text with control characters, bidirectional marks and invisible characters written as Python escapes; line
    feeds and tabs stay."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def without_commands(text: str) -> str:
    """The text with workflow commands of GitHub's runner (lines that begin with ``::``, also after blanks) escaped."""
    return _COMMAND.sub(r"\1\\x3a", text) if "::" in text else text


def show_bytes(size: int) -> str:
    """A number of bytes in the notation of the command line: ``2G``, ``512M``, ``1000``."""
    for shift, letter in ((30, "G"), (20, "M"), (10, "K")):
        if size and size % (1 << shift) == 0:
            return f"{size >> shift}{letter}"
    return str(size)
