"""``--sweep pages=1..4``: the values, and the table of how a model grows with them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dio_mc.driver import Report
from dio_mc.errors import usage_error

_MOST_VALUES = 1000
_BAR = 40


def parse_sweep(text: str) -> tuple[str, tuple[int, ...]]:
    """``pages=1..4`` or ``pages=1,2,8``."""
    name, _, values = text.partition("=")
    try:
        listed = [v for part in values.split(",") for v in _range(part)]
    except ValueError:
        listed = []
    if not name.isidentifier() or not 0 < len(listed) <= _MOST_VALUES:
        raise usage_error("DIO215", f"--sweep {text} is not NAME=LOW..HIGH or NAME=VALUE,VALUE")
    return name, tuple(dict.fromkeys(listed))


def _range(part: str) -> range:
    low, dots, high = part.partition("..")
    first, last = int(low), int(high if dots else low)
    if last < first or last - first >= _MOST_VALUES:
        raise ValueError
    return range(first, last + 1)


def growth_table(name: str, reports: Sequence[Report], *, measured: bool, plot: bool) -> str:
    """Per class a row per value: states and how many times more than before. `measured` adds seconds and bytes per
    state, which differ from run to run; `plot` draws the states on a logarithmic scale."""
    head = [name, "verdict", "states", "growth", "transitions", "depth"]
    head += ["seconds", "states/s"] if measured else []
    lines: list[str] = []
    for model in dict.fromkeys(_class(r) for r in reports):
        chosen = [r for r in reports if _class(r) == model]
        rows = [_row(r, chosen[i - 1] if i else None, name, measured) for i, r in enumerate(chosen)]
        lines += ["", f"growth of {chosen[0].file} {model[1]}", *_aligned([head, *rows])]
        lines += _plotted(name, chosen) if plot else []
    return "\n".join(lines) + "\n"


def _class(report: Report) -> tuple[str, str]:
    return report.file, report.model.split("@")[0]


def _row(report: Report, before: Report | None, name: str, measured: bool) -> list[str]:
    times = f"x{report.states / before.states:.1f}" if before is not None and before.states else ""
    states = f"{report.states:,}{'' if report.complete else '+'}"
    value = str(report.params.get(name, ""))
    row = [value, report.verdict, states, times, f"{report.transitions:,}", str(report.depth)]
    rate = f"{report.states / report.seconds:,.0f}" if report.seconds else ""
    return row + ([f"{report.seconds:.2f}", rate] if measured else [])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    justified = [
        [c.ljust(w) if i == 1 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths, strict=True))] for r in rows
    ]
    return [("  " + "  ".join(row)).rstrip() for row in justified]


def _plotted(name: str, reports: Sequence[Report]) -> list[str]:
    most = max(math.log10(max(1, r.states)) for r in reports) or 1.0
    rows = [(str(r.params.get(name, "")), math.log10(max(1, r.states)) / most, r.states) for r in reports]
    width = max(len(value) for value, _, _ in rows)
    told = [f"  {v.rjust(width)} |{'#' * max(1, round(_BAR * share))} {states:,}" for v, share, states in rows]
    return ["", f"  states by {name}, logarithmic", *told]
