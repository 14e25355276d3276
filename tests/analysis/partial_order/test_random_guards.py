"""On random programs of guarded steps: who waits for one value of a cell is independent of who changes the cell from
another value to another, and the reduced search still finds what there is."""

from random import Random

import pytest
from asking import explore_reference as explore
from ir_builder import (
    block,
    branch,
    cell,
    check,
    equal,
    evaluator,
    load,
    observation,
    program,
    put,
    template,
    variable,
    wait,
)

from dio_mc.analysis.partial_order.persistent import Refused, find_persistent_sets
from dio_mc.ir.expr import And, Expr, Not, Or
from dio_mc.ir.program import Program, Template

CELLS, VALUES, LENGTH = 4, 4, 4


def condition(random: Random) -> Expr:
    one, other = (equal(load(random.randrange(CELLS)), random.randrange(VALUES)) for _ in range(2))
    return random.choice([one, one, one, Not(one), And((one, other)), Or((one, other))])


def step(random: Random) -> list:
    """Mostly asks for a value and changes the same cell."""
    number = random.randrange(CELLS)
    guard = random.choice([condition(random), equal(load(number), random.randrange(VALUES))])
    ops = [wait(guard)] if random.random() < 0.8 else []
    ops += [put(cell(number), random.randrange(VALUES)) for _ in range(random.choice((1, 1, 1, 2)))]
    return [*ops, check(Not(condition(random)))] if random.random() < 0.15 else ops


def body(random: Random, name: str) -> Template:
    """Steps in a row, some of them with a branch to skip the next."""
    last = LENGTH - 1
    blocks = []
    for number in range(LENGTH):
        following = min(number + 2, last) if number < last else None
        to = branch(condition(random), number + 1, following) if following and random.random() < 0.3 else None
        to = to or (number + 1 if number < last else None)
        ops = step(random)
        blocks.append(block(*ops, to=to, location=number + 1) if to is not None else block(*ops, location=number + 1))
    return template(*blocks, name=name)


def made(seed: int) -> Program:
    random = Random(seed)
    bodies = [body(random, f"t{n}") for n in range(4)]
    return program([variable(f"v{n}", init=random.randrange(2)) for n in range(CELLS)], bodies)


@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_random_guards(first: int) -> None:
    saved = violated = stuck = 0
    for seed in range(first, first + 100):
        one = made(seed)
        seen = evaluator("never", lambda value, bad=seed % VALUES: value != bad, observation(one, "v0"))
        evaluators = [seen] if seed % 2 else []
        try:
            sets = find_persistent_sets(one, evaluators)
        except Refused:
            continue
        full, reduced = explore(one, evaluators), explore(one, evaluators, selection=sets)
        found = sorted(v.property for v in full.violations)
        assert sorted(v.property for v in reduced.violations) == found, seed
        assert reduced.coverage.fired == full.coverage.fired, seed
        saved += reduced.states < full.states
        violated += any(name != "deadlock" for name in found)
        stuck += "deadlock" in found
    assert min(saved, violated, stuck) >= 10
