"""Searches that are ended at any moment and go on from what they have kept: what the tests of checkpoints share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asking import request

from dio_mc.engines.checkpoints.store import Keeper, Store
from dio_mc.engines.compiled import compiled
from dio_mc.engines.limits import Limits
from dio_mc.engines.native.prepared import IN_FULL, Prepared, Reduced
from dio_mc.semantics.search import Budget, Checkpoints, Exploration, Progress


@dataclass
class Searches:
    """Of a prepared program, in `folder`; `said` is what checkpoints had to say."""

    prepared: Prepared
    evaluators: Sequence[Any]
    folder: Path
    by: Reduced = IN_FULL
    workers: int = 1
    every: float = 0.0
    after: float | None = None

    def __post_init__(self) -> None:
        self.said: list[str] = []

    def store(self, resume: bool) -> Store:
        folder = None if self.after is not None else str(self.folder)
        asked = Checkpoints(folder, resume, after=self.after or 0.0, every=self.every, say=self.said.append)
        return Store(asked, self.prepared.interpreter.program)

    def keeper(self, store: Store, limits: Limits) -> Keeper | None:
        of = {"engine": "native", "reduced": list(self.by.names), "first": False, "code": self.prepared.module.digest}
        return store.keeper("search", of, lambda: limits.seconds)

    def plain(self, budget: Budget | None = None) -> Exploration:
        """Without checkpoints."""
        asked = request(self.prepared.interpreter.program, self.evaluators, budget or Budget())
        return compiled(self.prepared, asked, Limits(asked.budget), self.workers, self.by)

    def run(self, *, resume: bool = False, budget: Budget | None = None, workers: int | None = None, **rest: Any):
        """With checkpoints."""
        asked = request(self.prepared.interpreter.program, self.evaluators, budget or Budget(), **rest)
        limits = Limits(asked.budget, asked.stop)
        store = self.store(resume)
        try:
            return compiled(self.prepared, asked, limits, workers or self.workers, self.by, self.keeper(store, limits))
        finally:
            store.close()

    def run_killed(self, copies: Path) -> tuple[Exploration, list[Path]]:
        """A whole search, and copies of its folder at its levels: what a kill would have left there."""
        found: list[Path] = []

        def at(progress: Progress) -> None:
            if self.folder.exists() and len(found) <= progress.depth:
                found.append(copies / f"{len(found):04}")
                copy(self.folder, found[-1])

        return self.run(report=at), found


def copy(folder: Path, to: Path) -> None:
    """What a kill would leave at this moment: the head, which is replaced as a whole, and then what it names."""
    for pattern in ("*.json", "search.0*"):
        for path in folder.rglob(pattern):
            there = to / path.relative_to(folder)
            there.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            there.write_bytes(path.read_bytes())


def files_of(folder: Path) -> list[Path]:
    """The files of a checkpoint."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
