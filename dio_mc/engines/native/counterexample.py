"""The backward pass: from "violated in level n" to the states of all shortest paths, with the best
continuation of each.

The search stores no parents. First the ends of a goal are collected in their level. Then, level by
level, the states that have a successor on a shortest path are collected, with the fewest switches
of a continuation (`back` generates the code; `reference.canonical` gives the argument). A forward
pass over one state per level follows elsewhere. Levels that were dropped from memory are found
again first, by a search up to that depth.

Machine code chooses its own representatives. Records are of these, and number threads as these do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from dio_mc.engines.native.cursor import DEADLOCK, FAULTS
from dio_mc.engines.native.levels import LevelSearch
from dio_mc.engines.native.machine import Exceeded, unlimited
from dio_mc.engines.native.prepared import Prepared
from dio_mc.engines.native.records import Part, Records, RecordTable, Shape, tables
from dio_mc.engines.native.search import PAUSE
from dio_mc.engines.native.valuations import Valuations
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action, Fault, Step, fault_name
from dio_mc.semantics.stop import StopKind


@dataclass(frozen=True, slots=True)
class Goal:
    """A property that is violated (for a reachable property, witnessed) after `length` steps.

    `flag` is the flag that ``examine`` looks for. With `on_edge` an edge shows the violation (a
    fault, or a property of steps), otherwise a state. `valuations` are those of the property, None
    for deadlocks and faults.
    """

    name: str
    flag: int
    length: int
    on_edge: bool
    valuations: Valuations | None = None

    @property
    def base(self) -> int:
        """The level of the states that ``examine`` visits."""
        return self.length - 1 if self.on_edge else self.length


MOST: Final = 100_000
"""The largest number of states with an edge that is an end (a fault, a violated step) whose threads
are determined by the interpreter, which takes some 20 us each. Beyond it, one state is used. The
bound is a number rather than a time, so that the answer is the same on every machine."""
SCANNED: Final = 1 << 16
"""States of a level that are visited between two polls of the limits. Their records take about 2
MB."""

Ending = tuple[State, Action, Fault | None]
"""An edge that is an end: its source state, its action, its fault if it is one."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A goal, with the records of the states on shortest paths, level by level up to the ends.

    `ends_at` returns the ends among the edges out of a state. With `reduced`, the records are of
    representatives. With `narrow`, they do not cover all states on shortest paths, so that the path
    found may not be the canonical one.
    """

    goal: Goal
    prepared: Prepared
    levels: tuple[Records, ...]
    ends_at: Callable[[State], Sequence[Ending]]
    reduced: bool
    narrow: bool

    def tables(self) -> Iterator[RecordTable]:
        """The continuations of each level, as hash tables."""
        return tables(self.prepared, self.levels, reduced=self.reduced)


def goals_of(search: LevelSearch) -> list[Goal]:
    """The goals that a search has found: properties in the order of evaluators, the deadlock,
    faults."""
    found: list[Goal] = []
    flags = search.module.flags
    for number, one in enumerate(search.valuations):
        if one.length is not None:
            found.append(Goal(one.evaluator.property.name, flags + number, one.length, one.stepwise, one))
    if search.deadlock is not None:
        found.append(Goal("deadlock", DEADLOCK, search.deadlock, on_edge=False))
    for flag, length in search.faults.items():
        found.append(Goal(search.module.names.faults[flag - FAULTS], flag, length, on_edge=True))
    return found


def reach(
    prepared: Prepared,
    search: LevelSearch,
    goal: Goal,
    expanded: Sequence[int] | None,
    pressed: Exceeded = unlimited,
    exceeded: Exceeded = unlimited,
) -> Reached | None:
    """The shortest paths to a goal, or None if a limit is `exceeded` on the way.

    All levels of `search` from 0 on must be available. `expanded` has, for each worker, the number
    of one past the last state whose steps have been examined. Once `pressed` returns a reason, one
    state per level is kept from there on; if the reason is memory, the pass is repeated with one
    state per level.
    """
    backward = _BackwardPass(prepared, search, goal, expanded, pressed, exceeded)
    try:
        return backward.back()
    except MemoryError:
        return backward.back(narrow=True)


class _BackwardPass:
    """The backward pass of one goal."""

    def __init__(
        self,
        prepared: Prepared,
        search: LevelSearch,
        goal: Goal,
        expanded: Sequence[int] | None,
        pressed: Exceeded,
        exceeded: Exceeded,
    ) -> None:
        self._prepared, self._search, self._goal, self._expanded = prepared, search, goal, expanded
        self._pressed, self._exceeded = pressed, exceeded
        self._shape = Shape.of(prepared)
        self._narrow = False
        self._looked = time.monotonic()

    def back(self, *, narrow: bool = False) -> Reached | None:
        """Run the pass; with `narrow`, keep one state per level."""
        self._narrow = narrow
        levels = [self._last()]
        for depth in reversed(range(self._goal.base)):
            if self._exceeded() is not None:
                return None
            levels.append(self._scan("rest", depth, None, levels[-1]))
        return Reached(
            self._goal, self._prepared, tuple(reversed(levels)), self.ends, self._search.reduced, self._narrow
        )  # fmt: skip

    def _expanded_ends(self) -> Sequence[int] | None:
        """The bounds on the states that can be ends: those found by a step count only where a state
        was expanded. None: no bound."""
        return self._expanded if self._goal.on_edge or self._goal.flag == DEADLOCK else None

    def _scan(self, name: str, depth: int, ends: Sequence[int] | None, needed: Records | None = None) -> Records:
        """Call a function on all states of a level; return its records."""
        parts: list[Part] = []
        with closing(self._search.scanned(name, self._goal.flag, depth, ends, needed, SCANNED)) as scanned:
            for part in scanned:
                parts += [part] if len(part) else []
                self._poll()
                if self._narrow and parts:
                    return Records(self._shape, tuple(parts)).first()
        return Records(self._shape, tuple(parts))

    def _poll(self) -> None:
        """Poll for a reason to shorten the pass. Raises `MemoryError` if the reason is memory."""
        now = time.monotonic()
        if self._narrow or now - self._looked < PAUSE:
            return
        self._looked = now
        stop = self._pressed()
        if stop is not None and stop.kind in (StopKind.MAX_MEMORY, StopKind.OUT_OF_MEMORY):
            raise MemoryError(str(stop))
        self._narrow = stop is not None

    def _last(self) -> Records:
        """The records of the ends. If these are edges, the records are of their source states, with
        the threads that make them."""
        records = self._scan("examine", self._goal.base, self._expanded_ends())
        if not self._goal.on_edge:
            return records
        if records.count > MOST:
            self._narrow, records = True, records.first()
        for part in records.parts:
            for at in range(0, len(part), self._shape.size):
                self._name_threads(part, at)
                self._poll()
                if self._narrow and records.count > 1:
                    self._name_threads(records.parts[0], 0)
                    return records.first()
        return records

    def _name_threads(self, part: Part, at: int) -> None:
        """Write into a record which threads make an edge that is an end."""
        masks = at + self._shape.words + 1
        for number in range(masks, at + self._shape.size):
            part[number] = 0
        state = self._search.module.packing.decode(part[at : at + self._shape.words])
        for _, action, _ in self.ends(state):
            part[masks + (action.thread >> 6)] |= 1 << (action.thread & 63)

    def ends(self, state: State) -> list[Ending]:
        """The edges out of a state that are ends."""
        steps = self._search.interpreter.successors(state)
        return [(state, step.action, step.fault) for step in steps if self._is_end(state, step)]

    def _is_end(self, state: State, step: Step) -> bool:
        """Whether a step is an end."""
        valuations = self._goal.valuations
        if valuations is not None:
            return step.state is not None and valuations.is_wanted(state, step.state)
        fault = step.fault
        return fault is not None and _name(fault, self._search.interpreter) == self._goal.name


def _name(fault: Fault, interpreter: Interpreter) -> str:
    return fault_name(fault.kind, fault.span, interpreter.program.file)
