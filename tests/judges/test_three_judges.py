"""A sample of all pairs and triples, on which the three judges agree; ``python -m tests.judges`` compares all."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

import pytest

from dio_mc.semantics.interpreter import Interpreter
from dio_mc.study import tags
from dio_mc.study.observe import Observation
from dio_mc.study.registry import open_registry, together

from . import comparing
from .campaign import load, products, run
from .comparing import Compared, compare, programs
from .remembering import Known, Remembering, pack, unpack

SHELF = open_registry()
EVERY = 20
"""Of the pairs, under each rule, one in so many is compared."""


@pytest.mark.parametrize("name", SHELF.rules)
def test_pairs(name: str) -> None:
    rule, found = SHELF.rules[name], Compared()
    groups = list(combinations_with_replacement(SHELF.operations, 2))
    for operations in groups[list(SHELF.rules).index(name) % EVERY :: EVERY]:
        if not rule.unsupported & set(operations):
            found.add(compare(together(SHELF, operations), rule))
    assert found.differences == []
    assert found.verdicts["ok"] > 0


TRIPLES = (
    ("generic_2005", ("read", "direct_write", "mmap_store")),
    ("placeholder", ("read", "direct_write", "direct_write")),
    ("generic_2005", ("read", "read", "direct_write")),
    ("placeholder", ("read", "read", "mmap_store")),
    ("ext3_2_6_18", ("aio_write", "mmap_store", "mmap_store")),
)


def test_triples_that_race() -> None:
    found = Compared()
    for rule, operations in TRIPLES:
        found.add(compare(together(SHELF, operations), SHELF.rules[rule]))
    assert found.differences == []
    assert min(found.verdicts[word] for word in ("stale", "lost", "ok")) > 0


def test_a_wrong_judge_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stale is said to be in order."""

    def too_kind(observation: Observation, initial: str) -> tags.Tagged:
        told = tags.tag(observation, initial)
        return replace(told, verdict="ok") if told.verdict == "stale" else told

    monkeypatch.setattr(comparing, "tag", too_kind)
    (rule, operations) = TRIPLES[2]
    assert compare(together(SHELF, operations), SHELF.rules[rule]).differences


def test_a_campaign_goes_on_where_it_stopped(tmp_path: Path) -> None:
    file, said = tmp_path / "state.json", list[str]()
    few = replace(
        SHELF, rules={"generic_2005": SHELF.rules["generic_2005"]}, operations=dict([*SHELF.operations.items()][:3])
    )
    first = load(file, 7, 1)
    run(first, few, seconds=0, file=file, tell=said.append)
    assert (first.products, file.exists()) == (0, True)
    run(load(file, 8, 2), few, seconds=1000, file=file, tell=said.append)
    done = load(file, 8, 2)
    assert (done.seed, done.size, done.products, said) == (7, 1, 3, [])
    assert products(few, 1, 7) != products(few, 1, 8)
    assert done.verdicts.keys() == {"ok"}


@pytest.mark.parametrize(("rule", "operations"), [*TRIPLES[:1], ("invalidate_lock", ("aio_write", "readahead")),
                                                  ("ext4_2016", ("write", "truncate"))])  # fmt: skip
def test_a_remembered_step_is_that_of_the_interpreter(rule: str, operations: tuple[str, ...]) -> None:
    remembering, told = None, 0
    for program in programs(together(SHELF, operations), SHELF.rules[rule]).values():
        interpreter = Interpreter(program)
        remembering = remembering or Remembering(interpreter)
        waiting = interpreter.initial()
        seen = set(waiting)
        while waiting:
            state = waiting.pop()
            steps = interpreter.successors(state)
            found = remembering.successors(pack(state))
            assert [None if packed is None else unpack(packed) for packed in found] == [step.state for step in steps]
            fresh = {step.state for step in steps if step.state is not None} - seen
            seen |= fresh
            waiting += fresh
            told += len(steps)
    assert remembering is not None
    assert 0 < remembering.runs < told / 2


def test_a_step_is_run_again_where_it_looks_at_more() -> None:
    known = Known()
    known.add(b"\x01\x02\x03", {0}, [((0, 5),)])
    assert known.effects.get(known.values(b"\x01\x09\x09")) == [((0, 5),)]
    known.add(b"\x02\x02\x03", {0, 1}, [((1, 6),)])
    assert known.effects.get(known.values(b"\x01\x02\x03")) is None
    assert known.effects.get(known.values(b"\x02\x02\x09")) == [((1, 6),)]
