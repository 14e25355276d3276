"""Small pieces of wording that several report formats share."""

from __future__ import annotations

from dio_mc.driver import Report


def stem_of(report: Report) -> str:
    """``ext3_2_6_18.Ext3@pages=2``: the name of a report's counterexample folder."""
    name = report.file.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".py")
    return f"{name}.{report.model}"


def plural(count: int, noun: str) -> str:
    """``1 state``, ``2 states``, ``3 properties``."""
    many = noun[:-1] + "ies" if noun.endswith("y") else noun + "es" if noun.endswith(("s", "ch")) else noun + "s"
    return f"{count:,} {noun if count == 1 else many}"
