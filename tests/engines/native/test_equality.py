"""The native engine against the reference engine: every number, every schedule, on models, toys and random programs."""

import os
from dataclasses import replace
from pathlib import Path

import asking
import pytest
from asking import explore, explore_reference
from ir_builder import block, cell, check, less, load, observation, program, put, straight, template, variable
from random_programs import random_program

from dio_mc.analysis.values.sets import Unsupported
from dio_mc.checking.expectations import bindings_of
from dio_mc.engines import choose
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import LIVENESS, Program, Property
from dio_mc.semantics.evaluator import Decision, Observation
from dio_mc.semantics.layout import layout_of
from dio_mc.semantics.search import Budget, Exploration, Reductions
from dio_mc.source import Span
from dio_mc.symbolic.evaluator import property_evaluator

BLOCKS = int(os.environ.get("DIO_MC_RANDOM_BLOCKS", "3"))
ROOT = Path(__file__).parents[3]
FILES = sorted(p for folder in ("seed", "history", "toys") for p in (ROOT / "models" / folder).glob("*.py"))


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


class Predicate:
    """An evaluator without a solver."""

    def __init__(self, name, kind, observations, predicate) -> None:
        self.property = Property(name, kind, None, "", Span("model.py", 1, 1, 1, 2), predicate, None)
        self.observations = observations
        self.formulas = ()
        self.predicate = predicate

    def decide(self, valuations):
        return [self.predicate(v) for v in valuations]


def evaluators_for(program: Program) -> list[Predicate]:
    """A few properties of any program, of every kind."""
    layout = layout_of(program)
    cells = range(min(3, layout.size))
    some = tuple(Observation(layout.names[c], c) for c in cells)
    edge = (
        Observation(layout.names[0], 0),
        Observation(layout.names[0], 0, None, True),
        Observation(layout.names[-1], layout.size - 1, None, True),
    )

    def ill(v):
        return Decision.VIOLATED if sum(v) % 4 == 3 else Decision.HOLDS

    def step(v):
        return Decision.VIOLATED if v[0] != v[1] and v[2] else Decision.HOLDS

    def witness(v):
        return Decision.HOLDS if sum(v) == 4 else Decision.UNKNOWN if sum(v) == 6 else Decision.VIOLATED

    return [
        Predicate("ill", "invariant", some, ill),
        Predicate("step", "step", edge, step),
        Predicate("seen", "reachable", some, witness),
    ]


def same(program, evaluators, budget=None, first=False, *, quick=(False,)) -> Exploration:
    """In optimised code, `quick`ly made code, or both."""
    expected = explore_reference(program, evaluators, budget, first=first)
    for one in quick:
        found = asking.native(program, evaluators, budget or Budget(), first=first, quick=one)
        assert replace(found, engine="reference") == expected
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_models(path: Path) -> None:
    """The first class of a file in optimised code, which takes longest to make; those that follow are much like it."""
    models = load_module(path, allow_empty=True).models
    runs = [(model, params) for model in models for params, _ in bindings_of(model, {})]
    for number, (model, params) in enumerate(runs):
        program = build(model, params).program
        evaluators = [property_evaluator(program, p).evaluator for p in program.properties if p.kind not in LIVENESS]
        same(program, evaluators, quick=(number > 0,))


def test_progress_is_the_reference_engines_affair() -> None:
    made = program([variable("a")], [straight(put(cell(0), 1))])
    ends = Predicate(
        "ends", "progress", (Observation("a", 0),), lambda v: Decision.HOLDS if v[0] else Decision.VIOLATED
    )
    with pytest.raises(Unsupported):
        asking.native(made, [ends])
    for engine in ("native", "auto"):
        told: list[str] = []
        assert explore(made, [ends], engine=engine, note=told.append) == explore_reference(made, [ends])
        sentence = "explored by the reference engine: `ends` is decided on the graph of all states"
        assert told == ([sentence] if engine == "native" else [])


@pytest.mark.parametrize("fixed", [0, 1])
def test_benchmark_small(fixed: int) -> None:
    model = load_module(ROOT / "benchmarks" / "diorace.py").models[0]
    for params in ({}, {"pages": 2}, {"readers": 2}):
        program = build(model, {**params, "fixed": fixed}).program
        same(program, [property_evaluator(program, p).evaluator for p in program.properties], quick=(True, False))


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.slow
def test_random_programs(block: int) -> None:
    """The counterexamples too, and searches with a limit. DIO_MC_RANDOM_BLOCKS=50 is 1,000 programs, every other one in
    quickly made code."""
    ran = 0
    for seed in range(block * 20, block * 20 + 20):
        program = random_program(seed)
        evaluators = evaluators_for(program)
        by = (seed % 2 == 1,)
        try:
            found = same(program, evaluators, quick=by)
        except Unsupported:
            continue
        ran += 1
        if found.states > 2:
            same(program, evaluators, Budget(max_states=found.states // 2), quick=by)
            same(program, evaluators, Budget(max_depth=found.depth // 2), quick=by)
            same(program, evaluators, first=True, quick=by)
    assert ran > 10


@pytest.mark.parametrize("limit", [1, 500, 20_000])
def test_more_initial_states_than_anybody_can_wait_for(limit: int) -> None:
    made = program([variable(f"v{n}", any_init=True) for n in range(12)], [straight(put(cell(0), 0))])
    same(made, evaluators_for(made), Budget(max_states=limit))


def test_faults_of_starts_are_told_when_all_starts_are_known() -> None:
    bad = check(less(load(0), 3), "below 3", line=5)
    body = template(block(bad, to=1), block(put(cell(0), 0), to=0, location=1))
    made = program([variable("a", any_init=True)], [body])
    assert len(same(made, []).violations) == 1
    assert not same(made, [], Budget(max_states=2)).violations


def test_auto_stays_on_the_interpreter_for_a_small_model() -> None:
    program = random_program(1)
    assert explore(program, evaluators_for(program)).engine == "reference"
    assert observation(program, "v").cell == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_every_stage_of_a_search_says_the_same(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the interpreter, in quick code, in optimised code; reduced or not; and told how many states there are."""
    model = load_module(ROOT / "benchmarks" / "diorace.py").models[0]
    program = build(model, {"readers": 2, "fixed": 0}).program
    evaluators = [property_evaluator(program, p).evaluator for p in program.properties]
    expected = explore_reference(program, evaluators)
    monkeypatch.setattr("dio_mc.engines.native.search.TOGETHER", 1)
    for switch, full, soon in ((50, 10**6, 10**6), (50, 100, 10**6), (50, 100, 100)):
        monkeypatch.setattr(choose, "SWITCH", switch)
        monkeypatch.setattr(choose, "FULL", full)
        monkeypatch.setattr(choose, "SOON", soon)
        whole = explore(program, evaluators, workers=workers)
        assert replace(whole, engine="reference") == expected
        reduced = explore(program, evaluators, workers=workers, reductions=Reductions())
        assert reduced.violations == expected.violations
        assert bool(reduced.reductions) == (full == 100)
        assert (reduced.states < expected.states) == (full == 100)
