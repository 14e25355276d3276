"""The matrix as an SVG: the operations that race under some rule, in the reader's light or dark
setting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from dio_mc.study.matrix import NOT_THERE, Cell, Matrix
from dio_mc.study.tables import ANY, LEGEND, LETTERS, letter, remark, shown

COLOURS = {
    "ok": "#eef3ee", "error": "#56b4e9", "stale": "#e69f00", "torn": "#0072b2", "lost": "#cc79a7",
    "deadlock": "#333333", "exposed": "#d55e00", "undetermined": "#bbbbbb", NOT_THERE: "#ffffff", ANY: "#eef3ee",
}  # fmt: skip
"""Colours by verdict or letter, distinguishable with colour vision deficiency; the letters carry
the same information."""
WIDTH, HEIGHT, LEFT = 30, 22, 216
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
STYLE = (
    "text{fill:#222222}.paper{fill:#ffffff}.ink{fill:#ffffff}.box text{fill:#222222}.box text.ink{fill:#ffffff}"
    "@media (prefers-color-scheme:dark){text{fill:#e4e7eb}.paper{fill:#14171b}.ok rect{fill:#1d2229}"
    ".none rect{fill:#14171b}.ok text,.none text{fill:#a3abb6!important}.deadlock rect{fill:#e4e7eb}"
    ".deadlock text{fill:#222222!important}}"
)
"""Colours by class; a reader without style sheets sees the light ones, which are in the
attributes."""


def matrix_svg(found: Matrix) -> str:
    """Rows are pairs (triples), columns rules by age."""
    rows = shown(found)
    used = [v for v in COLOURS if any(_look(c) == v for c in found.cells)]
    left = _left(rows)
    width = left + WIDTH * len(found.rules) + 130
    top = 22 + int(5.2 * max((len(rule) for rule in found.rules), default=0))
    height = top + HEIGHT * (len(rows) + len(used) + 2) + 10
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="{FONT}" font-size="12">'
    )
    parts = [head, "<title>Which operations race under which rule</title>"]
    parts.append(f'<style>{STYLE}</style><rect class="paper" width="{width}" height="{height}" fill="#ffffff"/>')
    parts += _headings(found, left, top)
    for number, group in enumerate(rows):
        parts += _row(found, group, left, top + HEIGHT * number)
    parts += _legend(found, used, top + HEIGHT * (len(rows) + 1))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _left(rows: Sequence[tuple[str, ...]]) -> int:
    """The left edge of the columns: after the longest name of a row."""
    return max([LEFT, *(16 + 7 * len(" x ".join(group)) + len(group) for group in rows if len(group) > 2)])


def _headings(found: Matrix, left: int, top: int) -> Iterator[str]:
    for column, rule in enumerate(found.rules):
        x, y = left + WIDTH * column + WIDTH // 2 + 4, top - 8
        yield f'<text x="{x}" y="{y}" transform="rotate(-45 {x} {y})" fill="#222222">{escape(rule)}</text>'


def _row(found: Matrix, group: tuple[str, ...], left: int, top: int) -> Iterator[str]:
    base = top + HEIGHT - 7
    yield f'<text x="{left - 8}" y="{base}" text-anchor="end" fill="#222222">{" x ".join(group)}</text>'
    for column, cell in enumerate(found.row(*group)):
        yield _cell(cell, left + WIDTH * column, top)


def _cell(cell: Cell, x: int, y: int) -> str:
    told = "; ".join(cell.reasons) or ", ".join([cell.verdict, *([cell.general.words] if cell.general else [])])
    title = escape(f"{cell.rule}: {cell.shown}: {told}")
    return f"<g><title>{title}</title>{_box(_look(cell), x, y)}</g>"


def _look(cell: Cell) -> str:
    return ANY if letter(cell) == ANY else cell.verdict


def _box(verdict: str, x: int, y: int) -> str:
    light = verdict in ("deadlock", "torn", "exposed")
    ink, look = ("#ffffff", ' class="ink"') if light else ("#222222", "")
    middle, base = x + WIDTH // 2, y + HEIGHT - 7
    letter = (
        f'<text{look} x="{middle}" y="{base}" text-anchor="middle" fill="{ink}">{LETTERS.get(verdict, verdict)}</text>'
    )
    box = f'<rect x="{x + 1}" y="{y + 1}" width="{WIDTH - 2}" height="{HEIGHT - 2}" rx="2" fill="{COLOURS[verdict]}"/>'
    word = {NOT_THERE: "none", ANY: "ok"}.get(verdict, verdict)
    return f'<g class="box {word}">{box}{letter}</g>'


def _legend(found: Matrix, used: list[str], top: int) -> Iterator[str]:
    yield f'<text x="8" y="{top + HEIGHT - 7}" fill="#222222">{escape(remark(found))}</text>'
    for number, verdict in enumerate(used, start=1):
        y = top + HEIGHT * number
        yield _box(verdict, 8, y)
        words = escape(LEGEND[LETTERS.get(verdict, verdict)])
        yield f'<text x="{16 + WIDTH}" y="{y + HEIGHT - 7}" fill="#222222">{words}</text>'
