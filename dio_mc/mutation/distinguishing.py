"""The smallest conditions that are true in some row of one table and in no row of another.

A condition is a conjunction of answers ``column == value``. The rows of a table in which an answer
occurs are a bit set (an integer), so that a conjunction is an ``and`` of integers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from dio_mc.mutation.columns import Row

Answer = tuple[int, int]
"""A column, by its position, and a value."""
Condition = tuple[Answer, ...]
LARGEST: Final = 3
"""The largest number of answers in a condition."""


def distinguishing(here: Collection[Row], there: Collection[Row], largest: int = LARGEST) -> Iterator[Condition]:
    """The conditions that hold in a row of `here` and in no row of `there`, smaller ones first,
    then in the order of columns. No condition contains a smaller one of the result."""
    common = set(there)
    search = _Search(_bits([row for row in here if row not in common]), _bits(there))
    for size in range(1, largest + 1):
        yield from search.of_size(size)


class _Search:
    def __init__(self, here: dict[Answer, int], there: dict[Answer, int]) -> None:
        self.answers = sorted(here)
        self.here, self.there = [here[a] for a in self.answers], [there.get(a, 0) for a in self.answers]
        self.found: list[frozenset[Answer]] = []

    def of_size(self, size: int) -> Iterator[Condition]:
        """The conditions of this size that contain none of those found before."""
        for chosen in self._extended((), -1, -1, 0, size):
            if not any(known <= frozenset(chosen) for known in self.found):
                self.found.append(frozenset(chosen))
                yield chosen

    def _extended(self, chosen: Condition, here: int, there: int, start: int, left: int) -> Iterator[Condition]:
        """`here` and `there` are the rows in which the chosen answers hold; -1 stands for all
        rows."""
        for number in range(start, len(self.answers)):
            both, others = here & self.here[number], there & self.there[number]
            if not both or (left > 1 and not others):  # no row is left, or a smaller condition is already enough
                continue
            further = (*chosen, self.answers[number])
            if left > 1:
                yield from self._extended(further, both, others, number + 1, left - 1)
            elif not others:
                yield further


def _bits(rows: Collection[Row]) -> dict[Answer, int]:
    found: dict[Answer, int] = {}
    for number, row in enumerate(rows):
        for answer in enumerate(row):
            found[answer] = found.get(answer, 0) | 1 << number
    return found


def holds_in(condition: Condition, row: Row) -> bool:
    """Whether all answers of a condition hold in a row."""
    return all(row[column] == value for column, value in condition)
