"""The smallest conditions that tell two tables apart, against every condition that there is."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import combinations, product

import pytest

from dio_mc.mutation.columns import Row
from dio_mc.mutation.distinguishing import Condition, distinguishing, holds_in


def every_condition(here: list[Row], there: list[Row], width: int, largest: int) -> list[Condition]:
    """By trying all of them, from the definition."""
    found: list[Condition] = []
    for size in range(1, largest + 1):
        for columns in combinations(range(width), size):
            for values in product(range(3), repeat=size):
                one = tuple(zip(columns, values, strict=True))
                smaller = any(set(known) <= set(one) for known in found)
                if any(holds_in(one, r) for r in here) and not any(holds_in(one, r) for r in there) and not smaller:
                    found.append(one)
    return found


def in_order(conditions: Iterable[Condition]) -> list[Condition]:
    return sorted(conditions, key=lambda one: (len(one), one))


@pytest.mark.parametrize("seed", range(30))
def test_against_all_conditions(seed: int) -> None:
    rng = random.Random(seed)
    width = rng.randint(1, 5)
    rows = [tuple(rng.randint(0, 2) for _ in range(width)) for _ in range(rng.randint(2, 24))]
    cut = rng.randint(0, len(rows))
    here, there = rows[:cut], rows[cut:]
    found = list(distinguishing(here, there))
    assert [len(one) for one in found] == sorted(len(one) for one in found)
    assert in_order(found) == in_order(every_condition(here, there, width, 3))


def test_no_condition_for_the_same_rows() -> None:
    assert list(distinguishing([(0, 1), (1, 0)], [(1, 0), (0, 1), (1, 1)])) == []


def test_a_larger_condition_is_not_looked_for() -> None:
    there = [row for row in product(range(2), repeat=4) if row != (1, 1, 1, 1)]
    assert list(distinguishing([(1, 1, 1, 1)], there)) == []
    assert list(distinguishing([(1, 1, 1, 1)], there, 4)) == [((0, 1), (1, 1), (2, 1), (3, 1))]
