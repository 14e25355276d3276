"""Small pieces of wording that several report formats share."""

from __future__ import annotations

import re

from dio_mc.driver import Report
from dio_mc.semantics.contract import counted_up_to


def stem_of(report: Report) -> str:
    """``ext3_2_6_18.Ext3@pages=2``: the name of a report's counterexample folder."""
    name = report.file.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".py")
    return f"{name}.{report.model}"


def plural(count: int, noun: str) -> str:
    """``1 state``, ``2 states``, ``3 properties``."""
    many = noun[:-1] + "ies" if noun.endswith("y") else noun + "es" if noun.endswith(("s", "ch")) else noun + "s"
    return f"{count:,} {noun if count == 1 else many}"


def counted(report: Report) -> str:
    """``114 states``; of a reduced search ``185 states up to symmetry``, ``185 states by partial order``."""
    return plural(report.states, "state") + counted_up_to(report.reductions)


def one_line(text: str) -> str:
    """The first paragraph in one line."""
    return " ".join(text.split("\n\n")[0].split())


def without_control(text: str) -> str:
    """The text without characters that XML 1.0 cannot carry (and no terminal should get), but with its line ends."""
    return re.sub(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
