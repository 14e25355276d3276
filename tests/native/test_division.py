"""Several workers: each state has one owner, and the answer is that of one worker; so is that with a memory of recent
states too small to be of use."""

from dataclasses import replace
from pathlib import Path

import pytest
from random_programs import random_program

from dio_mc import engines
from dio_mc.explore.limits import Limits
from dio_mc.explore.reference import explore
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import LIVENESS, Program
from dio_mc.native.division import ENOUGH, PARTS, parts_of, share_out
from dio_mc.native.facts import find_facts
from dio_mc.native.packing import pack
from dio_mc.semantics.contract import Budget, Exploration
from dio_mc.semantics.layout import layout_of
from dio_mc.symbolic.judge import judge_property

ROOT = Path(__file__).parents[2]
MODELS = ["models/seed/ext3_2_6_18.py", "models/toys/philosophers.py", "models/history/r05_refill_behind_dio_write.py"]


@pytest.fixture(autouse=True)
def _divide_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("dio_mc.native.engine.SAMPLE", 8)


def native(program: Program, judges, workers: int) -> Exploration:
    found = engines.native(program, judges, Limits(Budget()), None, False, workers)
    return replace(found, engine="reference")


def programs(path: str) -> list[Program]:
    models = load_module(ROOT / path, allow_empty=True).models
    return [build(model, {}).program for model in models]


@pytest.mark.parametrize("path", MODELS)
def test_any_number_of_workers_on_models(path: str) -> None:
    for program in programs(path):
        judges = [judge_property(program, p).judge for p in program.properties if p.kind not in LIVENESS]
        expected = explore(program, judges)
        assert expected.states > 8
        for workers in (2, 3, 5):
            assert native(program, judges, workers) == expected


@pytest.mark.parametrize("seed", range(40))
def test_any_number_of_workers_on_random_programs(seed: int) -> None:
    program = random_program(seed)
    expected = explore(program, [], Budget(max_states=3000))
    if expected.stopped is None:
        for workers in (2, 7):
            assert native(program, [], workers) == expected


@pytest.mark.parametrize("path", MODELS)
def test_a_memory_of_eight_recent_states(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dio_mc.native.context.RECENT", 8 * 8)
    for program in programs(path):
        assert native(program, [], 1) == native(program, [], 2) == explore(program, [])


def test_parts_are_control_states_or_else_hashes() -> None:
    seed = programs(MODELS[0])[0]
    layout = layout_of(seed)
    packing = pack(seed, layout, find_facts(seed, layout))
    assert ENOUGH <= parts_of(packing) <= PARTS
    without = replace(packing, fields={key: field for key, field in packing.fields.items() if key[0] == "cell"})
    assert parts_of(without) == PARTS


def test_the_largest_part_first_to_whoever_has_least() -> None:
    division = share_out([5, 0, 9, 4, 1, 0], 2)
    assert division.workers == 2
    assert division.owners == (1, 1, 0, 1, 0, 1)  # 9 + 1 against 5 + 4; parts not seen in turn


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_shares_are_even_where_parts_are_many(workers: int) -> None:
    counts = [(37 * n) % 101 for n in range(400)]
    owners = share_out(counts, workers).owners
    shares = [sum(c for c, o in zip(counts, owners, strict=True) if o == w) for w in range(workers)]
    assert max(shares) <= 1.02 * sum(counts) / workers
