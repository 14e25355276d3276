"""The cells of a matrix in several processes.

A worker opens the rules and operations itself, from the folder and the files that the user named; only names go there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dio_mc.checking.driver import Options
from dio_mc.checking.runs.pool import PATIENCE, spread
from dio_mc.engines.limits import Limits
from dio_mc.errors import DioError
from dio_mc.guard import Latch
from dio_mc.semantics.search import Budget
from dio_mc.study.matrix import Cell, Pairing, Solve, cell_of
from dio_mc.study.registry import Registry, open_registry, together


@dataclass(frozen=True, slots=True)
class Cells:
    """How cells are found in up to `jobs` processes, this one included: a `dio_mc.study.matrix.Solve`. The rules and
    operations are those of a `folder` (None: the shipped ones) and of further `files`. `options` has the limits of each
    search, and what ends them all; `patience` is that of `pool`. `general`: what is known for any number is asked too
    (`general_cells`)."""

    folder: Path | None
    files: tuple[Path, ...]
    options: Options
    jobs: int
    patience: float = PATIENCE
    general: bool = False

    def __call__(self, pairings: Sequence[Pairing]) -> Iterator[Cell]:
        """The cells, in order."""
        solving = _Solving(self.folder, self.files, self.general)
        for _, cell in spread(solving, pairings, self.options, self.jobs, self.patience):
            yield cell


def solved(pairing: Pairing, budget: Budget | None, met: Latch, *, general: bool) -> Cell:
    """One cell, and where it is asked what is known of it for any number."""
    cell = cell_of(pairing, budget, met)
    if not general:
        return cell
    from dio_mc.checking.runs.general_cells import with_general

    return with_general(pairing, cell, budget, met)


def general_one_by_one(budget: Budget | None, met: Latch) -> Solve:
    """How cells are found in this process alone, with what is known for any number."""
    return lambda pairings: (solved(one, budget, met, general=True) for one in pairings)


@dataclass(frozen=True, slots=True)
class _Solving:
    folder: Path | None
    files: tuple[Path, ...]
    general: bool

    def here(self, task: Pairing, options: Options) -> Cell:
        met = Latch(Limits(options.budget, options.stop).exceeded)
        return solved(task, options.budget, met, general=self.general)

    def message(self, task: Pairing) -> Any:
        return task.workload.calls, task.workload.sectors, task.rule.name

    def there(self, message: Any, options: Options) -> Cell:
        calls, sectors, rule = message
        try:
            registry = _opened(self.folder, self.files)
            pairing = Pairing(together(registry, calls, sectors), registry.rules[rule])
        except (DioError, KeyError):  # the files have changed since the command read them
            return Cell(calls, rule, "undetermined")
        return self.here(pairing, options)

    def lost(self, task: Pairing, reason: str) -> Cell:
        return task.undetermined()


@lru_cache(maxsize=1)
def _opened(folder: Path | None, files: tuple[Path, ...]) -> Registry:
    return open_registry(folder, files)
