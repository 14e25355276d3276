"""The expanded states of a search as a graph: its strongly connected components, and backward reachability.

A state that was found but not expanded is not a key of `Graph.steps`: nothing is known about its successors, and
callers decide how to treat it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action, Step


@dataclass(slots=True)
class Graph:
    """Every step out of each expanded state. A step that is a fault has no successor, but its thread counts as
    enabled."""

    steps: dict[State, Sequence[Step]] = field(default_factory=dict)

    def successors(self, state: State) -> Iterator[State]:
        """The successors of an expanded state; none for a state that was not expanded."""
        return (step.state for step in self.steps.get(state, ()) if step.state is not None)

    def follow(self, state: State, schedule: Iterable[Action]) -> State:
        """The state that a schedule leads to; each of its steps must be known and have a successor."""
        for action in schedule:
            state = next(s.state for s in self.steps[state] if s.action == action and s.state is not None)
        return state

    def enabled(self, state: State) -> int:
        """The threads that have a step in an expanded state, as a bit set."""
        threads = 0
        for step in self.steps[state]:
            threads |= 1 << step.action.thread
        return threads

    def moving(self, states: Collection[State]) -> int:
        """The threads that have a step within this set of states, as a bit set."""
        threads = 0
        for state in states:
            for step in self.steps.get(state, ()):
                if step.state is not None and step.state in states:
                    threads |= 1 << step.action.thread
        return threads

    def reaching(self, goals: Iterable[State]) -> set[State]:
        """The states from which some path leads to one of `goals`, including these."""
        before: dict[State, list[State]] = {}
        for state in self.steps:
            for after in self.successors(state):
                before.setdefault(after, []).append(state)
        found = set(goals)
        waiting = list(found)
        while waiting:
            for state in before.get(waiting.pop(), ()):
                if state not in found:
                    found.add(state)
                    waiting.append(state)
        return found


def components(graph: Graph, region: Collection[State]) -> list[frozenset[State]]:
    """The strongly connected components of the graph restricted to `region` (Tarjan 1972, without recursion)."""
    return list(_Tarjan(graph, region).run())


class _Tarjan:
    """One run of the algorithm: `_number` numbers states in the order of visits, `_low` is the lowest number known to
    be reachable from a state on the stack."""

    def __init__(self, graph: Graph, region: Collection[State]) -> None:
        self._graph = graph
        self._region = region if isinstance(region, set | frozenset | dict) else set(region)
        self._number: dict[State, int] = {}
        self._low: dict[State, int] = {}
        self._stack: list[State] = []
        self._stacked: set[State] = set()

    def run(self) -> Iterator[frozenset[State]]:
        """Every component, in reverse topological order."""
        for root in self._region:
            if root not in self._number:
                yield from self._visit(root)

    def _visit(self, root: State) -> Iterator[frozenset[State]]:
        path = [(root, self._enter(root))]
        while path:
            state, rest = path[-1]
            after = next(rest, None)
            if after is None:
                path.pop()
                if path:
                    self._lower(path[-1][0], self._low[state])
                if self._low[state] == self._number[state]:
                    yield self._close(state)
            elif after not in self._number:
                path.append((after, self._enter(after)))
            elif after in self._stacked:
                self._lower(state, self._number[after])

    def _enter(self, state: State) -> Iterator[State]:
        self._number[state] = self._low[state] = len(self._number)
        self._stack.append(state)
        self._stacked.add(state)
        return (after for after in self._graph.successors(state) if after in self._region)

    def _lower(self, state: State, to: int) -> None:
        self._low[state] = min(self._low[state], to)

    def _close(self, root: State) -> frozenset[State]:
        """The component of `root`: the stack from `root` to the top."""
        at = len(self._stack)
        while True:
            at -= 1
            if self._stack[at] == root:
                break
        found = frozenset(self._stack[at:])
        del self._stack[at:]
        self._stacked -= found
        return found
