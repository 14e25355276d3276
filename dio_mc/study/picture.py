"""The matrix as a picture: an SVG of what races somewhere, and a page in which each cell leads to its run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from dio_mc.render.text import render_text
from dio_mc.study.matrix import NOT_THERE, Cell, Matrix
from dio_mc.study.tables import LEGEND, LETTERS, racing, remark

COLOURS = {
    "ok": "#eef3ee", "error": "#56b4e9", "stale": "#e69f00", "torn": "#0072b2", "lost": "#cc79a7",
    "deadlock": "#333333", "exposed": "#d55e00", "undetermined": "#bbbbbb", NOT_THERE: "#ffffff",
}  # fmt: skip
"""Colours that remain distinct with colour blindness; the letters say the same."""
WIDTH, HEIGHT, LEFT = 44, 22, 216
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
STYLE = """\
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em; max-width: 76em }
pre { background: #f6f6f6; padding: 1em; overflow-x: auto } svg a { cursor: pointer }
@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd } pre { background: #262626 } }
"""


def matrix_svg(found: Matrix, *, linked: bool = False) -> str:
    """Rows are pairs (triples), columns rules by age. With `linked` a cell leads to ``#rule-first-second``."""
    rows = racing(found)
    used = [v for v in COLOURS if any(c.verdict == v for c in found.cells)]
    left = _left(rows)
    width = left + WIDTH * len(found.rules) + 130
    top = 22 + int(5.2 * max((len(rule) for rule in found.rules), default=0))
    height = top + HEIGHT * (len(rows) + len(used) + 2) + 10
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="{FONT}" font-size="12">'
    )
    parts = [head, "<title>Which operations race under which rule</title>"]
    parts.append(f'<rect width="{width}" height="{height}" fill="#ffffff"/>')
    parts += _headings(found, left, top)
    for number, group in enumerate(rows):
        parts += _row(found, group, left, top + HEIGHT * number, linked)
    parts += _legend(found, used, top + HEIGHT * (len(rows) + 1))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _left(rows: Sequence[tuple[str, ...]]) -> int:
    """Where the columns begin: after the longest name of a row."""
    return max([LEFT, *(16 + 7 * len(" x ".join(group)) + len(group) for group in rows if len(group) > 2)])


def _headings(found: Matrix, left: int, top: int) -> Iterator[str]:
    for column, rule in enumerate(found.rules):
        x, y = left + WIDTH * column + WIDTH // 2 + 4, top - 8
        yield f'<text x="{x}" y="{y}" transform="rotate(-45 {x} {y})" fill="#222222">{escape(rule)}</text>'


def _row(found: Matrix, group: tuple[str, ...], left: int, top: int, linked: bool) -> Iterator[str]:
    base = top + HEIGHT - 7
    yield f'<text x="{left - 8}" y="{base}" text-anchor="end" fill="#222222">{" x ".join(group)}</text>'
    for column, cell in enumerate(found.row(*group)):
        drawn = _cell(cell, left + WIDTH * column, top)
        yield f'<a href="#{cell.name}">{drawn}</a>' if linked and cell.trace is not None else drawn


def _cell(cell: Cell, x: int, y: int) -> str:
    told = "; ".join(cell.reasons) or cell.verdict
    title = escape(f"{cell.rule}: {cell.shown}: {told}")
    return f"<g><title>{title}</title>{_box(cell.verdict, x, y)}</g>"


def _box(verdict: str, x: int, y: int) -> str:
    ink = "#ffffff" if verdict in ("deadlock", "torn", "exposed") else "#222222"
    text = (
        f'<text x="{x + WIDTH // 2}" y="{y + HEIGHT - 7}" text-anchor="middle" fill="{ink}">{LETTERS[verdict]}</text>'
    )
    box = f'<rect x="{x + 1}" y="{y + 1}" width="{WIDTH - 2}" height="{HEIGHT - 2}" rx="2" fill="{COLOURS[verdict]}"/>'
    return box + text


def _legend(found: Matrix, used: list[str], top: int) -> Iterator[str]:
    yield f'<text x="8" y="{top + HEIGHT - 7}" fill="#222222">{escape(remark(found))}</text>'
    for number, verdict in enumerate(used, start=1):
        y = top + HEIGHT * number
        yield _box(verdict, 8, y)
        words = escape(LEGEND[LETTERS[verdict]])
        yield f'<text x="{16 + WIDTH}" y="{y + HEIGHT - 7}" fill="#222222">{words}</text>'


def matrix_html(found: Matrix) -> str:
    """A page of its own, without scripts and without the network: the picture, then the run behind each cell."""
    parts = ["<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8">']
    parts += ["<title>Which operations race under which rule</title>", f"<style>\n{STYLE}</style></head><body>"]
    parts += ["<h1>Which operations race under which rule</h1>", matrix_svg(found, linked=True)]
    for cell in found.cells:
        if cell.trace is not None:
            parts += _section(cell)
    return "\n".join([*parts, "</body></html>"]) + "\n"


def _section(cell: Cell) -> Iterator[str]:
    assert cell.trace is not None
    layouts = ", ".join(layout for layout, verdict in cell.layouts if verdict == cell.verdict)
    yield f'<h2 id="{cell.name}">{escape(cell.rule)}: {cell.shown} = {cell.verdict}</h2>'
    yield f"<p>File at first: {escape(layouts)}. {escape('; '.join(cell.reasons))}.</p>"
    yield f"<pre>{escape(render_text(cell.trace, model=False))}</pre>"
