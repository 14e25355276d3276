"""Walks against the interpreter, and what follows them against a full check."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from asking import explore_reference as explore
from random_programs import random_program

from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.semantics.search import Budget
from dio_mc.stepping.rest import continuations
from dio_mc.stepping.script import parse
from dio_mc.stepping.walk import Refused, Walk, begin, follow
from dio_mc.symbolic.evaluator import property_evaluator

ROOT = Path(__file__).resolve().parents[2]


def program(file: str, name: str) -> Program:
    return build(next(c for c in load_module(ROOT / "models" / file).models if c.__name__ == name)).program


def last(walk: Walk, text: str) -> Walk:
    return [walk, *follow(walk, parse(text))][-1]


def at_random(program: Program, random: Random, most: int) -> Walk:
    walk = begin(program)
    for _ in range(random.randrange(most)):
        if not walk.options:
            break
        walk = walk.taken(random.choice(walk.options))
    return walk


@pytest.mark.parametrize("seed", range(40))
def test_a_schedule_can_be_said_and_followed_again(seed: int) -> None:
    random = Random(seed)
    found = random_program(seed)
    if not begin_or_none(found):
        return
    walk = at_random(found, random, 12)
    again = last(begin(found), walk.spelled())
    assert (again.states, again.steps) == (walk.states, walk.steps)
    while walk.steps:
        walk = walk.undone()
    assert walk.states == begin(found).states


def begin_or_none(found: Program) -> Walk | None:
    try:
        return begin(found)
    except Refused:
        return None


@pytest.mark.parametrize(
    ("file", "name"),
    [("seed/ext3_2_6_18.py", "Ext3"), ("seed/placeholder.py", "Placeholder"), ("toys/philosophers.py", "Philosophers"),
     ("toys/peterson.py", "Peterson"), ("history/r41_endless_truncate.py", "EndlessTruncate")],
)  # fmt: skip
def test_what_follows_the_start_is_everything(file: str, name: str) -> None:
    models = {c.__name__: c for c in load_module(ROOT / "models" / file).models}
    found = build(models.get(name) or next(iter(models.values()))).program
    evaluators = [property_evaluator(found, p).evaluator for p in found.properties]
    whole, rest = explore(found, evaluators), continuations(begin(found), evaluators, Budget())
    assert (rest.states, rest.transitions, rest.violations) == (whole.states, whole.transitions, whole.violations)


@pytest.mark.parametrize("seed", range(12))
def test_what_follows_a_walk_begins_with_it_and_is_as_short_as_can_be(seed: int) -> None:
    random = Random(seed)
    found = program("seed/ext3_2_6_18.py", "Ext3")
    evaluators = [property_evaluator(found, p).evaluator for p in found.properties]
    walk = at_random(found, random, 14)
    taken = tuple(step.action for step in walk.steps)
    from_start = {v.property: len(v.schedule) for v in explore(found, evaluators).violations}
    for violation in continuations(walk, evaluators, Budget()).violations:
        assert violation.schedule[: len(taken)] == taken
        assert len(violation.schedule) >= from_start[violation.property]
    on_the_way = explore(found, evaluators).violations[0].schedule
    walk = begin(found)
    for action in on_the_way[: seed % len(on_the_way)]:
        walk = walk.taken(next(s for s in walk.options if s.action == action))
    rest = continuations(walk, evaluators, Budget()).violations[0]
    assert len(rest.schedule) == len(on_the_way)


REFUSALS = [
    ("nobody", "no thread `nobody`; there are: reader, mapper, pdflush"),
    ("reader 2-3", "step 2 of reader cannot be next: the next step is 1"),
    ("pdflush", "step 1: pdflush cannot run: it waits at wait_until(dirty[index]); page_lock[index].lock()"),
    ("start 2", "there is no initial state 2: the model has 1 initial state"),
    ("reader:2", "step 1: reader has one alternative, not 2"),
    ("reader until frobnicate", "step 9: reader has ended"),
    ("reader *; reader", "step 9: reader has ended"),
]


@pytest.mark.parametrize(("text", "message"), REFUSALS)
def test_what_is_not_possible(text: str, message: str) -> None:
    with pytest.raises(Refused) as found:
        last(begin(program("seed/ext3_2_6_18.py", "Ext3")), text)
    assert str(found.value) == message


def test_until_stops_before_the_step() -> None:
    walk = last(begin(program("seed/ext3_2_6_18.py", "Ext3")), "reader until ext3_get_block")
    assert len(walk.steps) == 4
    assert len(last(walk, "reader until ext3_get_block").steps) == 4
