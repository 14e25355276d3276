"""The places of a trace's steps: lines of the model and functions of the kernel, a row for each file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dio_mc.render.columns import wrapped
from dio_mc.render.statement import printable
from dio_mc.trace.trace import TraceStep

_STUCK = "\x1f"
"""A space at which no row is broken."""


def where_block(steps: Sequence[TraceStep], width: int, *, brief: bool = False) -> list[str]:
    """The block::

        where   models/ext3.py  1@24 4@28 11@30
        kernel  fs/direct-io.c  __blockdev_direct_IO 1,4,11; dio_await_completion 12
                fs/ext3/inode.c @-4.2  ext3_get_block 6

    After ``@`` are the versions that have the functions, if the model says so. With `brief` the kernel's files share
    rows, without the functions, which the diagram names.
    """
    lines: dict[str, list[str]] = {}
    functions: dict[str, dict[str, list[int]]] = {}
    for step in steps:
        if step.place is not None:
            lines.setdefault(step.place.file, []).append(f"{step.number}@{step.place.line}")
        if step.anchor is not None:
            name, at, versions = step.anchor.partition(" @")
            file, _, function = name.rpartition(":")
            functions.setdefault(f"{file}{at}{versions}", {}).setdefault(function, []).append(step.number)
    rows = [("where", file, " ".join(found)) for file, found in lines.items()]
    if brief:
        files = (
            f"{file}{_STUCK}{numbers(sorted(n for steps in found.values() for n in steps))}"
            for file, found in functions.items()
        )
        return _table(rows, width) + _shared_row("; ".join(files), width)
    rows += [
        ("kernel", file, "; ".join(f"{f}{_STUCK}{numbers(n)}" for f, n in found.items()))
        for file, found in functions.items()
    ]
    return _table(rows, width)


def _shared_row(text: str, width: int) -> list[str]:
    """The kernel's files in one row, folded if it is too long."""
    if not text:
        return []
    folded = wrapped(_STUCK.join(map(printable, text.split(_STUCK))), width - 8, 0)
    return [("kernel  " if n == 0 else " " * 8) + row.replace(_STUCK, " ") for n, row in enumerate(folded)]


def numbers(values: Iterable[int]) -> str:
    """``1-3,7``."""
    runs: list[list[int]] = []
    for value in values:
        if runs and runs[-1][1] == value - 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


def _table(rows: Sequence[tuple[str, str, str]], width: int) -> list[str]:
    """The rows; a label is printed only if it differs from the previous one, and the column of files takes at most half
    of the page."""
    files = [printable(file) for _, file, _ in rows]
    column = min(max(map(len, files), default=0), (width - 8) // 2 - 2)
    shown: list[str] = []
    label = ""
    for (name, _, text), file in zip(rows, files, strict=True):
        front = f"{name if name != label else '':8}"
        label = name
        text = _STUCK.join(map(printable, text.split(_STUCK)))
        folded = wrapped(f"{file.ljust(column)}  {text}", width - len(front), 0, hang=column + 2)
        folded = [row.replace(_STUCK, " ") for row in folded]
        shown += [(front if position == 0 else " " * len(front)) + row for position, row in enumerate(folded)]
    return shown
