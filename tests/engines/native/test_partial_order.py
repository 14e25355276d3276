"""Partial order in machine code against the reference engine: every number, on random programs and on shipped models;
with symmetry, where the engines name other representatives, every verdict."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import asking
import pytest
import random_independent
from asking import explore_reference
from ir_builder import cell, evaluator, observation, program, put, straight, variable

from dio_mc.analysis.partial_order.persistent import PersistentSets, Refused, find_persistent_sets
from dio_mc.analysis.symmetry.proof import find_symmetry
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.analysis.values.sets import Unsupported
from dio_mc.checking.expectations import bindings_of
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.search import Budget, Exploration
from dio_mc.symbolic.evaluator import property_evaluator

BLOCKS = int(os.environ.get("DIO_MC_RANDOM_BLOCKS", "3"))
ROOT = Path(__file__).parents[3]
FILES = sorted(p for folder in ("seed", "history", "toys") for p in (ROOT / "models" / folder).glob("*.py"))
LARGEST = 6000
"""States above which a program is left out."""


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def native(
    program: Program, evaluators: Sequence[PropertyEvaluator], sets: PersistentSets, workers: int = 1, **rest
) -> Exploration:
    return asking.native(program, evaluators, workers=workers, sets=sets, **rest)


def same(program: Program, evaluators: Sequence[PropertyEvaluator], **rest) -> Exploration | None:
    """The reduced search, the same on both engines; None where there is none."""
    try:
        sets = find_persistent_sets(program, evaluators)
        expected = explore_reference(program, evaluators, Budget(max_states=LARGEST), selection=sets)
        if expected.stopped is not None:
            return None
        found = native(program, evaluators, sets, **rest)
    except (Refused, Unsupported):
        return None
    assert replace(found, engine="reference") == expected
    assert found.reductions == ("partial order",)
    return found


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.slow
def test_random_programs(block: int) -> None:
    """The counterexamples too. DIO_MC_RANDOM_BLOCKS=50 is 1,000 programs, every third in optimised code."""
    compared = saved = 0
    for seed in range(block * 20, block * 20 + 20):
        made = random_independent.random_program(seed)
        found = same(made, random_independent.evaluators_of(made, seed), workers=1 + seed % 2, quick=seed % 3 > 0)
        compared += found is not None
        saved += found is not None and found.states < explore_reference(made, [], Budget(max_states=LARGEST)).states
    assert compared >= 12
    assert saved >= 8


@pytest.mark.parametrize("quick", [True, False])
def test_states_of_several_words(quick: bool) -> None:
    """Each thread writes a row of its own, three words in all; the one that is seen at the end has two ways to go."""
    rows = [
        straight(*(put(cell(n, page), 7) for page in range(12)), put(cell(4, n), 1), name=f"row{n}") for n in range(4)
    ]
    made = program([*(variable(f"page{n}", shape=(12,)) for n in range(4)), variable("done", shape=(4,))], rows)
    several = evaluator("several", lambda *done: sum(done) < 4, *(observation(made, f"done[{n}]") for n in range(4)))
    found = same(made, [several], quick=quick)
    assert found is not None
    assert (found.states, [v.property for v in found.violations]) == (48 + 16, ["several"])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_models(path: Path) -> None:
    """Reduced or refused: what a search of all states finds."""
    for model in load_module(path, allow_empty=True).models:
        for params, _ in bindings_of(model, {}):
            made = build(model, params).program
            evaluators = [property_evaluator(made, p).evaluator for p in made.properties]
            found = same(made, evaluators, quick=True)
            if found is not None:
                full = explore_reference(made, evaluators)
                assert verdicts(found) == verdicts(full)
                assert found.states <= full.states


def verdicts(found: Exploration) -> object:
    return sorted(v.property for v in found.violations), found.unknown, found.coverage


def test_with_symmetry_the_verdicts_are_those_of_all_states() -> None:
    compared = 0
    for seed in range(60):
        made = random_independent.random_program(seed)
        symmetry = find_symmetry(made)
        try:
            sets = find_persistent_sets(made, [])
            representatives = Representatives(made, symmetry)
            full = explore_reference(made, [], Budget(max_states=LARGEST))
            if not representatives.plan.symmetry or full.stopped is not None:
                continue
            found = asking.native(made, [], representatives=representatives, sets=sets, quick=True)
        except (Refused, Unsupported):
            continue
        assert found.reductions == ("symmetry", "partial order")
        assert verdicts(found) == verdicts(full)
        compared += 1
    assert compared >= 5
