"""What is asked about a program changes none of its steps.

A model is compiled with nothing asked, with what its properties ask, and with everything that could be asked (every
operation as a region, every argument kept); these programs then go in lockstep. The only thing they may differ in is
what they remember: locations of one statement may be several, and locals that a property may read stay.
"""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path

import generate
import pytest

from dio_mc import Model, Range, Var, atomic, choose, invariant, operation, thread, wait_until, window
from dio_mc.checking.expectations import bindings_of
from dio_mc.frontend import load_module, prepared
from dio_mc.frontend.build import build
from dio_mc.frontend.templates import Asked
from dio_mc.ir.program import Program
from dio_mc.lang.model import ROLE, OperationRole
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Step

MODELS = Path(__file__).resolve().parents[2] / "models"
SHIPPED = sorted(path for path in MODELS.rglob("*.py") if "import" in path.read_text())
BUILD = sys.modules["dio_mc.frontend.build"]
PAIRS = 1500
"""Pairs of states after which two programs have gone together far enough."""


class Everything(frozenset[str]):
    """Every argument's name."""

    def __contains__(self, name: object) -> bool:
        return True


def programs_of(
    model: type[Model], params: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> tuple[Program, Program, Program]:
    """With nothing asked, as it is, with everything asked."""
    operations = frozenset(
        name for name in dir(model) if isinstance(getattr(getattr(model, name), ROLE, None), OperationRole)
    )
    as_it_is = build(model, params).program
    with monkeypatch.context() as patch:
        patch.setattr(prepared, "_asked", lambda members: Asked(operations, Everything()))
        all_ = build(model, params).program
    with monkeypatch.context() as patch:
        patch.setattr(prepared, "_asked", lambda members: Asked(frozenset(), frozenset()))
        patch.setattr(BUILD, "_property", lambda name, members, context: None)
        nothing = build(model, params).program
    return nothing, as_it_is, all_


class Side:
    """One of the programs, and what of its states is compared: the data, and the statement that each thread is at."""

    def __init__(self, program: Program) -> None:
        self.interpreter = Interpreter(program)
        self._layout = self.interpreter.layout
        self._data = min(self._layout.pc, default=self._layout.size)
        self._statements = [
            [(location.text, location.span) for location in program.template_of(t).locations]
            for t in range(len(program.threads))
        ]

    def shown(self, state: State) -> object:
        stands = [at[state[pc]] for at, pc in zip(self._statements, self._layout.pc, strict=True)]
        return state[: self._data], tuple(stands)

    def steps(self, state: State) -> dict[object, Step]:
        """By thread and choice: a thread stands at one location."""
        found = {(s.action.thread, s.action.choice): s for s in self.interpreter.successors(state)}
        assert len(found) == len(self.interpreter.successors(state))
        return found


def go_together(one: Program, other: Program, limit: int = PAIRS) -> int:
    """Walk through both programs at once, and compare each step; how many pairs of states there were."""
    left, right = Side(one), Side(other)
    assert left.interpreter.initial_faults == right.interpreter.initial_faults
    waiting = deque(zip(left.interpreter.initial(), right.interpreter.initial(), strict=True))
    seen = set(waiting)
    while waiting and len(seen) < limit:
        a, b = waiting.popleft()
        assert left.shown(a) == right.shown(b)
        here, there = left.steps(a), right.steps(b)
        assert here.keys() == there.keys(), (left.shown(a), here.keys() ^ there.keys())
        for key, step in here.items():
            assert step.fault == there[key].fault
            pair = step.state, there[key].state
            if pair[0] is not None and pair[1] is not None and pair not in seen:
                seen.add(pair)
                waiting.append(pair)
    return len(seen)


def compared(model: type[Model], params: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> tuple[int, bool]:
    """How many pairs were compared, and whether asking makes a difference to what the program remembers."""
    nothing, as_it_is, all_ = programs_of(model, params, monkeypatch)
    differs = nothing.templates != all_.templates
    return go_together(nothing, all_) + (go_together(nothing, as_it_is) if nothing != as_it_is else 0), differs


# -- by hand -----------------------------------------------------------------------------------------------------------


class Page(Model):
    """Calls within an atomic block, early returns, loops at the head of an operation, windows, waits, choices, local
    statements on either side; a daemon, and one operation that calls another."""

    x = Var(Range(0, 3))
    y = Var(bool)
    go = Var(bool)

    @operation()
    def two(self):
        self.x = 1
        self.x = 2

    @operation()
    def early(self, i: int):
        if i == 0:
            return
        self.x = 1
        while self.x == 1:
            self.x = 2

    @operation()
    def looping(self, n: int):
        for k in range(n):
            self.x = k
        with window("last"):
            self.y = not self.y

    @operation()
    def waiting(self):
        wait_until(self.go)
        self.go = False

    @operation()
    def local(self, i: int):
        j = 1 - i
        if j == 0:
            return 0
        return 1

    @operation()
    def outer(self, i: int):
        j = self.local(i)
        self.early(j)
        self.two()

    @thread
    def t(self):
        with atomic():
            self.y = True
            self.two()
        self.early(0)
        i = choose(0, 1)
        self.early(i)
        with window("around"):
            self.outer(0)
            self.looping(2)

    @thread
    def u(self):
        self.outer(1)
        with atomic():
            self.y = False
            self.waiting()
        self.local(1)

    @thread(daemon=True)
    def v(self):
        while True:
            self.waiting()
            self.go = True

    @invariant
    def asked(self):
        return self.x < 3 or not self.inside(self.two)


def test_every_way_to_call(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, differs = compared(Page, {}, monkeypatch)
    assert differs
    assert pairs > 100


class Together(Model):
    """A deadlock from the start, that a property about the operation must not hide: nobody can set `go` first."""

    go = Var(bool)
    begun = Var(bool)

    @operation()
    def take(self):
        wait_until(self.go)
        self.go = False

    @thread
    def t(self):
        with atomic():
            self.begun = True
            self.take()

    @thread
    def u(self):
        wait_until(self.begun)
        self.go = True

    @thread(daemon=True)
    def v(self):
        wait_until(self.begun and not self.begun)
        self.take()


class Harmless(Together):
    @invariant
    def harmless(self):
        return not self.inside(self.take) or self.go or not self.go


@pytest.mark.parametrize("model", [Together, Harmless])
def test_a_call_in_an_atomic_block_is_within_its_step(model: type[Model]) -> None:
    interpreter = Interpreter(build(model).program)
    (start,) = interpreter.initial()
    assert interpreter.successors(start) == []


def test_an_operation_is_seen_from_behind_its_first_step_to_its_last() -> None:
    """Not while its first statement is to come, nor where it is left within the step that enters it."""
    program = build(Page).program
    places = {
        location.text: number in region.locations
        for region in program.regions
        if region.name == "two()" and region.template == 1
        for number, location in enumerate(program.templates[1].locations)
        if location.operations[-1:] == ("two",)
    }
    assert places == {"self.x = 1": False, "self.x = 2": True}


# -- shipped models, random models -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(MODELS).as_posix())
def test_shipped_models(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for model in load_module(str(path), allow_empty=True).models:
        for params, _ in bindings_of(model, {})[:1]:
            compared(model, params, monkeypatch)


@pytest.mark.parametrize("block", range(4))
def test_random_models(block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    differing = pairs = 0
    for seed in range(block * 15, block * 15 + 15):
        path = tmp_path / f"m{seed}.py"
        path.write_text(generate.program(seed))
        more, differs = compared(load_module(path).models[-1], {}, monkeypatch)
        pairs += more
        differing += differs
    assert pairs > 500
    assert differing >= 1
