"""``--sweep pages=1..4``: the values, and the table of a model's growth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from dio_mc.checking.results import Report
from dio_mc.errors import usage_error

_MOST_VALUES = 1000
_BAR = 40


def parse_sweep(text: str, params: Iterable[tuple[str, int]] = ()) -> tuple[str, tuple[int, ...]]:
    """Parse ``pages=1..4`` or ``pages=1,2,8``; `params` are bound to one value each, and so cannot
    be swept."""
    name, _, values = text.partition("=")
    try:
        listed = [v for part in values.split(",") for v in _range(part)]
    except ValueError:
        listed = []
    if not name.isidentifier() or not 0 < len(listed) <= _MOST_VALUES:
        raise usage_error("DIO215", f"--sweep {text} is not NAME=LOW..HIGH or NAME=VALUE,VALUE")
    if name in dict(params):
        raise usage_error("DIO215", f"--sweep and --param both bind `{name}`", hint="leave one of them out")
    return name, tuple(dict.fromkeys(listed))


def _range(part: str) -> range:
    low, dots, high = part.partition("..")
    first, last = int(low), int(high if dots else low)
    if last < first or last - first >= _MOST_VALUES:
        raise ValueError
    return range(first, last + 1)


def growth_table(name: str, runs: Sequence[tuple[Report, int]], *, measured: bool, plot: bool) -> str:
    """For each class a row per value: the states, and their ratio to the row before. `runs` are
    reports with the number of bytes by which their process grew. `measured` adds seconds and bytes,
    which differ from run to run; `plot` draws the states on a logarithmic scale."""
    head = [name, "verdict", "states", "growth", "transitions", "depth"]
    head += ["seconds", "states/s", "MB"] if measured else []
    lines: list[str] = []
    for model in dict.fromkeys(_class(r) for r, _ in runs):
        chosen = [r for r, _ in runs if _class(r) == model]
        rows = [_row(r, chosen[i - 1] if i else None, name) for i, r in enumerate(chosen)]
        if measured:
            rows = [row + _measured(r, memory) for row, (r, memory) in zip(rows, _of(model, runs), strict=True)]
        lines += ["", f"growth of {chosen[0].file} {model[1]}", *_aligned([head, *rows])]
        lines += _plotted(name, chosen) if plot else []
    return "\n".join(lines) + "\n"


def _class(report: Report) -> tuple[str, str]:
    return report.file, report.model.split("@")[0]


def _of(model: tuple[str, str], runs: Sequence[tuple[Report, int]]) -> list[tuple[Report, int]]:
    return [run for run in runs if _class(run[0]) == model]


def _measured(report: Report, memory: int) -> list[str]:
    rate = f"{report.states / report.seconds:,.0f}" if report.seconds else ""
    return [f"{report.seconds:.2f}", rate, f"{memory / (1 << 20):.1f}"]


def _row(report: Report, before: Report | None, name: str) -> list[str]:
    times = f"x{report.states / before.states:.1f}" if before is not None and before.states else ""
    reduced = f" ({', '.join(report.reductions)})" if report.reductions else ""
    states = f"{report.states:,}{'' if report.complete else '+'}{reduced}"
    value = str(report.params.get(name, ""))
    return [value, report.verdict, states, times, f"{report.transitions:,}", str(report.depth)]


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
