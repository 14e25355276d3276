"""A counterexample's schedule as executed by the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dio_mc.ir.types import bounds
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action

MOST_VALUES = 8
"""The largest number of values tried for one cell."""


@dataclass(frozen=True)
class Run:
    """The states of a run and the actions between them."""

    interpreter: Interpreter
    states: tuple[State, ...]
    actions: tuple[Action, ...]

    @cached_property
    def locations(self) -> frozenset[int]:
        """The cells that hold locations."""
        return frozenset(self.interpreter.layout.pc)

    @cached_property
    def _writers(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for number, (before, after) in enumerate(zip(self.states, self.states[1:], strict=False), start=1):
            found.update(
                (cell, number) for cell, (old, new) in enumerate(zip(before, after, strict=True)) if old != new
            )
        return found

    def other_values(self, state: State, cell: int) -> list[int]:
        """Some other values of a cell, beginning with its initial value."""
        low, high = bounds(self.interpreter.layout.types[cell])
        first = self.states[0][cell]
        near = [first, *range(low, min(high, low + MOST_VALUES) + 1), high]
        return [value for value in dict.fromkeys(near) if value != state[cell]]

    def last_writer(self, cell: int) -> int | None:
        """The last step (from 1) that changed a cell; None if it has kept its initial value."""
        return self._writers.get(cell)


def changed(state: State, cell: int, value: int) -> State:
    """The state with one cell set to another value."""
    return (*state[:cell], value, *state[cell + 1 :])
