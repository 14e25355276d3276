"""Which operations race on a real kernel: the cells of `dio-mc matrix`, observed. Finished cells are stored in a
file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any, Final

from dio_mc.errors import usage_error
from dio_mc.machine.observe import Observations, observe
from dio_mc.machine.plans import layouts_on
from dio_mc.machine.session import Session
from dio_mc.study.matrix import Cell, Matrix
from dio_mc.study.registry import Registry, together
from dio_mc.study.tags import worst

STATE_SCHEMA: Final = "dio-mc/kernel-cells/1"


@dataclass(frozen=True, slots=True)
class Column:
    """A kernel and a file system."""

    session: Session

    @property
    def name(self) -> str:
        """``ext4 6.12``; with mount options ``ext4 6.12 nodelalloc``."""
        one = self.session
        return " ".join(filter(None, (one.file_system, one.kernel.short, one.mount)))

    @property
    def key(self) -> str:
        """Distinguishes the cells of this column from those of other builds of the kernel."""
        return f"{self.session.kernel.release} {self.session.file_system} {self.session.mount}".strip()


@dataclass(slots=True)
class FinishedCells:
    """Finished cells, in a file that is rewritten after each new cell."""

    path: Path | None = None
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)

    def get(self, key: str, column: str, group: tuple[str, ...]) -> Cell | None:
        """A cell finished earlier, or None."""
        found = self.cells.get(f"{key}: {' x '.join(group)}")
        if found is None:
            return None
        layouts = tuple((str(layout), str(verdict)) for layout, verdict in found["layouts"].items())
        return Cell(group, column, found["verdict"], layouts, found["outcome"], tuple(found["reasons"]), None,
                    found["runs"])  # fmt: skip

    def put(self, key: str, cell: Cell) -> None:
        """Store a cell."""
        self.cells[f"{key}: {' x '.join(cell.operations)}"] = {
            "verdict": cell.verdict, "layouts": dict(cell.layouts), "outcome": cell.outcome,
            "reasons": list(cell.reasons), "runs": cell.states,
        }  # fmt: skip
        if self.path is not None:
            self._write(self.path)

    def _write(self, path: Path) -> None:
        """Write the file atomically. Raises `ModelError` DIO207 if the disk is full; the previous content then
        stays."""
        part = path.with_name(f"{path.name}.part")
        try:
            part.write_text(json.dumps({"schema": STATE_SCHEMA, "cells": self.cells}, indent=1) + "\n")
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise usage_error("DIO207", f"cannot be written: {error.strerror}", file=str(path)) from None


def open_cells(path: Path | None) -> FinishedCells:
    """Open the file; it may not exist yet. Raises `ModelError` DIO217 if it is a file of another kind."""
    if path is None or not path.exists():
        return FinishedCells(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] == STATE_SCHEMA:
            return FinishedCells(path, dict(data["cells"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise usage_error("DIO217", "no file of finished cells that dio-mc wrote", file=str(path))


def kernel_matrix(
    registry: Registry, columns: Sequence[Column], operations: Sequence[str], preemptions: int, kept: FinishedCells,
    progress: Callable[[int, int, int], None] | None = None,
) -> Matrix:  # fmt: skip
    """Observe each pair of operations on each kernel. `progress` receives the number of cells done, of all cells, and
    of schedules run."""
    groups = tuple(combinations_with_replacement(operations, 2))
    found: dict[tuple[tuple[str, ...], str], Cell] = {}
    runs = 0
    for column in columns:
        for group in groups:
            cell = kept.get(column.key, column.name, group)
            if cell is None:
                cell = _cell(registry, column, group, preemptions)
                kept.put(column.key, cell)
                runs += cell.states
            found[group, column.name] = cell
            if progress is not None:
                progress(len(found), len(groups) * len(columns), runs)
        column.session.close()
    cells = tuple(found[group, column.name] for group in groups for column in columns)
    return Matrix(tuple(column.name for column in columns), groups, cells)


def _cell(registry: Registry, column: Column, group: tuple[str, ...], preemptions: int) -> Cell:
    workload = together(registry, group)
    seen: list[Observations] = []
    for layout in layouts_on(column.session.file_system):
        seen.append(observe(column.session, workload, layout, preemptions))
        if seen[-1].stopped:
            raise KeyboardInterrupt  # incomplete cells are not stored
    return cell_of(group, column.name, seen)


def cell_of(group: tuple[str, ...], column: str, seen: Sequence[Observations]) -> Cell:
    """The worst verdict over files of all layouts. If a guest was lost the cell is undetermined, unless something bad
    was seen before."""
    verdict = worst([one.verdict for one in seen])
    lost = next((one.lost for one in seen if one.lost), "")
    layouts = tuple((one.layout, one.verdict) for one in seen)
    runs = sum(one.runs for one in seen)
    if verdict in ("ok", "error", "undetermined") and lost:
        return Cell(group, column, "undetermined", layouts, "", (lost,), None, runs)
    if verdict == "ok":
        return Cell(group, column, verdict, layouts, states=runs)
    bad = next(s for one in seen for s in one.seen if s.tagged.verdict == verdict)
    return Cell(group, column, verdict, layouts, bad.text, bad.tagged.reasons, None, runs)
