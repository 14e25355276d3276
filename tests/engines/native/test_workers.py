"""Several workers share one table and the states of a level: the answer is that of one worker; so is that with a memory
of recent states too small to be of use."""

import ctypes
import re
from dataclasses import replace
from pathlib import Path
from threading import Thread

import asking
import pytest
from asking import explore_reference as explore
from asking import prepare, search_of, searched
from ir_builder import cell, program, put, straight, variable
from random_programs import random_program

from dio_mc.engines.limits import Limits
from dio_mc.engines.native import machine
from dio_mc.engines.native.context import DONE, GROW, HALTED
from dio_mc.engines.native.probing import BUSY
from dio_mc.engines.native.worker import Worker
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import LIVENESS, Program
from dio_mc.semantics.search import Budget, Exploration
from dio_mc.symbolic.evaluator import property_evaluator

ROOT = Path(__file__).parents[3]
MODELS = ["models/seed/ext3_2_6_18.py", "models/toys/philosophers.py", "models/history/r05_refill_behind_dio_write.py"]


@pytest.fixture(autouse=True)
def _soon_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of two states, and no level is too small for several workers."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent))
    monkeypatch.setattr("dio_mc.engines.native.chunks.CHUNK", 2)
    monkeypatch.setattr("dio_mc.engines.native.search.TOGETHER", 1)


def native(program: Program, evaluators, workers: int) -> Exploration:
    found = asking.native(program, evaluators, workers=workers)
    return replace(found, engine="reference")


def programs(path: str) -> list[Program]:
    models = load_module(ROOT / path, allow_empty=True).models
    return [build(model, {}).program for model in models]


@pytest.mark.parametrize("path", MODELS)
def test_any_number_of_workers_on_models(path: str) -> None:
    for made in programs(path):
        evaluators = [property_evaluator(made, p).evaluator for p in made.properties if p.kind not in LIVENESS]
        expected = explore(made, evaluators)
        assert expected.states > 8
        for workers in (2, 3, 5):
            assert native(made, evaluators, workers) == expected


@pytest.mark.parametrize("seed", range(40))
def test_any_number_of_workers_on_random_programs(seed: int) -> None:
    program = random_program(seed)
    expected = explore(program, [], Budget(max_states=3000))
    if expected.stopped is None:
        for workers in (2, 7):
            assert native(program, [], workers) == expected


@pytest.mark.parametrize("path", MODELS)
def test_a_memory_of_eight_recent_states(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dio_mc.engines.native.context.RECENT", 8 * 8)
    for made in programs(path):
        assert native(made, [], 1) == native(made, [], 2) == explore(made, [])


def counters(threads: int, cells: int) -> Program:
    """So many threads, each counts its own cells up to 9 in order: a grid, most states of which are found again."""
    bodies = [
        straight(*[put(cell(t * cells + n), value) for n in range(cells) for value in (3, 9)], name=f"t{t}")
        for t in range(threads)
    ]
    return program([variable(f"v{n}") for n in range(threads * cells)], bodies)


@pytest.mark.parametrize(("threads", "cells", "words"), [(4, 3, 1), (4, 4, 2), (3, 11, 3), (2, 50, 7)])
def test_no_state_is_taken_in_twice_and_none_is_lost(threads: int, cells: int, words: int) -> None:
    """Both workers come upon the same states all the time; several words are written while others may read."""
    made = counters(threads, cells)
    prepared = prepare(made, [])
    assert prepared.module.packing.words == words
    for _ in range(5):
        found = searched(prepared, Limits(Budget()), workers=2)
        assert found.states == (2 * cells + 1) ** threads
        assert found.transitions == threads * 2 * cells * (2 * cells + 1) ** (threads - 1)


def test_who_meets_a_state_that_is_being_written_waits_for_it() -> None:
    made = counters(2, 50)
    prepared = prepare(made, [])
    found = search_of(prepared, Limits(Budget()), workers=2)
    first, second = found.workers
    (state,) = map(prepared.module.packing.encode, prepared.interpreter.starting())
    assert first.insert([state]) == 0
    table = (ctypes.c_uint64 * (found.visited.slots * first.words)).from_address(found.visited.region.address)
    place = next(n for n in range(0, len(table), first.words) if table[n])
    table[place] = BUSY
    waiting = Thread(target=second.insert, args=([state],))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    table[place] = state[0]
    waiting.join()
    assert (first.get("count"), second.get("count")) == (1, 0)
    found.close()


RIVAL = """
  %rival.first = load i64, ptr @rival
  store i64 %rival.first, ptr {place}
  store i64 0, ptr @rival
"""
"""Just before a place is claimed, another worker writes the word at ``@rival`` there, once."""


def test_who_loses_a_place_to_another_looks_further(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = machine.object_code

    def raced(text: str, *, quick: bool) -> bytes:
        head, tail = text.split("@insert(ptr %ctx, i64 %from", 1)
        claim = re.search(r"^.* = cmpxchg ptr (%\S+), i64 0.*$", tail, re.MULTILINE)
        assert claim is not None
        tail = tail[: claim.start()] + RIVAL.format(place=claim[1]) + tail[claim.start() :]
        return whole(f"@rival = global i64 77\n{head}@insert(ptr %ctx, i64 %from{tail}", quick=quick)

    monkeypatch.setattr(machine, "object_code", raced)
    prepared = prepare(counters(2, 3), [])
    assert prepared.module.packing.words == 1
    found = search_of(prepared, Limits(Budget()), workers=2)
    (first, *_) = found.workers
    for _ in range(2):
        assert first.insert([[5]]) == 0
        assert first.get("count") == 1
    table = (ctypes.c_uint64 * found.visited.slots).from_address(found.visited.region.address)
    assert sorted(word for word in table if word) == [5, 77]
    found.close()


def test_all_parts_of_a_level_are_taken_once() -> None:
    """Chunks of two: by one worker from all parts, its own first; what two take does not overlap."""
    made = counters(2, 2)
    prepared = prepare(made, [])
    found = search_of(prepared, Limits(Budget()), workers=2)
    one, other = found.workers
    one.insert([prepared.module.packing.encode(state) for state in prepared.interpreter.starting()])
    chunks = found.chunks
    chunks.share([(0, 1), (0, 0)])
    assert chunks.taken == 0
    for number, worker in enumerate(found.workers):
        worker.set(part=number, parts_left=2, most=100)
    assert other.expand() == DONE
    assert (other.get("count"), one.get("count"), one.expand()) == (2, 1, DONE)
    assert (chunks.taken, other.get("transitions"), one.get("transitions")) == (1, 2, 0)
    found.close()


def test_who_comes_back_early_has_all_come_back() -> None:
    made = counters(2, 2)
    prepared = prepare(made, [])
    found = search_of(prepared, Limits(Budget()), workers=2)
    one, other = found.workers
    one.insert([prepared.module.packing.encode(state) for state in prepared.interpreter.starting()])
    found.chunks.share([(0, 1), (0, 0)])
    for number, worker in enumerate(found.workers):
        worker.set(part=number, parts_left=2, most=1)
    assert (one.expand(), other.expand()) == (GROW, HALTED)
    assert found.chunks.taken == 0
    found.chunks.halt(whether=False)
    one.set(most=100)
    assert (one.expand(), other.expand()) == (DONE, DONE)
    found.close()


class Impatient(Limits):
    """Time is up at the n-th look at the clock."""

    def __init__(self, looks: int) -> None:
        super().__init__(Budget())
        self._left = looks

    def exceeded(self) -> str | None:
        self._left -= 1
        return "--timeout 1" if self._left < 0 else None


@pytest.mark.parametrize("looks", [1, 2, 9])
def test_what_is_left_open_when_the_time_is_up(looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found are all that were expanded, what lies after these, and nothing else."""
    monkeypatch.setattr("dio_mc.engines.native.search.STRETCH", 5)
    made = counters(2, 3)
    for workers in (1, 2):
        prepared = prepare(made, [])
        found = search_of(prepared, Impatient(looks), workers=workers)
        found.run()
        assert str(found.stopped) == "--timeout 1"
        assert found.expanded + found.open == found.states == sum(b - a for level in found.levels for a, b in level)
        known = {w.state(n) for w in found.workers for n in range(w.get("end"))}
        assert len(known) == found.states
        steps = [len(prepared.interpreter.successors(prepared.module.packing.decode(state))) for state in known]
        assert found.transitions <= sum(steps)
        found.close()


def test_no_memory_for_a_larger_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dio_mc.engines.native.visited.LEAPS", (1 << 13,))
    monkeypatch.setattr("dio_mc.engines.native.visited.available_bytes", lambda: 0)
    for workers in (1, 2):
        found = searched(prepare(counters(3, 8), []), Limits(Budget()), workers=workers)
        assert str(found.stopped) == "out of memory"
        assert 0 < found.open < found.states < 1 << 10


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_no_address_space_for_more_states(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the array of any one worker, however many states the table could take."""
    monkeypatch.setattr(Worker, "capacity", property(lambda worker: 500, lambda worker, most: None), raising=False)
    prepared = prepare(counters(3, 8), [])
    found = search_of(prepared, Limits(Budget()), workers=workers)
    found.run()
    assert str(found.stopped) == "out of memory"
    assert all(worker.get("end") <= 500 for worker in found.workers)
    assert found.expanded + found.open == found.states > 200
    found.close()
