"""A matrix compared with an earlier one: the cells that have become worse or better."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dio_mc.errors import usage_error
from dio_mc.study.matrix import NOT_THERE, Matrix
from dio_mc.study.tables import MATRIX_SCHEMA
from dio_mc.study.tags import RANK
from dio_mc.wording import plural

Verdicts = Mapping[tuple[str, tuple[str, ...]], str]
"""The verdict of each cell, by rule and operations in alphabetic order."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A cell whose verdict has changed."""

    rule: str
    operations: tuple[str, ...]
    before: str
    now: str

    @property
    def worse(self) -> bool:
        """Whether it has become worse; an undetermined cell does not count as worse."""
        return self.now != "undetermined" and RANK.index(self.now) < RANK.index(self.before)

    @property
    def line(self) -> str:
        """The change in one line."""
        word = "worse" if self.worse else "open" if self.now == "undetermined" else "better"
        return f"{word:<6}  {self.rule}: {' x '.join(self.operations)}: {self.before} -> {self.now}"


def read_baseline(path: Path, sectors: int = 1, pages: int = 1) -> Verdicts:
    """Read what ``dio-mc matrix --format json`` wrote. Raises `ModelError` if the file is missing
    (DIO201), is not such a report, or is about other numbers of `sectors` or `pages` (DIO217)."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise usage_error(
            "DIO201", f"cannot be read: {getattr(error, 'strerror', None) or error}", file=str(path)
        ) from None
    hint = "write one with `dio-mc matrix --format json -o FILE`"
    try:
        data = json.loads(text)
        if data["schema"] != MATRIX_SCHEMA:
            raise usage_error(
                "DIO217", f"its schema is {data['schema']!r}, not {MATRIX_SCHEMA!r}", file=str(path), hint=hint
            )
        found = {(str(c["rule"]), tuple(sorted(map(str, c["operations"])))): str(c["verdict"]) for c in data["cells"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise usage_error("DIO217", "not a matrix that dio-mc wrote", file=str(path), hint=hint) from None
    if data.get("sectors", 1) != sectors:
        words = f"it is about pages of {data.get('sectors', 1)} sectors, not {sectors}"
        raise usage_error("DIO217", words, file=str(path), hint="compare matrices with the same --sectors")
    if data.get("pages", 1) != pages:
        words = f"it is about calls on {plural(data.get('pages', 1), 'page')}, not on {pages}"
        raise usage_error("DIO217", words, file=str(path), hint="compare matrices with the same --pages")
    unknown = sorted(set(found.values()) - {*RANK, NOT_THERE})
    if unknown:
        raise usage_error("DIO217", f"a cell has the unknown verdict {unknown[0]!r}", file=str(path), hint=hint)
    return found


def shifts(before: Verdicts, now: Matrix) -> list[Shift]:
    """The cells that have changed, the worse ones first. Cells that only one matrix has are left
    out."""
    found: list[Shift] = []
    for cell in now.cells:
        old = before.get((cell.rule, tuple(sorted(cell.operations))), NOT_THERE)
        if NOT_THERE not in (old, cell.verdict) and old != cell.verdict:
            found.append(Shift(cell.rule, cell.operations, old, cell.verdict))
    return sorted(found, key=lambda shift: not shift.worse)


def compared(before: Verdicts, now: Matrix) -> int:
    """The number of cells that both have."""
    cells = [(cell.rule, tuple(sorted(cell.operations))) for cell in now.cells if cell.verdict != NOT_THERE]
    return sum(before.get(cell, NOT_THERE) != NOT_THERE for cell in cells)


def baseline_text(before: Verdicts, now: Matrix) -> str:
    """One line per change, and the totals."""
    found = shifts(before, now)
    worse = sum(shift.worse for shift in found)
    others = len(found) - worse
    tally = f"{compared(before, now)} cells compared with the baseline: {worse} worse, {others} otherwise changed"
    return "".join(f"{line}\n" for line in [*(shift.line for shift in found), tally])
