"""A matrix as pages: one file with the runs below the table, or a folder that can be published as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dio_mc.files import write_if_changed
from dio_mc.guard import attempt
from dio_mc.html.matrix_page import Grid, GridCell, GridRow, Run, Verdict, matrix_page
from dio_mc.html.source import sources_of
from dio_mc.html.trace_page import Heading, trace_page
from dio_mc.render.text import render_text
from dio_mc.stepping.walk import end_of
from dio_mc.stepping.ways import Ways, ways_beside
from dio_mc.study.matrix import NOT_THERE, Cell, Matrix
from dio_mc.study.picture import matrix_svg
from dio_mc.study.registry import Registry, program_named
from dio_mc.study.tables import ANY, LEGEND, LETTERS, letter, matrix_json, remark, shown
from dio_mc.symbolic.evaluator import evaluators_of
from dio_mc.trace.codec import encode
from dio_mc.wording import plural

if TYPE_CHECKING:
    from dio_mc.semantics.stop import Stop
    from dio_mc.trace.trace import Trace

TITLE: Final = "Which operations race under which rule"
CELLS: Final = "cells"
"""The folder of the cells' pages."""


def one_page(found: Matrix) -> str:
    """The matrix with its runs as text below."""
    runs = tuple(
        Run(cell.name, _head(cell), _about(cell), render_text(cell.trace, model=False))
        for cell in found.cells
        if cell.trace is not None
    )
    return matrix_page(_grid(found, lambda cell: f"#{cell.name}" if cell.trace is not None else "", runs=runs))


def write_site(
    found: Matrix,
    folder: Path,
    registry: Registry,
    exceeded: Callable[[], Stop | None],
    note: Callable[[str], None],
) -> int:
    """Write ``index.html``, a page and a trace in ``cells/`` for each cell with a run, and the matrix in other formats;
    return the number of pages. If a limit is exceeded, pages lack the steps beside their run, and `note` receives one
    message about that. Raises `OSError`."""
    racing_cells = [cell for cell in found.cells if cell.trace is not None]
    links = {cell.name: f"{CELLS}/{cell.name}.json" for cell in racing_cells}
    files = (("matrix.svg", "matrix.svg"), ("matrix.json", "matrix.json"))
    index = _grid(found, lambda cell: f"{CELLS}/{cell.name}.html" if cell.trace is not None else "", files=files)
    _write(folder / "index.html", matrix_page(index))
    _write(folder / "matrix.svg", matrix_svg(found))
    _write(folder / "matrix.json", matrix_json(found, links))
    notes: list[str] = []
    for cell in racing_cells:
        if (stop := exceeded()) is not None and not notes:
            notes.append(f"the steps beside the runs are left out: {stop}")
        ways = None if notes else _ways(registry, cell, exceeded, notes.append)
        _write(folder / CELLS / f"{cell.name}.html", _cell_page(cell, ways))
        _write(folder / CELLS / f"{cell.name}.json", encode(_trace(cell)))
    for text in notes:
        note(text)
    return 1 + len(racing_cells)


def _trace(cell: Cell) -> Trace:
    assert cell.trace is not None
    return cell.trace


def _cell_page(cell: Cell, ways: Ways | None) -> str:
    trace = _trace(cell)
    heading = Heading(cell.verdict, f"{cell.shown} under {cell.rule}", _about(cell))
    return trace_page(trace, sources_of(trace, Path.cwd()), home="../index.html", ways=ways, heading=heading)


def _ways(
    registry: Registry, cell: Cell, exceeded: Callable[[], Stop | None], note: Callable[[str], None]
) -> Ways | None:
    """The steps beside a cell's run; None if they cannot be computed, as the page is useful without them."""

    def found() -> Ways | None:
        trace = _trace(cell)
        program = program_named(registry, trace.model.name)
        if program is None:
            return None
        walk = end_of(program, trace)
        return ways_beside(walk.interpreter, evaluators_of(program), walk.states, exceeded=exceeded)

    return attempt(f"{cell.name}: the steps beside the run", found, None, exceeded, note)


def _grid(
    found: Matrix,
    address: Callable[[Cell], str],
    *,
    runs: tuple[Run, ...] = (),
    files: tuple[tuple[str, str], ...] = (),
) -> Grid:
    rows = tuple(
        GridRow(
            " x ".join(group), tuple(GridCell(_verdict(letter(c)), _title(c), address(c)) for c in found.row(*group))
        )
        for group in shown(found)
    )
    used = {letter(cell) for cell in found.cells}
    about = (
        f"{plural(len(found.groups), found.noun)} of operations under {plural(len(found.rules), 'rule')}. "
        "A cell opens the shortest run that shows its verdict."
    )
    notes = tuple(_notes(found))
    return Grid(
        TITLE,
        about,
        found.rules,
        rows,
        tuple(_verdict(v) for v in (*LETTERS.values(), ANY) if v in used),
        notes,
        files,
        runs,
    )


def _notes(found: Matrix) -> Iterator[str]:
    if said := remark(found):
        yield said
    if undecided := sum(cell.verdict == "undetermined" for cell in found.cells):
        yield f"{plural(undecided, 'cell')} undetermined: a limit or an interrupt ended the search."


def _verdict(shown_as: str) -> Verdict:
    words = {letter: word for word, letter in LETTERS.items()} | {LETTERS[NOT_THERE]: "none", ANY: "ok"}
    return Verdict(shown_as, words[shown_as], LEGEND[shown_as])


def _title(cell: Cell) -> str:
    return _reason(cell) or (cell.general.words if cell.general is not None else "")


def _reason(cell: Cell) -> str:
    return "; ".join(cell.reasons)


def _head(cell: Cell) -> str:
    return f"{cell.rule}: {cell.shown} = {cell.verdict}"


def _about(cell: Cell) -> str:
    layouts = ", ".join(layout for layout, verdict in cell.layouts if verdict == cell.verdict)
    return f"Initial file: {layouts}. {_reason(cell)}."


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_if_changed(path, text)
