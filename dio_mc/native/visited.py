"""The visited set: one table for all workers of a search, and when it grows."""

from __future__ import annotations

from typing import Final

from dio_mc.memory import RESERVE, available_bytes
from dio_mc.native.context import SLACK
from dio_mc.native.machine import Machine
from dio_mc.native.memory import Region
from dio_mc.native.module import Module

START: Final = 1 << 18
"""Home places of a new table: for states of one word they are one huge page, which is touched whole anyway."""
LEAPED: Final = 1 << 21
"""Up to so many home places a table becomes eight times as large: moving states takes longer than clearing memory."""
LOAD: Final = 0.75
DOUBLED: Final = 1 << 24
"""Up to so many home places tables double, then they grow by a quarter."""


class Visited:
    """The memory of a table, and how many home places it has now. Of approximate storage, `fixed` is one that never
    grows."""

    def __init__(self, module: Module, machine: Machine, space: int) -> None:
        approximate = module.approximate
        self.region = Region(space)
        self.fixed = approximate is not None and approximate.storage == "bitstate"
        self.slots = START
        if approximate is not None and self.fixed:
            self.slots = max(min(approximate.memory, space) // 8, 1)
        self._entry = 8 * (module.packing.words if approximate is None else 1)
        self._grow = machine.call["grow"]

    @property
    def most(self) -> int:
        """States that it takes as it is."""
        return int(self.slots * LOAD)

    def grow(self, context: int) -> None:
        """Spread the states of the table over more home places; `context` is the address of one that has it. Raises
        `MemoryError` where there is no memory for it."""
        larger = self._larger()
        needed = (larger - self.slots) * self._entry
        if (larger + SLACK) * self._entry > self.region.size or needed > available_bytes() - RESERVE:
            raise MemoryError("no memory for a larger table")
        if self._grow(context, larger):
            raise MemoryError("the table could not be spread")
        self.slots = larger

    def _larger(self) -> int:
        if self.slots < LEAPED:
            return self.slots * 8
        return self.slots * 2 if self.slots < DOUBLED else self.slots + self.slots // 4

    def close(self) -> None:
        """Give the memory back."""
        self.region.close()
