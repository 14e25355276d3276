"""The visited set: one table for all workers of a search, and when it grows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from dio_mc.engines.native.context import SLACK
from dio_mc.engines.native.memory import Region
from dio_mc.engines.native.module import Module
from dio_mc.memory import RESERVE, available_bytes

LEAPS: Final = (1 << 21, 1 << 25, 1 << 27)
"""Bytes of a table that is small: at first one huge page, which is touched whole anyway, then so large that few states
are moved more than once: that takes longer than clearing memory. After that, tables grow by a quarter."""
LOAD: Final = 0.75
ALONE: Final = 1 << 17
"""Places from which it takes longer to call the others than to move the states."""
MARGIN: Final = SLACK
"""Places that nearly no state is further from home than; those that are have to be set aside."""
Stretch = tuple[int, int]
"""Places of the table: the first, and the one after the last."""


class Visited:
    """The memory of a table, and how many home places it has now. Of approximate storage, `fixed` is one that never
    grows. It begins with `first` bytes, or the first leap."""

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
        """States that it takes as it is."""
        return int(self.slots * LOAD)

    def enlarge(self) -> None:
        """Say how many home places there are from now on. Raises `MemoryError` where there is no memory for them."""
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
        """Give the memory back."""
        self.region.close()


def stretches(before: int, after: int, workers: int) -> Iterator[tuple[Stretch, ...]]:
    """How states are moved from so many home places to more, in place: the uppermost first, in stretches, those
    of each tuple by workers side by side. These leave for places above all that were not moved before; only what comes
    last is for one worker, who moves the states on their own stretch."""
    above = before + SLACK
    while workers > 1:
        below = above * before // after + MARGIN
        if above - below < ALONE:
            break
        cuts = [below + (above - below) * n // workers for n in range(workers + 1)]
        yield tuple(pairwise(cuts))
        above = below
    yield ((0, above),)
