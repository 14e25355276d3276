"""How ``matrix`` and ``mutate --rule`` compute cells: in how many processes, and which are taken from the cache."""

from __future__ import annotations

from pathlib import Path

from dio_mc.cache import Cache, reason_of
from dio_mc.checking.driver import Options
from dio_mc.checking.runs.kept_cells import KIND, KeptCells, digest_of_files
from dio_mc.checking.runs.matrix import Cells, general_one_by_one
from dio_mc.cli.check import settings
from dio_mc.cli.limits import jobs_of
from dio_mc.cli.rules import note
from dio_mc.engines.limits import Limits
from dio_mc.guard import Latch
from dio_mc.semantics.search import Budget
from dio_mc.study.matrix import Solve, one_by_one


def solver(
    limits: Limits,
    max_states: int | None,
    jobs: int | None,
    folder: Path | None,
    files: tuple[Path, ...],
    *,
    general: bool = False,
    no_cache: bool = False,
) -> Solve:
    """The function that computes a cell, in one process or in several; `general`: and what is known for any number. The
    timeout is that of the command, the memory limit that of each process. Cells of shipped rules without a limit of
    states are taken from the cache, unless `no_cache`."""
    anew = _solver(limits, max_states, jobs, folder, files, general=general)
    return anew if no_cache or max_states or folder or files else _kept(anew, general=general)


def _solver(
    limits: Limits, max_states: int | None, jobs: int | None, folder: Path | None, files: tuple[Path, ...],
    *, general: bool,
) -> Solve:  # fmt: skip
    processes = jobs_of(settings({"jobs": jobs})["jobs"])
    met = Latch(limits.exceeded)
    if processes == 1:
        return (general_one_by_one if general else one_by_one)(Budget(max_states=max_states), met)
    budget = Budget(max_states=max_states, max_memory=limits.budget.max_memory)
    return Cells(folder, files, Options(budget, stop=met.words), processes, general=general)


def _kept(solve: Solve, *, general: bool) -> Solve:
    """A function that takes cells of shipped rules from the cache, if the files of dio-mc can be read."""
    try:
        digest_of_files()
    except OSError as error:
        note(f"cells are not kept: {reason_of(error)}")
        return solve
    return KeptCells(solve, Cache(note, KIND, "cells are"), general)
