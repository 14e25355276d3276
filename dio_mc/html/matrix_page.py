"""A matrix as a page: a row per group of operations, a column per rule; a cell links to the run that shows its
verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dio_mc.html.markup import Document, asset, attribute, block, prose, text

_ASSETS = "dio_mc.html.assets"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict as a letter, as a word (also its class in the style sheet), and its meaning."""

    letter: str
    word: str
    meaning: str


@dataclass(frozen=True, slots=True)
class GridCell:
    """One cell: `reason` in words; `address` of the page or section that shows a run, empty if there is none."""

    verdict: Verdict
    reason: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class GridRow:
    """The cells of one group, one for each column."""

    name: str
    cells: tuple[GridCell, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A run shown in the page itself, at ``#name``."""

    name: str
    head: str
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The whole matrix. `notes` are sentences about what is not in the rows, `files` further files by name."""

    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[GridRow, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    runs: tuple[Run, ...] = ()


def matrix_page(grid: Grid) -> str:
    """The page: one file without scripts, which needs no network."""
    return Document(
        title=grid.title,
        styles=(asset(_ASSETS, "base.css"), asset(_ASSETS, "matrix.css")),
        body="\n".join(_body(grid)),
        scripts=(),
    ).render()


def _body(grid: Grid) -> Iterator[str]:
    yield f"<header><h1>{text(grid.title)}</h1><p>{prose(grid.about)}</p>"
    yield from (f"<p>{prose(note)}</p>" for note in grid.notes)
    if grid.files:
        links = ", ".join(f'<a href="{attribute(address)}">{text(name)}</a>' for name, address in grid.files)
        yield f"<p>The same in other forms: {links}.</p>"
    yield "</header><main>"
    yield from _legend(grid.verdicts)
    yield from _table(grid)
    yield from (line for run in grid.runs for line in _run(run))
    yield "</main>"


def _legend(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield '<section class="card legend"><h2>Cells</h2><ul>'
    for verdict in verdicts:
        look = f"v v-{attribute(verdict.word)}"
        yield f'<li><span class="{look}">{text(verdict.letter)}</span> {text(verdict.meaning)}</li>'
    yield "</ul></section>"


def _table(grid: Grid) -> Iterator[str]:
    yield f'<div class="card grid" tabindex="0" role="group" aria-label="{attribute(grid.title)}"><table>'
    heads = "".join(f'<th scope="col"><span>{text(column)}</span></th>' for column in grid.columns)
    yield f'<thead><tr><td class="corner"></td>{heads}</tr></thead><tbody>'
    for row in grid.rows:
        cells = "".join(_cell(row.name, column, cell) for column, cell in zip(grid.columns, row.cells, strict=True))
        yield f'<tr><th scope="row">{text(row.name)}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _cell(row: str, column: str, cell: GridCell) -> str:
    verdict = cell.verdict
    label = attribute(f"{column}: {row}: {verdict.word}{cell.reason and f': {cell.reason}'}")
    look = f'class="v v-{attribute(verdict.word)}" title="{label}"'
    letter = text(verdict.letter)
    if cell.address:
        return f'<td><a {look} href="{attribute(cell.address)}" aria-label="{label}">{letter}</a></td>'
    return f"<td><span {look}>{letter}</span></td>"


def _run(run: Run) -> Iterator[str]:
    yield f'<section class="card run" id="{attribute(run.name)}"><h2>{text(run.head)}</h2><p>{prose(run.about)}</p>'
    yield f'<pre tabindex="0" aria-label="{attribute(run.head)}">{block(run.text)}</pre></section>'
