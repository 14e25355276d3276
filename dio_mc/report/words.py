"""Small pieces of wording that several report formats share."""

from __future__ import annotations

from dio_mc.checking.results import Report
from dio_mc.semantics.search import counted_up_to
from dio_mc.wording import plural


def stem_of(report: Report) -> str:
    """``ext3_2_6_18.Ext3@pages=2``: the name of a report's counterexample folder."""
    name = report.file.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".py")
    return f"{name}.{report.model}"


def counted(report: Report) -> str:
    """``114 states``; of a reduced search ``185 states up to symmetry``, ``185 states by partial order``."""
    return plural(report.states, "state") + counted_up_to(report.reductions)
