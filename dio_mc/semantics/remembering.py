"""An interpreter that runs no step twice: what comes of one is kept under the values that it has read.

A step is a function of what it reads: the first cell it looks at is always the same, the second depends on the value
of the first, and so on. So the interpreter is watched while it runs a step (`_Watched`), and the cells that it has
read, in their order, lead to what it has written. From a state with the same values there, whatever else it holds, the
step does the same. Nothing is known of a step beforehand, so nothing of the program is analysed: a step that reads one
cell more than another has simply a longer way.

It is for many small searches of one program that begin differently (`dio_mc.study`): these come by the same steps again
and again. The judge of engines is the interpreter alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, SupportsIndex, overload

from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.machine import Run
from dio_mc.semantics.step import Action, Fault, Step

Writes = tuple[tuple[int, int], ...]
"""Cells and what they are given."""
Leaf = tuple[tuple[Action, Writes, Fault | None], ...]
"""The steps of a thread at a location, in the order of choices; one with a fault has no successor."""


@dataclass(slots=True)
class _Node:
    """Cells that are read one after the other whatever they hold, and by their values what is read then, or what comes
    of it."""

    cells: tuple[int, ...]
    values: Callable[[Sequence[int]], Any] = field(init=False)
    after: dict[Any, _Node | Leaf] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = itemgetter(*self.cells)

    def split(self, at: int) -> None:
        """Go on to ask for the first `at` cells only; the others are asked for where these have led."""
        head, tail = self.cells[:at], self.cells[at:]
        parts: dict[Any, _Node | Leaf] = {}
        for values, leaf in self.after.items():
            first, rest = _one(values[:at]), _one(values[at:])
            lower = parts.setdefault(first, _Node(tail))
            assert isinstance(lower, _Node)
            lower.after[rest] = leaf
        self.cells, self.values, self.after = head, itemgetter(*head), parts


def _one(values: tuple[int, ...]) -> Any:
    """As `itemgetter` gives them: one value alone is not a tuple."""
    return values[0] if len(values) == 1 else values


class Remembering(Interpreter):
    """As `Interpreter`. Where a program differs in names and initial values alone from that of another one (`like`),
    what this has learned and compiled is shared."""

    def __init__(self, program: Program, like: Remembering | None = None) -> None:
        super().__init__(program, like)
        self._learned: dict[tuple[int, int], _Node | Leaf] = {} if like is None else like._learned

    def _steps_of(self, state: State, thread: int, location: int) -> list[Step]:
        found = self._learned.get((thread, location))
        while isinstance(found, _Node):
            found = found.after.get(found.values(state))
        if found is None:
            found = self._learn(state, thread, location)
        return [
            Step(action, _written(state, writes) if fault is None else None, fault) for action, writes, fault in found
        ]

    def _learn(self, state: State, thread: int, location: int) -> Leaf:
        """Run the step, and keep what comes of it under what it reads."""
        code = self._codes[thread]
        watched = _Watched(state)
        run = Run(watched, thread, code.begin[location], code.spans[location])
        ended = list(self._machine.runs([run]))
        leaf = tuple(
            (
                Action(thread, location, run.choice) if run.choice else code.actions[location],
                _writes(run.cells) if fault is None else (),
                fault,
            )
            for run, fault in ended
        )
        self._keep((thread, location), state, tuple(watched.read), leaf)
        return leaf

    def _keep(self, root: tuple[int, int], state: State, cells: tuple[int, ...], leaf: Leaf) -> None:
        place: dict[Any, _Node | Leaf] = self._learned
        key: Any = root
        while isinstance(node := place.get(key), _Node):
            same = _agree(node.cells, cells)
            if same < len(node.cells):
                node.split(same)
            cells = cells[same:]
            place, key = node.after, node.values(state)
        place[key] = leaf
        if cells:
            lower = _Node(cells)
            lower.after[lower.values(state)] = leaf
            place[key] = lower


def _agree(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """How many of the first elements are the same."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _written(state: State, writes: Writes) -> State:
    cells = list(state)
    for cell, value in writes:
        cells[cell] = value
    return tuple(cells)


def _writes(cells: list[int]) -> Writes:
    assert isinstance(cells, _Watched)
    return tuple(cells.written.items())


class _Watched(list[int]):
    """The cells of a run, noting which are `read` before the run has written them, and what is `written`. Copies, for
    the alternatives of a choice, note what they read in one list, in the order in which they run."""

    def __init__(self, cells: Sequence[int]) -> None:
        super().__init__(cells)
        self.read: dict[int, None] = {}
        self.written: dict[int, int] = {}

    @overload
    def __getitem__(self, cell: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, cell: slice) -> list[int]: ...
    def __getitem__(self, cell: SupportsIndex | slice) -> Any:
        """Note the cells that are read, unless the run itself has written them."""
        for one in range(len(self))[cell] if isinstance(cell, slice) else (int(cell),):
            if one not in self.written:
                self.read[one] = None
        return super().__getitem__(cell)

    def __setitem__(self, cell: Any, value: Any) -> None:
        """Note what is written, be it what was there."""
        self.written[cell] = value
        super().__setitem__(cell, value)

    def copy(self) -> _Watched:
        """With what was written so far; what is read is noted in the same place."""
        found = _Watched(list(self))
        found.read, found.written = self.read, dict(self.written)
        return found
