"""States of many words and programs of many threads, in machine code: the reference engine's numbers and schedules."""

from dataclasses import replace
from pathlib import Path

import asking
import pytest
from asking import explore_reference as explore
from ir_builder import (
    block,
    cell,
    evaluator,
    less,
    load,
    number,
    observation,
    plus,
    program,
    put,
    straight,
    template,
    variable,
    wait,
)

from dio_mc.analysis.values.facts import find_facts
from dio_mc.engines.native.packing import pack
from dio_mc.ir.program import Program
from dio_mc.ir.types import RangeType
from dio_mc.semantics.layout import layout_of
from dio_mc.semantics.search import Exploration

COUNT = RangeType(0, 40)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent))


def words(made: Program) -> int:
    layout = layout_of(made)
    return pack(made, layout, find_facts(made, layout)).words


def same(made: Program, evaluators=(), workers: int = 1) -> Exploration:
    expected = explore(made, evaluators)
    found = asking.native(made, evaluators, workers=workers, quick=workers == 1)
    assert replace(found, engine="reference") == expected
    return found


def chain(cells: int, each: int) -> Program:
    """Two threads, each writes half of so many cells, one after another, values up to `each`."""
    half = cells // 2
    halves = [
        straight(*[put(cell(n), each) for n in range(first, first + half)], name=f"t{first}") for first in (0, half)
    ]
    return program([variable(f"v{n}") for n in range(cells)], halves)


@pytest.mark.parametrize(("cells", "each", "expected"), [(50, 1, 1), (60, 1, 2), (120, 1, 3), (80, 9, 6)])
@pytest.mark.parametrize("workers", [1, 2])
def test_states_of_several_words(cells: int, each: int, expected: int, workers: int) -> None:
    made = chain(cells, each)
    assert words(made) == expected
    last = evaluator("both", lambda a, b: not (a and b), observation(made, "v0"), observation(made, f"v{cells - 1}"))
    found = same(made, [last], workers)
    assert found.states == (cells // 2 + 1) ** 2
    assert [len(violation.schedule) for violation in found.violations] == [cells // 2 + 1]


@pytest.mark.slow
def test_more_than_300_bits() -> None:
    made = chain(300, 1)
    assert words(made) * 64 > 300
    seen = evaluator("end", lambda a, b: not (a and b), observation(made, "v149"), observation(made, "v299"))
    found = same(made, [seen])
    assert (found.states, found.depth) == (151 * 151, 300)


def walkers(threads: int, apart: int) -> Program:
    """Threads that may start one after another, each when all but `apart` of those before it have gone."""
    gone = load(0, type_=COUNT)
    bodies = [
        template(
            block(wait(less(number(max(mine - apart, -1)), gone)), put(cell(1), 0), to=1, location=1),
            block(put(cell(0, type_=COUNT), plus(gone, 1)), location=2),
            name=f"walker{mine}",
        )
        for mine in range(threads)
    ]
    return program([variable("gone", COUNT), variable("a")], bodies)


@pytest.mark.parametrize("workers", [1, 2])
def test_40_threads(workers: int) -> None:
    made = walkers(40, 2)
    all_gone = evaluator("all gone", lambda gone: gone == 40, observation(made, "gone"), kind="reachable")
    found = same(made, [all_gone], workers)
    assert found.states > 1_000
    assert found.depth == 80
    assert [len(violation.schedule) for violation in found.violations] == [80]
    assert len({action.thread for action in found.violations[0].schedule}) == 40
