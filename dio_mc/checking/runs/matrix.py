"""The cells of a matrix in several processes.

A worker opens the rules and operations itself, from the folder and the files that the user named;
only names are sent. It gets the cells of a rule together, since they share most of their code
(`dio_mc.study.products`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import Any, Final

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
    """Computes cells in up to `jobs` processes, this one included: a `dio_mc.study.matrix.Solve`.
    The rules and operations are those of a `folder` (None: the shipped ones) and of further
    `files`. `options` has the limits of each search, and the reason to end them all; `patience` is
    that of `pool`. `general`: results for any number are computed too (`general_cells`)."""

    folder: Path | None
    files: tuple[Path, ...]
    options: Options
    jobs: int
    patience: float = PATIENCE
    general: bool = False

    def __call__(self, pairings: Sequence[Pairing]) -> Iterator[Cell]:
        """The cells, in order."""
        work = _Solving(self.folder, self.files, self.general)
        for _, cells in spread(work, batches(pairings, self.jobs), self.options, self.jobs, self.patience):
            yield from cells


Batch = tuple[Pairing, ...]
"""Pairings under one rule, with equal numbers of operations and sectors."""
Found = tuple[Cell, ...]
"""The cells of a batch."""
EACH: Final = 4
"""The desired number of batches per process."""


def batches(pairings: Sequence[Pairing], jobs: int) -> list[Batch]:
    """The pairings, in order; if there are few rules, those of a rule in several batches."""
    rules = [tuple(found) for _, found in groupby(pairings, key=lambda one: one.rule.name)]
    parts = ceil(EACH * jobs / max(len(rules), 1))
    found: list[Batch] = []
    for batch in rules:
        size = ceil(len(batch) / parts)
        found += [batch[start : start + size] for start in range(0, len(batch), size)]
    return found


def solved(pairing: Pairing, budget: Budget | None, met: Latch, *, general: bool) -> Cell:
    """One cell, and if requested its result for any number."""
    cell = cell_of(pairing, budget, met)
    if not general:
        return cell
    from dio_mc.checking.runs.general_cells import with_general

    return with_general(pairing, cell, budget, met)


def general_one_by_one(budget: Budget | None, met: Latch) -> Solve:
    """Computes cells in this process, with results for any number."""
    return lambda pairings: (solved(one, budget, met, general=True) for one in pairings)


@dataclass(frozen=True, slots=True)
class _Solving:
    folder: Path | None
    files: tuple[Path, ...]
    general: bool

    def here(self, task: Batch, options: Options) -> Found:
        met = Latch(Limits(options.budget, options.stop).exceeded)
        return tuple(solved(one, options.budget, met, general=self.general) for one in task)

    def message(self, task: Batch) -> Any:
        return [(one.workload.calls, one.workload.sectors, one.workload.pages, one.rule.name) for one in task]

    def there(self, message: Any, options: Options) -> Found:
        try:
            registry = opened(self.folder, self.files)
            task = tuple(Pairing(together(registry, *sizes), registry.rules[rule]) for *sizes, rule in message)
        except (DioError, KeyError):  # the files have changed since the command read them
            return tuple(Cell(calls, rule, "undetermined") for calls, *_, rule in message)
        return self.here(task, options)

    def lost(self, task: Batch, reason: str) -> Found:
        return tuple(one.undetermined() for one in task)


@lru_cache(maxsize=1)
def opened(folder: Path | None, files: tuple[Path, ...]) -> Registry:
    """The rules and operations, loaded once in this process."""
    return open_registry(folder, files)
