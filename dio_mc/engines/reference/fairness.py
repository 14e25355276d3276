"""Fair cycles: where a run can continue forever without starving a thread.

A run is **weakly fair** if every thread that is continuously enabled from some point on takes steps again and again
(SPIN's ``-f``; TLA+'s WF of each thread's next step, except that here a step that changes nothing also counts). It is
**strongly fair** if this holds for every thread that is enabled again and again. All threads count, including daemons
and spawned ones. Fairness does not extend to the options of a `choose`: no option ever has to be taken. A finite run is
fair.

Every infinite run stays, from some point on, inside one strongly connected component, and a cycle that visits all of a
component is as fair as a run in it can be. So a component has a weakly fair run if and only if each thread takes a step
inside it or is disabled in some state of it. For strong fairness, the states in which a thread is enabled that never
steps inside are removed, and the rest is decomposed again (Lichtenstein and Pnueli 1985).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import reduce
from operator import and_, or_
from typing import Final

from dio_mc.engines.reference.canonical import End, Goal, canonical_paths
from dio_mc.engines.reference.components import Graph, components
from dio_mc.ir.program import Fairness
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action, Step

MOST_ROUNDS: Final = 200_000
"""The limit on (state, threads to be served) pairs visited in search of the shortest fair loop; beyond it some fair
loop is used."""


def fair_components(graph: Graph, region: Collection[State], fairness: Fairness) -> list[frozenset[State]]:
    """The sets of states inside `region` whose states a fair run can all visit again and again forever."""
    found: list[frozenset[State]] = []
    waiting: list[Collection[State]] = [region]
    while waiting:
        for component in components(graph, waiting.pop()):
            moving = graph.moving(component)
            if not moving:
                continue
            kept_out = _enabled(graph, component, fairness) & ~moving
            if not kept_out:
                found.append(component)
            elif fairness == "strong":
                waiting.append({state for state in component if not graph.enabled(state) & kept_out})
    return found


def _enabled(graph: Graph, component: Collection[State], fairness: Fairness) -> int:
    """The threads to which fairness gives a turn: those enabled in all states of the component (weak), or in some state
    (strong)."""
    return reduce(and_ if fairness == "weak" else or_, (graph.enabled(state) for state in component))


class _Walk:
    """A transition system of walks inside a component. A state has three cells in addition to those of the program:
    whether the walk has begun, the threads still to be served, and the threads that ran.

    Under weak fairness a thread is served, from then on, once it runs or is disabled; under strong fairness once it
    runs.
    """

    def __init__(self, graph: Graph, component: Collection[State], entry: State, fairness: Fairness) -> None:
        self._graph = graph
        self._component = component
        self._entry = entry
        self._weak = fairness == "weak"

    @property
    def start(self) -> State:
        """The entry, before any thread has been served."""
        return (*self._entry, 0, self._graph.enabled(self._entry), 0)

    def starting(self) -> Iterator[State]:
        """The start only."""
        yield self.start

    def successors(self, state: State) -> list[Step]:
        """The steps that stay inside the component."""
        *_, owed, ran = state
        return [
            Step(step.action, (*step.state, 1, *self._serve(owed, ran, step.action.thread, step.state)))
            for step in self._graph.steps[state[:-3]]
            if step.state is not None and step.state in self._component
        ]

    def _serve(self, owed: int, ran: int, thread: int, after: State) -> tuple[int, int]:
        there = self._graph.enabled(after)
        if self._weak:
            return owed & there & ~(1 << thread), 0
        ran |= 1 << thread
        return (owed | there) & ~ran, ran

    def closes(self, state: State) -> bool:
        """Whether a walk that ends here is a fair loop."""
        *here, begun, owed, _ = state
        return bool(begun) and not owed and tuple(here) == self._entry


def shortest_loop(
    graph: Graph, component: Collection[State], entry: State, fairness: Fairness, most: int = MOST_ROUNDS
) -> tuple[Action, ...]:
    """The shortest fair loop from `entry` inside a component from `fair_components`; among these the one with the
    fewest context switches, then the first in order. If the search would visit more than `most` pairs, some fair
    loop."""
    walk = _Walk(graph, component, entry, fairness)
    levels, found = _levels(walk, walk.start, most)
    if found:
        goal = Goal(len(levels) - 1, [End(state) for state in found])
        return canonical_paths(walk, levels, [goal])[0].schedule
    return _some_loop(walk)


def _levels(walk: _Walk, start: State, most: int) -> tuple[list[list[State]], list[State]]:
    """The levels up to the first one with an end of a loop, and these ends; no ends if there are too many states."""
    levels, known = [[start]], {start}
    while levels[-1] and len(known) <= most:
        levels.append([])
        for state in levels[-2]:
            for step in walk.successors(state):
                if step.state is not None and step.state not in known:
                    known.add(step.state)
                    levels[-1].append(step.state)
        found = [state for state in levels[-1] if walk.closes(state)]
        if found:
            return levels, found
    return levels, []


def _some_loop(walk: _Walk) -> tuple[Action, ...]:
    """A loop that goes to the nearest state where a thread is served, repeatedly, and finally back to the entry."""
    state, actions = walk.start, list[Action]()
    while not walk.closes(state):
        state, further = _nearer(walk, state)
        actions += further
    return tuple(actions)


def _nearer(walk: _Walk, start: State) -> tuple[State, list[Action]]:
    """The nearest state where the set of served threads changes, or where the loop closes."""
    paths: dict[State, tuple[State, Action]] = {}
    level, known = [start], {start[:-3]}
    while True:
        further: list[State] = []
        for state in level:
            for step in walk.successors(state):
                after = step.state
                assert after is not None
                if after[-2:] != start[-2:] or walk.closes(after):
                    return after, [*_back(paths, start, state), step.action]
                if after[:-3] not in known:
                    known.add(after[:-3])
                    paths[after] = state, step.action
                    further.append(after)
        level = further


def _back(paths: dict[State, tuple[State, Action]], start: State, state: State) -> list[Action]:
    actions: list[Action] = []
    while state != start:
        state, action = paths[state]
        actions.append(action)
    return actions[::-1]
