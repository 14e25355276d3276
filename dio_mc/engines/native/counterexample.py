"""The way back: from "violated in level n" to the states on all shortest paths there.

The search keeps no parents. The ends of a goal are looked for in the level that has them; then, level by level, the
states with a successor that is needed. What remains is small, and `reference.canonical` finds the one path among them
on the reference interpreter. Levels that were given up for memory are found again first, by a search up to that depth.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.engines.native.context import INDEX, SIZE, SLACK
from dio_mc.engines.native.cursor import DEADLOCK, FAULTS
from dio_mc.engines.native.machine import Exceeded, unlimited
from dio_mc.engines.native.memory import Region
from dio_mc.engines.native.search import Level, Search
from dio_mc.engines.native.valuations import Valuations
from dio_mc.engines.native.worker import Worker
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action, Fault, Step, fault_name


@dataclass(frozen=True, slots=True)
class Goal:
    """A property that is violated (a witness exists) after `length` steps: the flag that says where, and whether it is
    an edge that is looked for (a fault, a step property)."""

    name: str
    flag: int
    length: int
    on_edge: bool
    valuations: Valuations | None = None

    @property
    def base(self) -> int:
        """The level of the states that `examine` looks at."""
        return self.length - 1 if self.on_edge else self.length


MOST: Final = 100_000
"""States on shortest paths that are handed over for the canonical counterexample: with more of them that takes longer
than most searches. It is a number, and so the answer is the same everywhere.

Measured: 47 us of processor time per state, so at most 5 s. A violation of the benchmark model at size M (2.1 million
states) has 40 states on its shortest paths, of 10 steps, and takes 10 ms. Four counters that count to 32 side by side,
and must not all be there at last, have 790,000 up to symmetry, on paths of 256 steps: found in 0.7 s, and shown with a
schedule that is labelled as not canonical. Only in machine code, with the names of threads carried through the sorting
of rows, would that be as quick as the search."""

Ending = tuple[State, Action | None, Fault | None]
"""A state; for an edge also the action, and its fault."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A goal with its ends (a state; for edges also the action, and its fault) and, per level before them, the states
    on shortest paths; all are representatives, if the search was one of those. `ends_at` has the ends at any
    state. If `narrow`, these are not all states on shortest paths."""

    goal: Goal
    ends: tuple[Ending, ...]
    levels: tuple[tuple[State, ...], ...]
    ends_at: Callable[[State], Sequence[Ending]]
    representatives: Representatives | None
    narrow: bool


def goals_of(search: Search) -> list[Goal]:
    """What a search has found, in the order of properties, deadlock, faults."""
    found: list[Goal] = []
    flags = search.module.flags
    for number, one in enumerate(search.valuations):
        if one.length is not None:
            found.append(Goal(one.judge.property.name, flags + number, one.length, one.stepwise, one))
    if search.deadlock is not None:
        found.append(Goal("deadlock", DEADLOCK, search.deadlock, on_edge=False))
    for flag, length in search.faults.items():
        found.append(Goal(search.module.names.faults[flag - FAULTS], flag, length, on_edge=True))
    return found


def reach(
    search: Search,
    goals: Sequence[Goal],
    expanded: Sequence[int],
    representatives: Representatives | None = None,
    exceeded: Exceeded = unlimited,
) -> list[Reached]:
    """The shortest paths to each goal. The levels of `search` from 0 on must be kept; `expanded` is after the last
    state of each worker whose steps have been looked at. Where more than `MOST` states are on the shortest paths, one
    per level is kept from there on. A goal is left out when a limit is `exceeded` on the way."""
    ways = (_Way(search, goal, expanded, representatives, exceeded).back() for goal in goals)
    return [reached for reached in ways if reached is not None]


class _Way:
    """One goal's way back."""

    def __init__(
        self,
        search: Search,
        goal: Goal,
        expanded: Sequence[int],
        representatives: Representatives | None,
        exceeded: Exceeded,
    ) -> None:
        self._exceeded = exceeded
        self._total = 0
        self._narrow = False
        self._search = search
        self._representatives = representatives
        self._expanded = expanded
        self._goal = goal
        self._machine = search.machine.call

    def back(self) -> Reached | None:
        search, base = self._search, self._goal.base
        largest = max((last - first for level in search.levels for first, last in level), default=1)
        for worker in search.workers:
            worker.set(goal=self._goal.flag)
        regions = [Region(8 * max(largest, 1)) for _ in search.workers]
        try:
            for worker, region in zip(search.workers, regions, strict=True):
                worker.set(found=region.address)
            self._scan("examine", self._base_level())
            ends = [end for state in self._found() for end in self.ends(state)]
            levels: list[tuple[State, ...]] = []
            for depth in reversed(range(base)):
                if self._exceeded() is not None:
                    return None
                self._scan("prune", search.levels[depth], self._needed())
                levels.append(tuple(self._found()))
                self._drop()
        finally:
            for region in regions:
                region.close()
        if self._goal.on_edge:
            levels.insert(0, tuple(dict.fromkeys(state for state, _, _ in ends)))
        return Reached(self._goal, tuple(ends), tuple(reversed(levels)), self.ends, self._representatives, self._narrow)

    def _base_level(self) -> Level:
        """Where the ends are; what takes a step to see is only seen of states that were expanded."""
        level = self._search.levels[self._goal.base]
        if not self._goal.on_edge and self._goal.flag != DEADLOCK:
            return level
        return [(first, max(min(last, end), first)) for (first, last), end in zip(level, self._expanded, strict=True)]

    def _scan(self, name: str, level: Level, *more: int) -> None:
        """Call a function on every worker's part of a level."""
        for worker, (first, last) in zip(self._search.workers, level, strict=True):
            worker.set(found_length=0)
            self._machine[name](worker.address, *more, first, last)
        self._total += sum(worker.get("found_length") for worker in self._search.workers)
        self._narrow = self._narrow or self._total > MOST
        if self._narrow:
            self._keep_one()

    def _keep_one(self) -> None:
        """Of the states found only the first: there is a way back from any of them."""
        left = 1
        for worker in self._search.workers:
            kept = min(left, worker.get("found_length"))
            worker.set(found_length=kept)
            left -= kept

    def _needed(self) -> int:
        """A table with the states that were found; its context."""
        count = sum(worker.get("found_length") for worker in self._search.workers)
        slots = max(2 * count, 64)
        first = self._search.workers[0]
        self._table = Region((slots + SLACK) * 8 * first.words)
        self._context = Context(self._table.address, slots)
        for worker in self._search.workers:
            if self._machine["fill"](worker.address, self._context.address):
                raise MemoryError("the table of needed states has no place left")
        return self._context.address

    def _drop(self) -> None:
        self._table.close()

    def _found(self) -> list[State]:
        """The states found, in the order of discovery of each worker. Machine code has its own choice of
        representatives; these are those of `reduce`."""
        decode = self._search.module.packing.decode
        found = [decode(worker.state(number)) for worker in self._search.workers for number in _numbers(worker)]
        return found if self._representatives is None else [self._representatives.of(state) for state in found]

    def ends(self, state: State) -> list[Ending]:
        goal, interpreter = self._goal, self._search.interpreter
        if not goal.on_edge:
            return [(state, None, None)]
        return [(state, step.action, step.fault) for step in interpreter.successors(state) if self._is_end(state, step)]

    def _is_end(self, state: State, step: Step) -> bool:
        valuations = self._goal.valuations
        if valuations is not None:
            return step.state is not None and valuations.is_wanted(state, step.state)
        fault = step.fault
        return fault is not None and _name(fault, self._search.interpreter) == self._goal.name


class Context:
    """The context of a table without anything around it."""

    def __init__(self, address: int, slots: int) -> None:
        self._numbers = (ctypes.c_int64 * SIZE)()
        for name, value in (("table", address), ("slots", slots), ("limit", slots + SLACK)):
            self._numbers[INDEX[name]] = value
        self.address = ctypes.addressof(self._numbers)


def _numbers(worker: Worker) -> list[int]:
    count = worker.get("found_length")
    return list((ctypes.c_int64 * count).from_address(worker.get("found"))) if count else []


def _name(fault: Fault, interpreter: Interpreter) -> str:
    return fault_name(fault.kind, fault.span, interpreter.program.file)
