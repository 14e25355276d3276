"""Tables that grow, by every factor that there is, lose no state."""

from dataclasses import replace
from pathlib import Path

import pytest
from ir_builder import cell, program, put, straight, variable

from dio_mc import engines
from dio_mc.explore.limits import Limits
from dio_mc.explore.reference import explore
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.native.visited import Visited
from dio_mc.semantics.contract import Budget

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "diorace.py"


@pytest.fixture
def grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[float]:
    """By which factors tables have grown; they begin small."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name, places in (("START", 1 << 9), ("LEAPED", 1 << 12), ("DOUBLED", 1 << 14)):
        monkeypatch.setattr(f"dio_mc.native.visited.{name}", places)
    factors, grow = set[float](), Visited.grow

    def noted(visited: Visited, context: int) -> None:
        before = visited.slots
        grow(visited, context)
        factors.add(visited.slots / before)

    monkeypatch.setattr(Visited, "grow", noted)
    return factors


def same(made: Program, workers: int) -> None:
    found = engines.native(made, [], Limits(Budget()), None, False, workers)
    assert replace(found, engine="reference") == explore(made, [])
    assert found.states > 20_000


@pytest.mark.parametrize("workers", [1, 2])
def test_states_of_one_word(grown: set[float], workers: int) -> None:
    same(build(load_module(BENCHMARK).models[0], {"pages": 2, "readers": 2}).program, workers)
    assert grown == {8, 2, 1.25}


def test_states_of_several_words(grown: set[float]) -> None:
    """Two threads, each writes its 150 cells in order."""
    halves = [straight(*[put(cell(n), 9) for n in range(first, first + 150)], name=f"t{first}") for first in (0, 150)]
    same(program([variable(f"v{n}") for n in range(300)], halves), 1)
    assert grown == {8, 2, 1.25}
