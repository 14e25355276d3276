"""Searches in machine code, wherever their states are, with the results of all engines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial as bound
from typing import TYPE_CHECKING

from dio_mc.engines.limits import Limits
from dio_mc.engines.shaping import exploration_of
from dio_mc.semantics.search import Budget, Exploration, Note, OnRay, SearchRequest
from dio_mc.semantics.stop import Stop

if TYPE_CHECKING:
    from pathlib import Path

    from dio_mc.engines.checkpoints.store import Keeper
    from dio_mc.engines.cluster.bridge import RayParts
    from dio_mc.engines.native.engine import Begin, Prepared, Reduced
    from dio_mc.engines.native.module import Module


def compiled(
    prepared: Prepared, request: SearchRequest, limits: Limits, workers: int, by: Reduced, keeper: Keeper | None = None,
    begin: Begin | None = None,
) -> Exploration:  # fmt: skip
    """Explore a compiled program, in memory or as `begin` does; `keeper` has the checkpoints."""
    from dio_mc.engines.native.engine import Search, search

    found = search(prepared, request, limits, workers, by, keeper=keeper, begin=begin or Search)
    return exploration_of(found, request.evaluators, limits)


def on_disk(folder: Path, budget: Budget, spare: int = 0) -> Begin:
    """Creates searches with their states in `folder`, which must exist; `spare` bytes of its file
    system stay free."""
    from dio_mc.engines.disk.search import Disk, DiskSearch
    from dio_mc.engines.disk.sizes import sizes_within

    return bound(DiskSearch, disk=Disk(folder, sizes_within(budget.max_memory), spare))


def makes(folder: Path, note: Note) -> bool:
    """Create the folder for states that nobody named; return whether that was possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        note(f"the states could not be kept on disk: {folder}: {error.strerror}; --disk DIR names a folder")
        return False
    return True


def on_ray(ray: OnRay, folder: Path | None, budget: Budget) -> Begin:
    """Creates searches on Ray, with files in a shared `folder`, or (None) in a local folder of each
    machine."""
    from dio_mc.engines.cluster.bridge import RayParts
    from dio_mc.engines.cluster.search import ClusterSearch

    def connect(module: Module, by: Reduced, exceeded: Callable[[], Stop | None]) -> RayParts:
        return RayParts(ray, module, by, folder, budget.max_memory, exceeded)

    return bound(ClusterSearch, connect=connect)
