"""Searches on disk with arrays of a few states and a table that drops states at every occasion, so
that everything that happens in a large search happens at every level of a small one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from checkpointing import Searches, searches

from dio_mc.engines import choose
from dio_mc.engines.disk import merging, search
from dio_mc.engines.disk.search import Disk, DiskSearch
from dio_mc.engines.disk.sizes import Sizes
from dio_mc.semantics.search import Budget

SMALL = Sizes(1, 1, 4)
"""Blocks of four states; the arrays are as small as possible."""


class Forgetful(DiskSearch):
    """Drops and writes states at every occasion."""

    def _open_level(self) -> None:
        super()._open_level()
        if self.on_disk:
            self._forget_states()

    turn = 0

    def _share_room(self) -> None:
        self.turn += 1
        if self.pool.sum("end"):
            if self.turn % 3:
                self._forget_states()
            else:
                self._spill()
        super()._share_room()

    def _stretch(self) -> int:
        return min(super()._stretch(), 8)


def begin_small(folder: Path, budget: Budget, spare: int = 0) -> partial[Forgetful]:
    return partial(Forgetful, disk=Disk(folder, SMALL, spare))


@contextmanager
def forgetting() -> Iterator[Path]:
    """Make every search on disk such a search; yields a folder for it."""
    before = choose.on_disk, merging.FAN, search.BUNDLES
    choose.on_disk, merging.FAN, search.BUNDLES = begin_small, 3, 2  # type: ignore[misc]  # constants, but for this
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    finally:
        choose.on_disk, merging.FAN, search.BUNDLES = before  # type: ignore[misc]


def on_disk(
    kept: Path, folder: Path, way: str = "full", kind: type[DiskSearch] = Forgetful, workers: int = 1, **rest: Any
) -> Searches:
    """Searches with checkpoints in `kept`, and their states in `folder`."""
    begin = partial(kind, disk=Disk(folder, SMALL))
    return searches(kept, way, workers, begin=begin, **rest)


def in_memory(made: Searches) -> Searches:
    """The same search in memory."""
    return replace(made, begin=None)
