"""Trace -> SVG: a lane per thread, time downwards, locks as bars along the lanes, the shared data beside each step.

Colour identifies threads: a lane, its locks, and every cell that its thread wrote last have the same colour; a cell
that no thread wrote is grey. Wrong cells at the end have a thick border and a cross. The decisive window, in which no
other thread must run, is hatched along its lane. The file has no scripts, fonts or links; it follows the reader's light
or dark setting and prints black on white. Its text depends on the trace alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from dio_mc.render.columns import cut, wrapped
from dio_mc.render.lanes import CHAR, DOT, LEFT, LINE, PAD, SMALL, Bar, Column, Lane, Picture, Row, layout, shown_line
from dio_mc.render.scene import wrong_cells
from dio_mc.render.sentences import closing
from dio_mc.render.statement import printable
from dio_mc.render.why import atomic_words
from dio_mc.trace.cause import Window
from dio_mc.trace.trace import Trace

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#999933", "#882255", "#666666")
"""Okabe and Ito, then Tol: distinguishable with colour vision deficiency, and never the only sign."""
WRONG = "#D55E00"
MOST_BYTES = 190_000
_DARK_INK = {"#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#999933"}

STYLE = (
    "svg.dm{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;color-scheme:light dark}"
    "svg.dm .bg{fill:#fff}svg.dm text{fill:#1c1e21}svg.dm .h{font:600 12px system-ui,'DejaVu Sans',sans-serif}"
    "svg.dm .t{font:600 14px system-ui,'DejaVu Sans',sans-serif}svg.dm .c{fill:#5b616a}svg.dm .f{font-weight:600}"
    "svg.dm .l{stroke:#c9ced6;stroke-width:1.5}svg.dm .p{fill:none;stroke:#5b616a;stroke-width:1.5}"
    "svg.dm .w{stroke-dasharray:3 3}svg.dm .s{font-size:9px}svg.dm .z rect{fill:#f6f7f9}"
    "svg.dm .n{fill:#8a919b}svg.dm .b{font-weight:700}"
    "svg.dm .o{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}"
    f"svg.dm .d{{fill:none;stroke:{WRONG};stroke-width:9;stroke-opacity:.6;stroke-dasharray:2 3}}"
    f"svg.dm .x{{fill:none;stroke:{WRONG};stroke-width:3}}svg.dm .e{{fill:{WRONG};font-weight:700}}"
    "svg.dm g.on .hl{stroke:#0072B2;stroke-width:2}svg.dm .hl{fill:none}"
    "@media (prefers-color-scheme:dark){svg.dm .bg{fill:#14171b}svg.dm text{fill:#e4e7eb}svg.dm .c{fill:#a3abb6}"
    "svg.dm .l{stroke:#3a414b}svg.dm .p{stroke:#a3abb6}svg.dm .z rect{fill:#1b1f25}svg.dm .n{fill:#6d7681}"
    "svg.dm .o{stroke:#14171b}"
    f"svg.dm .e{{fill:#ff8a3d}}svg.dm .k{{fill:#14171b}}svg.dm .i{{fill:#fff}}}}"
    "@media print{svg.dm .bg{fill:#fff}svg.dm text{fill:#000}svg.dm .c{fill:#333}svg.dm .z rect{fill:#fff}"
    "svg.dm .l{stroke:#999}svg.dm .p{stroke:#333}}"
    "svg.dm .k{fill:#14171b}svg.dm .i{fill:#fff}"
)


def render_svg(trace: Trace) -> str:
    """The picture as one SVG document with a newline at the end; long traces get fewer columns of data."""
    for most in (12, 6, 3, 0):
        text = _document(trace, layout(trace, most))
        if len(text) < MOST_BYTES:
            break
    return text


def lanes_svg(trace: Trace, most_columns: int = 0) -> str:
    """The lanes alone as an element of an HTML page, which provides `STYLE` and states the rest in words."""
    picture = layout(trace, most_columns)
    top, height = picture.top - 26, picture.bottom - picture.top + 26 + 8 + (LINE if picture.waits else 0)
    label = escape(printable(f"lanes of the threads of {trace.model.name}, time downwards"))
    parts = [
        f'<svg class="dm" role="img" aria-label="{label}" viewBox="0 {top} {picture.width} {height}" '
        f'width="{picture.width}" height="{height}">',
        *_heads(picture), *_stripes(picture), *_lanes(trace, picture), *_window(trace, picture), *_path(trace, picture),
        *_steps(trace, picture), *_loop(trace, picture), *_waits(picture), "</svg>",
    ]  # fmt: skip
    return "\n".join(parts)


def _document(trace: Trace, picture: Picture) -> str:
    notes = _notes(trace, picture)
    height = picture.bottom + 16 + LINE * len(notes) + LINE
    title = printable(f"{trace.property} in {trace.model.name}")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="dm" role="img" viewBox="0 0 {picture.width} {height}" '
        f'width="{picture.width}" height="{height}">',
        f"<title>{escape(title, quote=False)}</title><style>{STYLE}</style>",
        f'<rect class="bg" width="{picture.width}" height="{height}"/>',
        *_heading(trace, picture), *_stripes(picture), *_lanes(trace, picture), *_window(trace, picture),
        *_path(trace, picture), *_steps(trace, picture), *_loop(trace, picture), *_waits(picture),
        *_ending(picture, notes), "</svg>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


# -- the frame ----------------------------------------------------------------------------------------


def _heading(trace: Trace, picture: Picture) -> Iterator[str]:
    verdict = "reached" if trace.kind == "witness" else "violated"
    room = max(30, (picture.width - 2 * LEFT) // 8)
    yield _text(LEFT, 22, cut(f"{trace.property}: {verdict}", room), "t")
    about = f"{trace.model.name}, {trace.model.file}; {len(trace.steps)} steps, {trace.switches} context switches"
    about = about if trace.canonical else f"not canonical; {about}"
    yield _text(LEFT, 39, cut(about, max(30, (picture.width - 2 * LEFT) // SMALL)), "c s")
    yield from _heads(picture)


def _heads(picture: Picture) -> Iterator[str]:
    for number, lane in enumerate(picture.lanes):
        yield _text(lane.x - DOT, picture.top - 8, lane.head, "h")
        yield _rect(lane.x - DOT, picture.top - 3, lane.width, 3, f'fill="{_colour(number)}"')
    for column in picture.columns:
        yield _column_head(column, picture.top)


def _column_head(column: Column, top: int) -> str:
    middle, y = column.x + column.width // 2, top - 6
    if column.slanted:
        return _text(middle - 4, y, column.head, "s", f'transform="rotate(-42 {middle - 4} {y})"')
    return _text(middle, y, column.head, "s", 'text-anchor="middle"')


def _stripes(picture: Picture) -> Iterator[str]:
    yield '<g class="z">'
    for row in picture.rows[1::2]:
        yield _rect(LEFT - 8, row.top, picture.width - 2 * LEFT + 16, row.height, "")
    yield "</g>"


def _lanes(trace: Trace, picture: Picture) -> Iterator[str]:
    for number, lane in enumerate(picture.lanes):
        yield f'<path class="l" d="M{lane.x} {picture.top}V{picture.bottom}"/>'
        for bar in lane.bars:
            yield _bar(bar, _colour(number), len(trace.steps))


def _bar(bar: Bar, colour: str, last: int) -> str:
    """A lock; its name is written along the bar if there is room."""
    length, hold = bar.bottom - bar.top, bar.hold
    until = f"to step {hold.end}" if hold.end is not None else f"still at the end (step {last})"
    title = f"<title>{escape(printable(f'{hold.thread} holds {hold.label} from step {hold.start} {until}'))}</title>"
    rect = f'<rect x="{bar.left}" y="{bar.top}" width="11" height="{length}" rx="2" fill="{colour}"/>'
    room = 2 * (length - 6) // 11  # a character of the 9 px monospaced font is 5.5 px wide
    if room < 3:
        return f"<g>{title}{rect}</g>"
    x, y = bar.left + 3, bar.top + 4
    ink = "k" if colour in _DARK_INK else "i"
    name = hold.label if len(hold.label) <= room else hold.lock
    label = _text(x, y, name[:room], f"s {ink}", f'transform="rotate(90 {x} {y})"')
    return f"<g>{title}{rect}{label}</g>"


def _window(trace: Trace, picture: Picture) -> Iterator[str]:
    """The decisive window along the lane of its thread; a window whose end is only waited for extends to the bottom."""
    window = trace.why.window if trace.why is not None else None
    if window is None:
        return
    at = {row.number: row.middle for row in picture.rows}
    left_out = at.get(None, picture.bottom)
    top, end = at.get(window.first, left_out), at.get(window.last, picture.bottom)
    x = next(lane.x for lane in picture.lanes if lane.thread == trace.steps[window.first - 1].thread)
    yield f'<g><title>{escape(_hatched(trace, window))}</title><path class="d" d="M{x} {top}V{end}"/></g>'


def _hatched(trace: Trace, window: Window) -> str:
    """The meaning of the hatching."""
    return printable(f"Hatched: {atomic_words(trace, window)}.")


# -- the steps ----------------------------------------------------------------------------------------


def _path(trace: Trace, picture: Picture) -> Iterator[str]:
    """The order of the steps through the lanes; dashed where the thread changes."""
    lanes = {lane.thread: lane for lane in picture.lanes}
    at = {row.number: row for row in picture.rows}
    for before, step in zip(trace.steps, trace.steps[1:], strict=False):
        if before.number in at and step.number in at:
            start, end = lanes[before.thread].x, lanes[step.thread].x
            look = "p" if start == end else "p w"
            bend = f"V{at[step.number].top}H{end}" if start != end else ""
            yield f'<path class="{look}" d="M{start} {at[before.number].middle}{bend}V{at[step.number].middle}"/>'


def _steps(trace: Trace, picture: Picture) -> Iterator[str]:
    states = list(trace.states())
    lanes = {lane.thread: number for number, lane in enumerate(picture.lanes)}
    written: dict[str, int] = {}
    steps = {step.number: step for step in trace.steps}
    wrong = wrong_cells(trace)
    wanted = {row.number: row for row in picture.rows}
    for number in range(len(trace.steps) + 1):
        if number:
            written.update((change.cell, lanes[steps[number].thread]) for change in steps[number].changes)
        row = wanted.get(number)
        if row is None:
            continue
        last = number == len(trace.steps)
        yield f'<g data-step="{number}">{_rect(LEFT - 8, row.top, picture.width - 2 * LEFT + 16, row.height, "", "hl")}'
        yield from _statement(trace, picture, row, number) if number else [_start(picture, row)]
        if number < len(states):
            changed = {c.cell for c in steps[number].changes} if number else set()
            yield from _cells(picture, row, states[number], changed, written, wrong if last else {})
        yield "</g>"
    if None in wanted:
        yield _text(LEFT, wanted[None].middle + 4, "... steps left out ...", "c")


def _start(picture: Picture, row: Row) -> str:
    return _text(picture.lanes[0].text if picture.lanes else LEFT, row.middle + 4, "start", "c")


def _statement(trace: Trace, picture: Picture, row: Row, number: int) -> Iterator[str]:
    """The step's dot with its number, its calls, its lines."""
    entry, step = picture.entries[number], trace.steps[number - 1]
    lane = picture.lanes[entry.lane]
    colour = WRONG if step.fault else _colour(entry.lane)
    yield f'<circle cx="{lane.x}" cy="{row.middle}" r="{DOT - 1}" fill="{colour}"/>'
    ink = "k" if colour in _DARK_INK else "i"
    yield _text(lane.x, row.middle + 4, str(number), f"{ink} b", 'text-anchor="middle"')
    for position, (indent, text) in enumerate(entry.lines):
        deep, shown = shown_line(indent, text)
        look = "c o" if text.startswith("/*") else "f o" if entry.begins(position) else "o"
        yield _text(lane.text + deep, row.top + PAD // 2 + 11 + position * LINE, shown, look)


def _cells(
    picture: Picture, row: Row, state: Mapping[str, str], changed: set[str], written: Mapping[str, int],
    wrong: Mapping[str, str],
) -> Iterator[str]:  # fmt: skip
    y = row.middle - 8
    for column in picture.columns:
        name = column.cell.name
        who = written.get(name)
        fill = _colour(who) if who is not None else "#8a919b"
        strong = name in changed
        opacity = "0.55" if strong else "0.2" if who is not None else "0.12"
        edge = f' stroke="{fill}" stroke-width="1.5"' if strong else ""
        yield _rect(column.x, y, column.width, 16, f'rx="2" fill="{fill}" fill-opacity="{opacity}"{edge}')
        middle = column.x + column.width // 2
        look = "s b" if strong or name in wrong else "s" if who is not None else "s c"
        yield _text(middle, y + 11, state[name], look, 'text-anchor="middle"')
        if name in wrong:
            yield _rect(column.x - 1, y - 1, column.width + 2, 18, 'rx="3"', "x")
            yield _text(column.x + column.width - 3, y - 3, "x", "e", 'text-anchor="middle"')


def _loop(trace: Trace, picture: Picture) -> Iterator[str]:
    """An arrow at the left edge, from the last step back to the first of those that repeat."""
    rows = {row.number: row for row in picture.rows}
    if trace.loop is None:
        return
    top = rows[trace.loop].middle if trace.loop in rows else rows[None].middle
    last = rows[len(trace.steps)].middle
    yield f'<path class="p" d="M11 {last + 6}H4V{top - 6}H11m-4 -4l4 4l-4 4"/>'


def _waits(picture: Picture) -> Iterator[str]:
    """In a deadlock, what each lane waits at."""
    for lane in picture.lanes:
        if lane.thread in picture.waits:
            yield _text(lane.text, picture.bottom + 12, picture.waits[lane.thread], "e")


# -- the end ------------------------------------------------------------------------------------------


def _notes(trace: Trace, picture: Picture) -> list[str]:
    mark = "" if trace.kind == "witness" else "x "
    room = max(40, (picture.width - 2 * LEFT) // CHAR)
    window = trace.why.window if trace.why is not None else None
    notes = wrapped(mark + " ".join(closing(trace)), min(room, 110), 0, hang=len(mark))
    return notes + (wrapped(_hatched(trace, window), min(room, 110), len(mark), hang=0) if window else [])


def _ending(picture: Picture, notes: list[str]) -> Iterator[str]:
    top = picture.bottom + 16 + LINE // 2 + (LINE // 2 if picture.waits else 0)
    for number, note in enumerate(notes):
        x = LEFT + (len(note) - len(note.lstrip())) * CHAR
        yield _text(x, top + LINE * number + 4, note.lstrip(), "e" if number == 0 else "")


def _colour(lane: int) -> str:
    return COLOURS[lane % len(COLOURS)]


def _text(x: int, y: int, text: str, look: str, more: str = "") -> str:
    attributes = (f' class="{look}"' if look else "") + (f" {more}" if more else "")
    return f'<text x="{x}" y="{y}"{attributes}>{escape(printable(text), quote=False)}</text>'


def _rect(x: int, y: int, width: int, height: int, more: str, look: str = "") -> str:
    attributes = (f' class="{look}"' if look else "") + (f" {more}" if more else "")
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}"{attributes}/>'


__all__ = ["COLOURS", "STYLE", "WRONG", "Lane", "lanes_svg", "render_svg"]
