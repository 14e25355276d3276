"""Liveness properties, decided on the graph of a search after it has ended.

``always_reachable``: from every state some path leads to the goal. It is violated by a state from which none does; the
counterexample is the path to the nearest such state.

``progress``: every fair run reaches the goal again and again, and ends at the goal if it ends. It is violated by a run
that ends elsewhere, or by a fair run that stays forever in states where the goal does not hold. The counterexample is a
path to the nearest such end or cycle, followed by the shortest fair loop from there (a lasso).

The graph may be incomplete. Unexpanded states are assumed to reach the goal, and undecided states to satisfy it, so a
violation that is found is one of the whole program. The absence of a violation then means nothing; the search itself
reports that it was stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from dio_mc.engines.reference.canonical import End, Goal
from dio_mc.engines.reference.components import Graph
from dio_mc.engines.reference.fairness import fair_components, shortest_loop
from dio_mc.ir.program import Fairness, Property
from dio_mc.semantics.evaluator import Decision
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action

Truth = Callable[[State], Decision]
"""The decision on a property's formula in a state."""


@dataclass(frozen=True, slots=True)
class Violated:
    """A violated property: the nearest states that show it and, if a run can stay there forever, the components in
    which it does."""

    goal: Goal
    components: tuple[frozenset[State], ...] = ()
    fairness: Fairness = "weak"

    def loop(self, graph: Graph, start: State) -> tuple[Action, ...]:
        """The shortest fair loop from one of the states; empty if the run ends, or only a path is shown."""
        found = [component for component in self.components if start in component]
        return shortest_loop(graph, found[0], start, self.fairness) if found else ()


def violated(
    property_: Property, graph: Graph, levels: Sequence[Sequence[State]], truth: Truth
) -> Violated | None:  # fmt: skip
    """The violation of a property of the kinds `LIVENESS`, if it is certain, at the nearest states that show it."""
    away = {state for state in graph.steps if truth(state) is Decision.VIOLATED}
    if property_.kind == "progress":
        return endless(graph, levels, away, property_.fairness)
    lost = lost_states(graph, (s for level in levels for s in level if s not in away))
    return _nearest(levels, lost)


def lost_states(graph: Graph, goals: Iterable[State]) -> set[State]:
    """The expanded states from which no path leads to a goal; unexpanded states count as goals."""
    targets = {after for state in graph.steps for after in graph.successors(state)}
    return graph.steps.keys() - graph.reaching([*goals, *(targets - graph.steps.keys())])


def endless(
    graph: Graph, levels: Sequence[Sequence[State]], region: Collection[State], fairness: Fairness
) -> Violated | None:
    """The nearest states where a run ends in `region`, or where a fair run can stay in it forever."""
    rounds = tuple(fair_components(graph, region, fairness))
    staying = {state for component in rounds for state in component}
    staying.update(state for state in region if not graph.steps[state])
    return _nearest(levels, staying, rounds, fairness)


def _nearest(
    levels: Sequence[Sequence[State]],
    states: Collection[State],
    components: tuple[frozenset[State], ...] = (),
    fairness: Fairness = "weak",
) -> Violated | None:
    for depth, level in enumerate(levels):
        ends = [End(state) for state in level if state in states]
        if ends:
            return Violated(Goal(depth, ends), components, fairness)
    return None
