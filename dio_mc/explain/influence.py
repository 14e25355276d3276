"""What a step reads, found by trying: change one cell of the state before it and see what becomes of the step.

No table of reads is needed, and what is found is what matters on this very run: a lock that a step takes, or a flag it
tests without any effect, is no influence on the data it moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import compress, count
from operator import ne

from dio_mc.ir.types import bounds
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action, Step

MOST_VALUES = 8
"""Values tried for one cell."""


@dataclass(frozen=True, slots=True)
class Influence:
    """What one step did and read: `written` are the cells that it gave a value, be it the one that they had; `effects`
    per cell that it changes (its own location too) the cells of the state before that have a say in the value; `needed`
    the cells whose first value would have kept it from running."""

    written: frozenset[int]
    effects: dict[int, frozenset[int]]
    needed: frozenset[int]


class Run:
    """A schedule as it ran on an interpreter: the states, the actions, and what influenced each step."""

    def __init__(self, interpreter: Interpreter, states: tuple[State, ...], actions: tuple[Action, ...]) -> None:
        self.interpreter = interpreter
        self.states = states
        self.actions = actions
        self._known: dict[int, Influence] = {}

    @cached_property
    def locations(self) -> frozenset[int]:
        """The cells that hold locations."""
        return frozenset(self.interpreter.layout.pc)

    def other_values(self, state: State, cell: int) -> list[int]:
        """Some other values of a cell, its first one in front."""
        low, high = bounds(self.interpreter.layout.types[cell])
        first = self.states[0][cell]
        near = [first, *range(low, min(high, low + MOST_VALUES) + 1), high]
        return [value for value in dict.fromkeys(near) if value != state[cell]]

    def last_writer(self, cell: int, before: int) -> int | None:
        """The last step before number `before` (from 1) that gave a cell its value."""
        numbers = range(min(before, len(self.states)) - 1, 0, -1)
        return next((number for number in numbers if cell in self.influence(number).written), None)

    def influence(self, number: int) -> Influence:
        """What influenced step `number`."""
        if number not in self._known:
            self._known[number] = self._tried(number)
        return self._known[number]

    def _tried(self, number: int) -> Influence:
        state, action = self.states[number - 1], self.actions[number - 1]
        step = self.interpreter.step(state, action)
        assert step is not None
        written, needed = set(_changed(state, step)), set[int]()
        effects: dict[int, set[int]] = {}
        for cell in (cell for cell in range(len(state)) if cell not in self.locations):
            for value in self.other_values(state, cell):
                other = self.interpreter.step(changed(state, cell, value), action)
                if other is None:
                    needed |= {cell} if value == self.states[0][cell] else set()
                    continue
                if other.state is not None and other.state[cell] != value:
                    written.add(cell)
                for target in _differences(state, step, other, cell, value):
                    effects.setdefault(target, set()).add(cell)
        found = {target: frozenset(cells) for target, cells in effects.items()}
        return Influence(frozenset(written), found, frozenset(needed))


def changed(state: State, cell: int, value: int) -> State:
    """The state with another value in one cell."""
    return (*state[:cell], value, *state[cell + 1 :])


FAULT = -1
"""The target in `Influence.effects` that stands for whether the step is a fault."""


def _changed(state: State, step: Step) -> list[int]:
    after = state if step.state is None else step.state
    return list(_unequal(state, after))


def _unequal(first: State, second: State) -> Iterator[int]:
    """The cells in which two states differ."""
    return compress(count(), map(ne, first, second))


def _differences(state: State, step: Step, other: Step, cell: int, value: int) -> list[int]:
    """The cells that come out differently, though only `cell` went in differently."""
    if step.state is None or other.state is None:
        return [] if step.fault == other.fault else [FAULT]
    found = [n for n in _unequal(step.state, other.state) if n != cell]
    kept = (value,) if step.state[cell] == state[cell] else ()
    if other.state[cell] not in (step.state[cell], *kept):
        found.append(cell)
    return found
