"""The reference engine, ended and resumed: also the graph for properties of whole runs."""

import random
from pathlib import Path

import pytest
from asking import request
from checkpointing import copy, files_of
from random_programs import random_program

from dio_mc import Model, Mutex, PerThread, Range, Var, always_reachable, invariant, me, progress, thread, threads
from dio_mc.engines import choose
from dio_mc.engines.choose import Strategy
from dio_mc.engines.reference import saving, search
from dio_mc.errors import ModelError
from dio_mc.frontend import build
from dio_mc.ir.program import Program
from dio_mc.semantics.search import NO_REDUCTION, Checkpoints, Exploration, Reductions
from dio_mc.symbolic.evaluator import evaluators_of


@pytest.fixture(autouse=True)
def _not_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture(autouse=True)
def _looked_at_every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "LOOK_EVERY", 7)
    monkeypatch.setattr(search, "POLL_EVERY", 1)


class Turns(Model):
    """A lasso, an end that is not a goal, and a fault."""

    lock = Mutex()
    n = Var(Range(-1, 3))
    done = PerThread(bool)

    @thread(instances=2)
    def one(self):
        while self.n < 3:
            self.lock.lock()
            self.n = self.n - 1 if self.n == 3 else self.n + 1
            self.lock.unlock()
        self.done[me] = True

    @thread
    def two(self):
        while True:
            self.lock.lock()
            self.n = self.n - 1
            self.lock.unlock()

    @always_reachable
    def ends(self):
        return all(self.done[t] for t in threads())

    @progress
    def comes(self):
        return self.n == 3

    @invariant
    def low(self):
        return self.n < 3


class Plain(Model):
    """No property of whole runs, so that there are reductions."""

    a = Mutex()
    n = Var(Range(0, 4))
    done = PerThread(bool)

    @thread(instances=3)
    def one(self):
        self.done[me] = True
        self.a.lock()
        self.n = self.n + 1
        self.n = self.n + 1
        self.a.unlock()
        self.done[me] = False


def explore(program: Program, folder: Path, *, resume: bool = False, reduced: bool = False, **rest) -> Exploration:
    asked = request(program, evaluators_of(program), checkpoints=Checkpoints(str(folder), resume, every=0.0), **rest)
    reductions = Reductions(partial_order=True) if reduced else NO_REDUCTION
    return choose.Run(asked).explore(Strategy("reference", reductions=reductions), full=0)


def stops_after(looks: int):
    left = iter(range(looks))
    return lambda: None if next(left, None) is not None else "enough"


@pytest.mark.parametrize(("model", "reduced"), [(Turns, False), (Plain, True)])
def test_ended_again_and_again(tmp_path: Path, model: type[Model], reduced: bool) -> None:
    program = build(model).program
    plain = explore(program, tmp_path / "plain", reduced=reduced)
    assert plain.reductions == (("symmetry", "partial order") if reduced else ())
    assert plain.violations
    rng, rounds = random.Random(3), 0
    found = explore(program, tmp_path / "kept", reduced=reduced, stop=stops_after(9))
    while found.stopped is not None and rounds < 60:
        assert found.resumable
        rounds += 1
        after = stops_after(rng.randrange(20 + 40 * rounds))
        found = explore(program, tmp_path / "kept", resume=True, reduced=reduced, stop=after)
    assert rounds > 1
    assert found == plain


def test_killed_at_any_moment(tmp_path: Path) -> None:
    program = build(Turns).program
    plain = explore(program, tmp_path / "plain")
    copies: list[Path] = []

    def at(_: object) -> None:
        if len(copies) < 6 and (tmp_path / "kept").exists():
            copies.append(tmp_path / f"copy-{len(copies)}")
            copy(tmp_path / "kept", copies[-1])

    explore(program, tmp_path / "kept", report=at)
    assert copies
    for folder in copies:
        assert explore(program, folder, resume=True) == plain


@pytest.mark.parametrize("seed", range(3))
def test_random_programs(tmp_path: Path, seed: int) -> None:
    program = random_program(seed)
    plain = explore(program, tmp_path / "plain")
    explore(program, tmp_path / "kept", stop=stops_after(plain.states // 2))
    assert explore(program, tmp_path / "kept", resume=True) == plain


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    program = build(Turns).program
    plain, rng = explore(program, tmp_path / "plain"), random.Random(5)
    explore(program, tmp_path / "kept", stop=stops_after(60))
    for file in files_of(tmp_path / "kept"):
        whole = file.read_bytes()
        flipped = bytearray(whole)
        flipped[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        for data in (b"", whole[: rng.randrange(len(whole))], bytes(flipped)):
            file.write_bytes(data)
            with pytest.raises(ModelError, match="error DIO223: the checkpoint is refused: "):
                explore(program, tmp_path / "kept", resume=True)
        file.write_bytes(whole)
    assert explore(program, tmp_path / "kept", resume=True) == plain


def test_steps_of_another_search_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = build(Turns).program
    explore(program, tmp_path / "kept", stop=stops_after(30))
    read = saving.Recorded._read

    def later(self, frames):
        entries = read(self, frames)
        next(entries)
        return entries

    monkeypatch.setattr(saving.Recorded, "_read", later)
    with pytest.raises(ModelError, match="refused: its states are not those of this search"):
        explore(program, tmp_path / "kept", resume=True)


def test_saving_that_begins_late_takes_the_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    program = build(Turns).program
    plain = explore(program, tmp_path / "plain")
    said: list[str] = []
    asked = Checkpoints(None, after=1e9, every=0.0, say=said.append)

    def late(progress) -> None:
        if progress.states > 30:
            object.__setattr__(asked, "after", 0.0)

    made = request(program, evaluators_of(program), checkpoints=asked, report=late, stop=stops_after(80))
    found = choose.Run(made).explore(Strategy("reference", reductions=NO_REDUCTION), full=0)
    assert found.stopped is not None
    assert found.resumable
    made = request(program, evaluators_of(program), checkpoints=Checkpoints(None, resume=True))
    assert choose.Run(made).explore(Strategy("reference", reductions=NO_REDUCTION), full=0) == plain
    assert not said


def test_the_user_learns_whether_there_is_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    program = build(Turns).program
    said: list[str] = []

    def run(*, resume: bool, stop: object = None) -> None:
        asked = Checkpoints(None, resume, after=0.0, every=0.0, say=said.append)
        made = request(program, evaluators_of(program), checkpoints=asked, stop=stop)
        choose.Run(made).explore(Strategy("reference", reductions=NO_REDUCTION), full=0)

    run(resume=True, stop=stops_after(80))
    (folder,) = (tmp_path / "dio-mc" / "checkpoints").iterdir()
    run(resume=False)
    assert said == [
        f"Turns: no checkpoint in {folder}: the search starts from the beginning",
        f"Turns: a checkpoint exists in {folder}: --resume continues it",
    ]
