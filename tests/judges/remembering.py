"""The steps of the reference interpreter, each run once per what it looks at.

A step reads and writes few cells of many. The interpreter runs it on cells that note which ones it touches. What it
does follows from the values of those: in a state where these cells are the same, it is not run again. Nothing is assumed
of the program, and no analysis of it is used. States are kept packed, a byte per cell; a value that needs more is an error.

The study remembers steps too (`dio_mc.semantics.remembering`). The judges do not use that: a fault there would be one of
both sides of the comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State

Effect = tuple[tuple[int, int], ...] | None
"""One way that a step can go: what it writes, by cell and packed; None if it ends with a fault."""


ENDED = 1
"""What the location of a thread that has ended is packed as."""


def pack(state: State) -> bytes:
    """The cells are -1 to 254; -1 is nobody."""
    return bytes(value + 1 for value in state)


def unpack(packed: bytes) -> State:
    """The state that was packed."""
    return tuple(byte - 1 for byte in packed)


class Watched(list[int]):
    """The cells of a run. `touched` are those that were read or written; copies share it."""

    def __init__(self, cells: Iterable[int], touched: set[int]) -> None:
        super().__init__(cells)
        self.touched = touched

    def __getitem__(self, cell: int) -> int:  # type: ignore[override]  # a step takes no slice of the cells
        self.touched.add(cell)
        return super().__getitem__(cell)

    def __setitem__(self, cell: int, value: int) -> None:  # type: ignore[override]  # as above
        self.touched.add(cell)
        super().__setitem__(cell, value)

    def copy(self) -> Watched:
        """For another way that the same step can go."""
        return Watched(iter(self), self.touched)


@dataclass(slots=True)
class Known:
    """What is known of the steps of a thread at a location: by the values of all cells that any of them has touched."""

    touched: set[int] = field(default_factory=set)
    values: Callable[[bytes], Any] = itemgetter(0)
    effects: dict[Any, list[Effect]] = field(default_factory=dict)

    def add(self, state: bytes, touched: set[int], effects: list[Effect]) -> None:
        """Learn one; where it has touched further cells, what was known before does not say what these were."""
        if not touched <= self.touched:
            self.touched |= touched
            self.values = itemgetter(*sorted(self.touched))
            self.effects.clear()
        self.effects[self.values(state)] = effects


class Remembering:
    """The successors of a program's states; good for every program that differs in initial values alone."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._pcs = tuple(enumerate(interpreter.layout.pc))
        self._known: dict[tuple[int, int], Known] = {}
        self.runs = 0

    def successors(self, state: bytes) -> list[bytes | None]:
        """What each step that exists in `state` leads to, in the interpreter's order: None for a fault."""
        return [
            None if effect is None else _written(state, effect)
            for thread, pc in self._pcs
            if state[pc] != ENDED
            for effect in self._effects(state, thread, state[pc])
        ]

    def _effects(self, state: bytes, thread: int, location: int) -> list[Effect]:
        known = self._known.setdefault((thread, location), Known())
        found = known.effects.get(known.values(state))
        if found is None:
            self.runs += 1
            cells = Watched(unpack(state), set())
            steps = self._interpreter.steps_on(cells, thread, location - 1)
            found = [None if step.state is None else tuple(_changes(state, pack(step.state))) for step in steps]
            known.add(state, cells.touched, found)
        return found


def _changes(before: bytes, after: bytes) -> Iterator[tuple[int, int]]:
    return ((cell, new) for cell, (old, new) in enumerate(zip(before, after, strict=True)) if old != new)


def _written(state: bytes, effect: tuple[tuple[int, int], ...]) -> bytes:
    cells = bytearray(state)
    for cell, value in effect:
        cells[cell] = value
    return bytes(cells)
