"""Searches that are ended at any moment and continued from their checkpoints, for the tests of
checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asking
import pytest
from asking import request

from dio_mc import Array, Model, Mutex, Range, Var, choose, invariant, reachable, thread
from dio_mc.analysis.partial_order.persistent import find_persistent_sets
from dio_mc.analysis.symmetry.proof import find_symmetry
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.engines.checkpoints.store import Keeper, Store
from dio_mc.engines.compiled import compiled
from dio_mc.engines.limits import Limits
from dio_mc.engines.native.engine import Begin
from dio_mc.engines.native.prepared import IN_FULL, Prepared, Reduced
from dio_mc.errors import ModelError
from dio_mc.frontend import build
from dio_mc.semantics.search import Budget, Checkpoints, Exploration, Progress
from dio_mc.symbolic.evaluator import property_evaluator


@dataclass
class Searches:
    """Searches of a prepared program, with checkpoints in `folder`; `said` are the notes about
    checkpoints."""

    prepared: Prepared
    evaluators: Sequence[Any]
    folder: Path
    by: Reduced = IN_FULL
    workers: int = 1
    every: float = 0.0
    after: float | None = None
    begin: Begin | None = None

    def __post_init__(self) -> None:
        self.said: list[str] = []

    def store(self, resume: bool) -> Store:
        folder = None if self.after is not None else str(self.folder)
        asked = Checkpoints(folder, resume, after=self.after or 0.0, every=self.every, say=self.said.append)
        return Store(asked, self.prepared.interpreter.program)

    @property
    def on_disk(self) -> bool:
        """The searches with states on disk that `begin` creates."""
        return self.begin is not None

    def keeper(self, store: Store, limits: Limits) -> Keeper | None:
        of = {"engine": "native", "reduced": list(self.by.names), "first": False, "code": self.prepared.module.digest}
        return store.keeper("search", of, lambda: limits.seconds, on_disk=self.on_disk)

    def plain(self, budget: Budget | None = None) -> Exploration:
        """Search without checkpoints."""
        asked = request(self.prepared.interpreter.program, self.evaluators, budget or Budget())
        return compiled(self.prepared, asked, Limits(asked.budget), self.workers, self.by)

    def run(self, *, resume: bool = False, budget: Budget | None = None, workers: int | None = None, **rest: Any):
        """Search with checkpoints."""
        asked = request(self.prepared.interpreter.program, self.evaluators, budget or Budget(), **rest)
        limits = Limits(asked.budget, asked.stop)
        store = self.store(resume)
        try:
            keeper = self.keeper(store, limits)
            return compiled(self.prepared, asked, limits, workers or self.workers, self.by, keeper, self.begin)
        finally:
            store.close()

    def run_killed(self, copies: Path) -> tuple[Exploration, list[Path]]:
        """A whole search, and copies of its folder at each level, as a kill would have left it."""
        found: list[Path] = []

        def at(progress: Progress) -> None:
            if self.folder.exists() and len(found) <= progress.depth:
                found.append(copies / f"{len(found):04}")
                copy(self.folder, found[-1])

        return self.run(report=at), found


def copy(folder: Path, to: Path) -> None:
    """Copy the folder as a kill would leave it now: the head, which is replaced as a whole, and
    then the files it names."""
    for pattern in ("*.json", "search*.0*", "*.levels"):
        for path in folder.rglob(pattern):
            there = to / path.relative_to(folder)
            there.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            there.write_bytes(path.read_bytes())


def files_of(folder: Path) -> list[Path]:
    """The files of a checkpoint."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock")


class Race(Model):
    """Each kind of violation, some thousand states: an assertion, a deadlock, an invariant, a step,
    a witness."""

    a = Mutex()
    b = Mutex()
    n = Var(Range(0, 3))
    cells = Array(Range(0, 2), size=2)

    @thread(instances=2)
    def adder(self):
        k = choose(range(2))
        seen = self.cells[k]
        self.cells[k] = seen + 1
        self.cells[1 - k] = self.cells[1 - k] + 1

    @thread
    def one(self):
        self.a.lock()
        self.b.lock()
        self.n = 2
        self.b.unlock()
        self.a.unlock()

    @thread
    def two(self):
        self.b.lock()
        self.a.lock()
        self.cells[self.n] = 1
        self.a.unlock()
        self.b.unlock()

    @invariant
    def below(self):
        return self.n < 2 or self.cells[0] + self.cells[1] < 3

    @reachable
    def full(self):
        return self.cells[0] + self.cells[1] == 4


class Steps(Race):
    """A program with a property of steps, for which there is no partial order reduction."""

    @invariant
    def grows(self, after):
        return self.cells[0] <= after.cells[0] or self.n == 0


def searches(
    folder: Path, way: str = "full", workers: int = 1, model: type[Model] | None = None, **rest: Any
) -> Searches:
    program = build(model or (Race if way == "partial order" else Steps)).program
    evaluators = [property_evaluator(program, p).evaluator for p in program.properties]
    named = sets = None
    if way == "symmetry":
        symmetry = find_symmetry(program)
        assert symmetry
        named = Representatives(program, symmetry)
    if way == "partial order":
        sets = find_persistent_sets(program, evaluators)
    prepared = asking.prepare(program, evaluators, representatives=named, sets=sets, quick=True)
    return Searches(prepared, evaluators, folder, prepared.able, workers, **rest)


def stops_after(looks: int) -> Callable[[], str | None]:
    """A limit that is reached at the given poll."""
    left = iter(range(looks))
    return lambda: None if next(left, None) is not None else "enough"


def is_refused_while_another_process_has_it(made: Searches) -> None:
    """A search that was ended cannot be resumed while its checkpoint is locked, and can be after that."""
    made.run(budget=Budget(max_depth=9))
    store = made.store(resume=True)
    place = store.place()
    assert place is not None
    place.lock()
    with pytest.raises(ModelError, match="DIO224: another process is using this checkpoint"):
        made.run(resume=True)
    store.close()
    assert made.run(resume=True) == made.plain()


def refusal(made: Searches) -> str:
    """The text with which a checkpoint is refused."""
    with pytest.raises(ModelError) as refused:
        made.run(resume=True)
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == "DIO223"
    return str(refused.value)
