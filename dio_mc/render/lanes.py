"""The layout of a picture of a trace: rows of steps, lanes of threads, tracks of locks, columns of cells.

Pure geometry in whole pixels; `svg` draws it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dio_mc.render.columns import cut
from dio_mc.render.commit import Entry, entries
from dio_mc.render.scene import Hold, cells_shown, holds
from dio_mc.render.sentences import waits_words
from dio_mc.trace.trace import Cell, Trace

CHAR, SMALL, HEAD = 7, 6, 8
"""Widths in pixels of a character of a statement (11 px font), of a value (9 px), and of a lane's heading (12 px,
bold)."""
LINE, PAD = 15, 12
TRACK = 14
DOT = 11
LEFT, TOP, GAP = 16, 72, 18
_NARROWEST = 520
"""Leaves room for the heading and the violated rule if lanes are few and narrow."""
_WIDEST = 44
_APART = 55
"""Per cent of its longest text that is reserved for a lane."""
_MOST_ROWS = 120


@dataclass(frozen=True, slots=True)
class Row:
    """A step (0: the initial state; None: omitted steps), between `top` and `top + height`."""

    number: int | None
    top: int
    height: int

    @property
    def middle(self) -> int:
        """The vertical position of its dot and its cells."""
        return self.top + PAD // 2 + LINE // 2


@dataclass(frozen=True, slots=True)
class Bar:
    """A lock while it is held, from `top` to `bottom` at `left`."""

    hold: Hold
    left: int
    top: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Lane:
    """A thread: its heading, its line at `x`, its text from `text`, its bars."""

    thread: str
    head: str
    x: int
    text: int
    width: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A cell of the state; `head` is slanted if it is wider than the column."""

    cell: Cell
    head: str
    x: int
    width: int

    @property
    def slanted(self) -> bool:
        """Whether the heading does not fit above the column."""
        return _slanted(self.cell, self.width)


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole layout. `bottom` is the end of the last row."""

    rows: tuple[Row, ...]
    lanes: tuple[Lane, ...]
    columns: tuple[Column, ...]
    entries: dict[int, Entry]
    waits: dict[str, str]
    top: int
    bottom: int
    width: int


def layout(trace: Trace, most_columns: int = 12) -> Picture:
    """The layout of a trace with at most `most_columns` cells."""
    steps = {entry.number: entry for entry in entries(trace)}
    cells = cells_shown(trace, most_columns)
    values = {c.name: [s[c.name] for s in trace.states()] for c in cells}
    widths = [max(30, max(len(v) for v in values[c.name]) * SMALL + 10) for c in cells]
    top = TOP + max((_slant(cell, width) for cell, width in zip(cells, widths, strict=True)), default=0)
    rows = _rows(trace, steps, top)
    waits = {w.thread: cut(waits_words(trace, w), _WIDEST) for w in trace.stuck}
    bottom = rows[-1].top + rows[-1].height
    lanes, x = _lanes(trace, steps, rows, waits)
    columns: list[Column] = []
    for cell, width in zip(cells, widths, strict=True):
        columns.append(Column(cell, _head(cell, width), x, width))
        x += width + 4
    slant = max((c.x + max(c.width, len(c.head) * 5 + c.width // 2) for c in columns), default=0)
    return Picture(rows, lanes, tuple(columns), steps, waits, top, bottom, max(x, slant, _NARROWEST) + LEFT)


def _slanted(cell: Cell, width: int) -> bool:
    return len(cell.name) * SMALL > width


def _head(cell: Cell, width: int) -> str:
    """A cell's name; a slanted heading has room for the note that the cell is a ghost."""
    return cell.name + (" (ghost)" if cell.ghost and _slanted(cell, width) else "")


def _slant(cell: Cell, width: int) -> int:
    """The height of a slanted heading."""
    return len(_head(cell, width)) * 4 - 6 if _slanted(cell, width) else 0


def _rows(trace: Trace, steps: dict[int, Entry], top: int) -> tuple[Row, ...]:
    rows = [Row(0, top, LINE + PAD)]
    half = _MOST_ROWS // 2
    for number, entry in steps.items():
        y = rows[-1].top + rows[-1].height
        if len(steps) > _MOST_ROWS and half < number <= len(steps) - half:
            if number == half + 1:
                rows.append(Row(None, y, LINE + PAD))
            continue
        rows.append(Row(number, y, max(2 if trace.steps[number - 1].fault else 1, len(entry.lines)) * LINE + PAD))
    return tuple(rows)


def _lanes(
    trace: Trace, steps: dict[int, Entry], rows: Sequence[Row], waits: dict[str, str]
) -> tuple[tuple[Lane, ...], int]:
    """The lanes of the threads that run or, in a deadlock, wait; and the right edge of the last one.

    Each row has text in only one lane. So text may extend over the lines of later lanes that hold no lock in that row,
    and lanes are closer together than their texts are long.
    """
    names = [thread.name for thread in trace.cast]
    daemons = {thread.name for thread in trace.threads if thread.daemon}
    held = holds(trace)
    lanes: list[Lane] = []
    ends: list[tuple[Row, int]] = []
    x = LEFT
    for position, name in enumerate(names):
        own = [hold for hold in held if hold.thread == name]
        spans = [(bar.top, bar.bottom) for bar in _bars(own, rows, 0)[0]] + _hatched(trace, name, rows)
        beside = [end for row, end in ends if any(top < row.top + row.height and row.top < low for top, low in spans)]
        x = max([x, *(end + GAP for end in beside)])
        line = x + DOT
        bars, tracks = _bars(own, rows, line + DOT + 4)
        text = line + DOT + 6 + tracks * TRACK + (4 if tracks else 0)
        head = cut(f"CPU{position} {name}{' (daemon)' if name in daemons else ''}", _WIDEST)
        lengths = {n: min(_length(e), _WIDEST) for n, e in steps.items() if e.lane == position}
        ends += [(row, text + lengths[row.number] * CHAR) for row in rows if row.number in lengths]
        shared = len(waits.get(name, ""))  # all of these are in one row
        longest = max([shared, *(length * _APART // 100 for length in lengths.values())])
        width = max(len(head) * HEAD, text - x + longest * CHAR)
        lanes.append(Lane(name, head, line, text, width, bars))
        x += width + GAP
    return tuple(lanes), max([x, *(end + GAP for _, end in ends)])


def _hatched(trace: Trace, name: str, rows: Sequence[Row]) -> list[tuple[int, int]]:
    """The intervals in which a thread's lane is hatched, from top to bottom; no text is written over them."""
    window = trace.why.window if trace.why is not None else None
    if window is None or trace.steps[window.first - 1].thread != name:
        return []
    end = rows[-1].top + rows[-1].height
    return [(_behind(rows, window.first), end if window.last > len(trace.steps) else _behind(rows, window.last))]


def _length(entry: Entry) -> int:
    return max(min(indent, 8) // 2 + len(text) for indent, text in entry.lines)


def shown_line(indent: int, text: str) -> tuple[int, str]:
    """A line's indentation in pixels, and its text, cut to the widest lane."""
    deep = min(indent, 8) // 2
    return deep * CHAR, cut(text, _WIDEST - deep)


def _bars(held: Sequence[Hold], rows: Sequence[Row], left: int) -> tuple[tuple[Bar, ...], int]:
    """Each hold in the first track that is free by then, and the number of tracks."""
    free: list[int] = []
    bars: list[Bar] = []
    for hold in held:
        top = _behind(rows, hold.start)
        last = rows[-1]
        bottom = last.top + last.height if hold.end is None else _behind(rows, hold.end)
        track = next((n for n, until in enumerate(free) if until <= top), len(free))
        free[track : track + 1] = [bottom]
        bars.append(Bar(hold, left + track * TRACK, top, max(bottom, top + 6)))
    return tuple(bars), len(free)


def _behind(rows: Sequence[Row], number: int) -> int:
    """The height at which a step has been executed."""
    for row in rows:
        if row.number == number:
            return row.middle
    return next(row.middle for row in rows if row.number is None)
