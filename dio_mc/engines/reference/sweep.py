"""A search for the states where runs end: breadth first, exact, and quick where a program is small.

As `search`, but made for thousands of small programs that are alike: states are packed, steps are those that the
interpreter remembers, and nothing is observed but states without steps and steps that fail. Whether some run can go on
for ever is known from the order in which states were found: most programs lead only to states that are found later.
"""

from __future__ import annotations

from typing import Protocol

from dio_mc.engines.limits import Limits
from dio_mc.engines.reference.search import PATIENCE, POLL_EVERY
from dio_mc.guard import WHY_ENDED, Guard, stop_of
from dio_mc.semantics.layout import State
from dio_mc.semantics.remembering import Learned, Node, Packed, Remembering
from dio_mc.semantics.stop import Stop, StopKind


class Watcher(Protocol):
    """Receives the ends of runs."""

    def ended(self, state: State, depth: int) -> None:
        """Called for a state of level `depth` without steps."""
        ...

    def failed(self, state: State, step: Learned, depth: int) -> None:
        """Called for a step with a fault, out of a state of level `depth`."""
        ...


class Sweep:
    """One search. Its attributes are valid at any time, whatever ended `run`: `stopped` is the reason why it ended
    early, None if it did not; `returns`: some step leads to a state that was found before the one where it begins."""

    def __init__(self, system: Remembering, watcher: Watcher, limits: Limits) -> None:
        self.stopped: Stop | None = None
        self._system = system
        self._watcher = watcher
        self._limits = limits
        self._levels: list[list[Packed]] = []
        self._numbers: dict[Packed, int] = {}
        self._after: list[list[int]] = []
        self.returns = False

    @property
    def states(self) -> int:
        """The number of states found."""
        return len(self._numbers)

    @property
    def levels(self) -> list[list[State]]:
        """The states by depth, in the order of discovery."""
        return [[self._system.unpack(packed) for packed in level] for level in self._levels]

    def run(self) -> None:
        """Search until all states are expanded or something ends the search, as `search.Search.run` does."""
        try:
            with Guard(self._limits.exceeded, grace=PATIENCE, patience=PATIENCE):
                self._run()
        except WHY_ENDED as ended:
            self.stopped = stop_of(ended)

    def _run(self) -> None:
        self._levels.append([])
        for number, state in enumerate(self._system.starting()):
            if number % POLL_EVERY == POLL_EVERY - 1 and self._is_over():
                return
            packed = self._system.pack(state)
            if packed not in self._numbers and not self._add(packed):
                return
        while self._levels[-1]:
            depth = len(self._levels) - 1
            if depth == self._limits.budget.max_depth:
                self.stopped = Stop(StopKind.MAX_DEPTH, depth)
                return
            self._levels.append([])
            for packed in self._levels[depth]:
                if len(self._after) % POLL_EVERY == 0 and self._is_over():
                    return
                if not self._expand(packed, depth):
                    return

    def _is_over(self) -> bool:
        self.stopped = self._limits.exceeded()
        return self.stopped is not None

    def _add(self, packed: Packed) -> bool:
        """Store a new state; if there is no room for it, stop the search and return False."""
        limit = self._limits.budget.max_states
        if limit is not None and len(self._numbers) >= limit:
            self.stopped = Stop(StopKind.MAX_STATES, limit)
            return False
        self._numbers[packed] = len(self._numbers)
        self._levels[-1].append(packed)
        return True

    def _expand(self, state: Packed, depth: int) -> bool:
        """Expand a state; False if not all successors could be stored."""
        numbers, after, here, room = self._numbers, self._system.after, len(self._after), True
        leads: list[int] = []
        steps = self._steps(state)
        for step in steps:
            if step.fault is not None:
                self._watcher.failed(self._system.unpack(state), step, depth)
                continue
            found = after(state, step)
            number = numbers.get(found)
            if number is None:
                number = len(numbers)
                room = room and self._add(found)
            elif number <= here:
                self.returns = True
            leads.append(number)
        if not steps:
            self._watcher.ended(self._system.unpack(state), depth)
        if room:
            self._after.append(leads)
        return room

    def _steps(self, state: Packed) -> list[Learned]:
        """The steps of each thread in turn."""
        found: list[Learned] = []
        for thread, pc, steps in self._system.lanes:
            if location := state[pc]:
                leaf = steps.get(location)
                while type(leaf) is Node:
                    leaf = leaf.after.get(leaf.values(state))
                found += leaf if leaf is not None else self._system.learn(state, thread, location)  # type: ignore[arg-type]
        return found

    def round_and_round(self) -> set[State]:
        """The states that some run can come back to, or that lie between such states. The search must be complete."""
        if not self.returns:
            return set()
        left = set(range(len(self._after)))
        _peel(left, self._after, sorted(left, reverse=True))
        before: list[list[int]] = [[] for _ in self._after]
        for number in left:
            for one in self._after[number]:
                before[one].append(number)
        _peel(left, before, sorted(left))
        return {self._system.unpack(packed) for packed, number in self._numbers.items() if number in left}


def _peel(left: set[int], leads: list[list[int]], order: list[int]) -> None:
    """Take out what leads to nothing that is left, again and again. It is quick where most lead to what comes before
    them in this `order`."""
    while True:
        ends = 0
        for number in order:
            if number in left and left.isdisjoint(leads[number]):
                left.remove(number)
                ends += 1
        if not ends:
            return
