"""A cache of cells of the matrix, for shipped rules.

The cells of shipped rules and operations are a function of dio-mc's own files, so the key has a
digest of all of them. A rule in a file of the user may import anything, so its cells are always
computed again; so is every cell that a limit has ended early.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from dio_mc.cache import Cache
from dio_mc.models import models_folder
from dio_mc.study.matrix import NOT_THERE, Cell, General, Pairing, Solve
from dio_mc.trace.codec import TraceFormatError, decode, encode

KIND = "matrix"


@dataclass(frozen=True, slots=True)
class KeptCells:
    """A `dio_mc.study.matrix.Solve` that calls another one for cells that are not in the cache;
    `general`: the one that adds results for any number."""

    solve: Solve
    cache: Cache
    general: bool = False
    _pages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, pairings: Sequence[Pairing]) -> Iterator[Cell]:
        """The cells, in order; new ones are stored at the end, also after an exception."""
        known = [self._known(pairing) for pairing in pairings]
        anew = self.solve([pairing for pairing, cell in zip(pairings, known, strict=True) if cell is None])
        fresh: set[str] = set()
        try:
            for pairing, kept in zip(pairings, known, strict=True):
                cell = kept if kept is not None else next(anew)
                if kept is None and is_whole(cell):
                    key = page_of(pairing, general=self.general)
                    self._pages[key][_name(pairing)] = _plain(cell)
                    fresh.add(key)
                yield cell
        finally:
            for key in sorted(fresh):
                self.cache.put(key, json.dumps(self._pages[key]).encode())

    def _known(self, pairing: Pairing) -> Cell | None:
        key = page_of(pairing, general=self.general)
        if key not in self._pages:
            self._pages[key] = _page(self.cache.get(key))
        try:
            return _cell(pairing, self._pages[key][_name(pairing)])
        except (KeyError, TypeError, ValueError, TraceFormatError):
            return None


def is_whole(cell: Cell) -> bool:
    """Whether no limit has cut the cell short: every layout has its verdict, and a bad one its run.
    A result for any number, if requested, was computed to the end."""
    if cell.verdict == NOT_THERE:
        return True
    if cell.general is not None and cell.general.stopped:
        return False
    verdicts = {cell.verdict, *(verdict for _, verdict in cell.layouts)}
    return "undetermined" not in verdicts and (cell.verdict == "ok" or cell.trace is not None)


def page_of(pairing: Pairing, *, general: bool = False) -> str:
    """The key of all cells of a rule, for calls about so many sectors and pages; cells with results
    for any number have another key."""
    sizes = f"{pairing.workload.sectors} {pairing.workload.pages}"
    what = [digest_of_files(), sys.version, pairing.rule.name, sizes, *(["any"] * general)]
    return hashlib.sha256("\0".join(what).encode()).hexdigest()


@lru_cache(maxsize=1)
def digest_of_files() -> str:
    """The digest of every module of dio-mc and every shipped model, by name and content. Raises
    `OSError`."""
    found = hashlib.sha256()
    for folder in (Path(__file__).parents[2], models_folder()):
        for path in sorted(folder.rglob("*.py")):
            found.update(f"{path.relative_to(folder)}\0".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _name(pairing: Pairing) -> str:
    return ",".join(pairing.workload.calls)


def _page(data: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(data or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain(cell: Cell) -> list[Any]:
    trace = encode(cell.trace) if cell.trace is not None else None
    known = cell.general and [list(cell.general.many), list(cell.general.single), cell.general.reason]
    layouts = [list(pair) for pair in cell.layouts]
    return [cell.verdict, layouts, cell.outcome, list(cell.reasons), trace, cell.states, known]


def _cell(pairing: Pairing, plain: Any) -> Cell:
    verdict, layouts, outcome, reasons, trace, states, known = plain
    general = None if known is None else General(tuple(known[0]), tuple(known[1]), known[2])
    return Cell(
        pairing.workload.calls, pairing.rule.name, verdict, tuple((layout, found) for layout, found in layouts),
        outcome, tuple(reasons), decode(trace) if trace is not None else None, states, general,
    )  # fmt: skip
