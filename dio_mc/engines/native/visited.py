"""The visited set: one hash table for all workers of a search, and the rule by which it grows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from dio_mc.engines.native.context import SLACK
from dio_mc.engines.native.memory import Region
from dio_mc.engines.native.module import Module
from dio_mc.memory import RESERVE, available_bytes

LEAPS: Final = (1 << 21, 1 << 25, 1 << 27)
"""The first sizes in bytes. A table begins with one huge page, which is cleared as a whole anyway.
The next steps are large, because rehashing a state takes longer than clearing memory for it. From
the last size on, tables grow by a quarter."""
LOAD: Final = 0.75
"""The load factor at which a table grows."""
ALONE: Final = 1 << 17
"""Ranges of fewer slots are rehashed by one worker, because waking the others takes longer."""
MARGIN: Final = SLACK
"""A distance from the home slot that hardly any state exceeds. The few states beyond it are set
aside during a rehash."""
Stretch = tuple[int, int]
"""A range of slots: the first, and one past the last."""


class Visited:
    """The memory of the table, and its current number of home slots (`slots`).

    It begins with `first` bytes (None: the first of `LEAPS`) and never exceeds `space`. A bit-state
    table is `fixed`: it never grows.
    """

    def __init__(self, module: Module, space: int, first: int | None = None) -> None:
        approximate = module.approximate
        self.region, self._space = Region(space), space
        self.fixed = approximate is not None and approximate.storage == "bitstate"
        self._entry = 8 * (module.packing.words if approximate is None else 1)
        self.slots = (LEAPS[0] if first is None else first) // self._entry
        if approximate is not None and self.fixed:
            self.slots = max(min(approximate.memory, space) // 8, 1)

    @property
    def most(self) -> int:
        """The number of states at which it must grow."""
        return int(self.slots * LOAD)

    def enlarge(self) -> None:
        """Set the next larger number of home slots; the caller rehashes. Raises `MemoryError` if
        there is no memory for them."""
        leaps = (size // self._entry for size in LEAPS)
        a_quarter_more = self.slots + self.slots // 4
        leap = next((slots for slots in leaps if slots > self.slots), a_quarter_more)
        larger = next(filter(self._fits, (leap, a_quarter_more)), None)
        if larger is None:
            raise MemoryError("no memory for a larger table")
        self.slots = larger

    def _fits(self, slots: int) -> bool:
        within = (slots + SLACK) * self._entry <= self._space
        return within and (slots - self.slots) * self._entry <= available_bytes() - RESERVE

    def close(self) -> None:
        """Free the table."""
        self.region.close()


def stretches(before: int, after: int, workers: int) -> Iterator[tuple[Stretch, ...]]:
    """The order of an in-place rehash from `before` to `after` home slots: ranges of slots from the
    top down.

    The ranges of one tuple are rehashed by workers in parallel. Their states move to slots above
    every range that has not been rehashed before, so no worker moves states into a range that is
    being read. The states of the last range may move within it, so it is left to one worker.
    """
    above = before + SLACK
    while workers > 1:
        below = above * before // after + MARGIN
        if above - below < ALONE:
            break
        cuts = [below + (above - below) * n // workers for n in range(workers + 1)]
        yield tuple(pairwise(cuts))
        above = below
    yield ((0, above),)
