"""Tables that grow, by every factor that there is, lose no state."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import asking
import pytest
from asking import explore_reference as explore
from asking import prepare, search_of
from ir_builder import cell, program, put, straight, variable

from dio_mc.engines.limits import Limits
from dio_mc.engines.native.context import SLACK
from dio_mc.engines.native.visited import Visited, stretches
from dio_mc.engines.native.worker import Worker
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.memory import RESERVE
from dio_mc.semantics.search import Budget, Exploration

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "diorace.py"


@pytest.fixture
def grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[float]:
    """By which factors tables have grown; they begin small."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent))
    monkeypatch.setattr("dio_mc.engines.native.visited.LEAPS", (1 << 14, 1 << 17, 1 << 18))
    monkeypatch.setattr("dio_mc.engines.native.visited.ALONE", 1 << 6)
    factors, grow = set[float](), Visited.enlarge

    def noted(visited: Visited) -> None:
        before = visited.slots
        grow(visited)
        factors.add(round(visited.slots / before, 2))

    monkeypatch.setattr(Visited, "enlarge", noted)
    return factors


@cache
def benchmark() -> Program:
    return build(load_module(BENCHMARK).models[0], {"pages": 2, "readers": 2}).program


@cache
def long() -> Program:
    """Two threads, each writes its 180 cells in order."""
    halves = [straight(*[put(cell(n), 9) for n in range(first, first + 180)], name=f"t{first}") for first in (0, 180)]
    return program([variable(f"v{n}") for n in range(360)], halves)


@cache
def expected(made: Callable[[], Program]) -> Exploration:
    return explore(made(), [])


def same(made: Callable[[], Program], workers: int) -> None:
    found = asking.native(made(), [], workers=workers)
    assert replace(found, engine="reference") == expected(made)
    assert found.states > 20_000


@pytest.mark.parametrize("workers", [1, 2])
def test_states_of_one_word(grown: set[float], workers: int) -> None:
    same(benchmark, workers)
    assert grown == {8, 2, 1.25}


@pytest.mark.parametrize("workers", [2, 3])
def test_states_that_are_too_far_from_home(grown: set[float], workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a margin the worker of the lowest stretch has some that belong to where others have not been; that of the
    uppermost has none, and sets all aside for once."""
    monkeypatch.setattr("dio_mc.engines.native.visited.MARGIN", 0)
    rehash, insert_overflow, set_aside = Worker.rehash, Worker.insert_overflow, list[int]()

    def cautious(worker: Worker, stretch: tuple[int, int], least: int) -> int:
        assert stretch[0] == 0 or least >= stretch[1]
        return rehash(worker, stretch, least if stretch[1] < least else 1 << 40)

    def noted(worker: Worker) -> int:
        set_aside.append(worker.get("overflow_length"))
        return insert_overflow(worker)

    monkeypatch.setattr(Worker, "rehash", cautious)
    monkeypatch.setattr(Worker, "insert_overflow", noted)
    same(benchmark, workers)
    assert any(set_aside[::workers])
    assert any(set_aside[workers - 1 :: workers])


def test_what_was_set_aside_is_put_back_once(grown: set[float]) -> None:
    halves = [straight(*[put(cell(n), 9) for n in range(first, first + 3)], name=f"t{first}") for first in (0, 3)]
    prepared = prepare(program([variable(f"v{n}") for n in range(6)], halves), [])
    search = search_of(prepared, Limits(Budget()))
    search.run()
    (worker,) = search.workers
    everything = (0, search.visited.slots + SLACK)
    for least, left in ((everything[1], 16), (0, 0)):
        assert worker.rehash(everything, least) == 0
        assert worker.get("overflow_length") >= left
        assert worker.insert_overflow() == worker.get("overflow_length") == 0
        assert worker.insert([worker.state(number) for number in range(16)]) == 0
        assert worker.get("count") == worker.get("end") == 16
    search.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_states_of_several_words(grown: set[float], workers: int) -> None:
    same(long, workers)
    assert grown == {8, 2, 1.25}


@pytest.mark.parametrize(("before", "after"), [(1 << 18, 1 << 21), (1 << 22, 1 << 23), (1 << 24, 5 << 22)])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_place_is_in_one_stretch_and_stretches_side_by_side_leave_for_others(
    before: int, after: int, workers: int
) -> None:
    told = list(stretches(before, after, workers))
    places = [stretch for side_by_side in told for stretch in reversed(side_by_side)]
    assert places[0][1] == before + SLACK
    assert [first for first, _ in places] == [*[behind for _, behind in places[1:]], 0]
    assert (len(told) > 1) == (workers > 1)
    for side_by_side in told[:-1]:
        assert len(side_by_side) == workers
        lowest = side_by_side[0][0] - SLACK  # the home place of whoever is furthest from it
        assert lowest * after // before >= side_by_side[-1][1] - after // before


def test_who_has_no_memory_to_leap_takes_a_step(grown: set[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as there is memory for that."""
    monkeypatch.setattr("dio_mc.engines.native.visited.LEAPS", (1 << 14, 1 << 20))
    monkeypatch.setattr("dio_mc.engines.native.visited.available_bytes", lambda: RESERVE + (1 << 19))
    same(benchmark, 1)
    assert grown == {1.25}
