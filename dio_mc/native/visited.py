"""The visited set: one table for all workers of a search, and when it grows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from dio_mc.memory import RESERVE, available_bytes
from dio_mc.native.context import SLACK
from dio_mc.native.memory import Region
from dio_mc.native.module import Module

START: Final = 1 << 18
"""Home places of a new table: for states of one word they are one huge page, which is touched whole anyway."""
LEAPED: Final = 1 << 21
"""Up to so many home places a table becomes eight times as large: moving states takes longer than clearing memory."""
LOAD: Final = 0.75
DOUBLED: Final = 1 << 24
"""Up to so many home places tables double, then they grow by a quarter."""


ALONE: Final = 1 << 17
"""Places from which it takes longer to call the others than to move the states."""
MARGIN: Final = SLACK
"""Places that nearly no state is further from home than; those that are have to be spilled."""
Stretch = tuple[int, int]
"""Places of the table: the first, and that behind the last."""


class Visited:
    """The memory of a table, and how many home places it has now. Of approximate storage, `fixed` is one that never
    grows."""

    def __init__(self, module: Module, space: int) -> None:
        approximate = module.approximate
        self.region = Region(space)
        self.fixed = approximate is not None and approximate.storage == "bitstate"
        self.slots = START
        if approximate is not None and self.fixed:
            self.slots = max(min(approximate.memory, space) // 8, 1)
        self._entry = 8 * (module.packing.words if approximate is None else 1)

    @property
    def most(self) -> int:
        """States that it takes as it is."""
        return int(self.slots * LOAD)

    def enlarge(self) -> None:
        """Say how many home places there are from now on. Raises `MemoryError` where there is no memory for them."""
        larger = self._larger()
        needed = (larger - self.slots) * self._entry
        if (larger + SLACK) * self._entry > self.region.size or needed > available_bytes() - RESERVE:
            raise MemoryError("no memory for a larger table")
        self.slots = larger

    def _larger(self) -> int:
        if self.slots < LEAPED:
            return self.slots * 8
        return self.slots * 2 if self.slots < DOUBLED else self.slots + self.slots // 4

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
