"""Small pieces of wording that reports and results share."""

from __future__ import annotations

import re


def plural(count: int, noun: str) -> str:
    """``1 state``, ``2 states``, ``3 properties``."""
    many = noun[:-1] + "ies" if noun.endswith("y") else noun + "es" if noun.endswith(("s", "ch")) else noun + "s"
    return f"{count:,} {noun if count == 1 else many}"


def one_line(text: str) -> str:
    """The first paragraph in one line."""
    return " ".join(text.split("\n\n")[0].split())


def without_control(text: str) -> str:
    """The text without characters that XML 1.0 cannot carry (and no terminal should get), but with its line ends."""
    return re.sub(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
