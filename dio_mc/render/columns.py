"""Lines of several lanes -> one column per lane, as wide as needed and as the page allows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

GAP = "  "
GUTTER = 5
"""The width of the step number in front: three digits and two spaces."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a lane; `number` is set on the first line of a step. `limit` is the largest number of rows after
    wrapping."""

    lane: int
    indent: int
    text: str
    number: int | None = None
    limit: int | None = None


def fair_width(lanes: int, width: int) -> int:
    """The width that every lane gets at least if all need much."""
    return max(1, (width - GUTTER - len(GAP) * (lanes - 1)) // lanes)


def in_columns(lines: Sequence[Line], titles: Sequence[str], width: int) -> list[str]:
    """The lanes side by side under their titles.

    Every row belongs to one lane, so a long text may extend to its right, below other titles; it is wrapped only at the
    edge of the page.
    """
    natural = [len(title) for title in titles]
    for line in lines:
        natural[line.lane] = max(natural[line.lane], line.indent + len(line.text))
    widths = _shares(natural, width - GUTTER - len(GAP) * (len(titles) - 1))
    heads = [cut(title, share).ljust(share) for title, share in zip(titles, widths, strict=True)]
    page = [" " * GUTTER + GAP.join(heads), " " * GUTTER + GAP.join("-" * share for share in widths)]
    starts = [GUTTER + sum(widths[:lane]) + len(GAP) * lane for lane in range(len(widths))]
    for line in lines:
        page += _placed(line, starts[line.lane], width - starts[line.lane])
    return [row.rstrip() for row in page]


def as_list(lines: Sequence[Line], titles: Sequence[str], width: int) -> list[str]:
    """All lanes in one column, with the lane's title wherever the lane changes."""
    margin = min(max(len(title) for title in titles), max(1, (width - GUTTER) // 3))
    start = GUTTER + margin + len(GAP)
    page: list[str] = []
    lane: int | None = None
    for line in lines:
        rows = _placed(line, start, max(1, width - start))
        if line.lane != lane:
            lane = line.lane
            rows[0] = rows[0][:GUTTER] + cut(titles[lane], margin).ljust(margin) + rows[0][GUTTER + margin :]
        page += rows
    return [row.rstrip() for row in page]


def _placed(line: Line, start: int, width: int) -> list[str]:
    """The rows of one line, wrapped into a column that begins at `start`."""
    rows = wrapped(line.text, width, min(line.indent, width // 3), line.limit)
    number = "" if line.number is None else f"{line.number:3d}"
    fronts = [number, *[""] * (len(rows) - 1)]
    return [front.ljust(start) + row for front, row in zip(fronts, rows, strict=True)]


def wrapped(text: str, width: int, indent: int, limit: int | None = None, hang: int = 4) -> list[str]:
    """The text in rows of at most `width` characters; all rows except the first are indented by `hang` more. A text of
    more than `limit` rows ends in an ellipsis."""
    first, rest = " " * indent, " " * min(indent + hang, width // 2)
    rows = textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) or [""]
    if limit is not None and len(rows) > limit:
        rows = [*rows[: limit - 1], cut(rows[limit - 1] + " ...", width, force=True)]
    return rows


def cut(text: str, width: int, *, force: bool = False) -> str:
    """The text in at most `width` characters; if it is shortened it ends in an ellipsis."""
    if len(text) <= width and not force:
        return text
    return text.removesuffix(" ...")[: max(0, width - 4)].rstrip() + " ..." if width > 4 else text[:width]


def _shares(natural: Sequence[int], total: int) -> list[int]:
    """The widths of columns within `total`. The last column cannot extend to its right, so it gets what it needs, as
    long as the others keep three quarters of an even share. Columns that need less than their share leave the rest to
    the others."""
    even = total // len(natural)
    kept = even * 3 // 4 * (len(natural) - 1)
    last = max(1, min(natural[-1], total - kept))
    widths = [*[0] * (len(natural) - 1), last]
    left = total - last
    waiting = sorted(range(len(natural) - 1), key=lambda lane: natural[lane])
    for done, lane in enumerate(waiting):
        widths[lane] = max(1, min(natural[lane], left // (len(waiting) - done)))
        left -= widths[lane]
    return widths
