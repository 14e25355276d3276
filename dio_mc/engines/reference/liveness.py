"""What must or can still happen: decided on the graph that a search has made, once it has ended.

``always_reachable``: from every state a path leads to the goal. It is violated by a state from which none does; the
counterexample is the path to the nearest.

``progress``: a fair run meets the goal again and again, and is at it where it ends. It is violated by a run that ends
elsewhere, or by a fair run that goes round among states that are not the goal. The counterexample is a path to the
nearest such end or round, then the shortest fair loop from there (a lasso).

A graph may be incomplete. Whatever may follow a state that was not expanded, or be true in a state that was not
decided, is taken for good: a violation that is found is one of the whole program. That there is none then means
nothing; the search says itself that it was stopped.
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
"""What is known of a property's formula on a state."""


@dataclass(frozen=True, slots=True)
class Violated:
    """A property that is violated: the nearest states where that shows, and, where a run goes round from there, the
    components it goes round in."""

    goal: Goal
    components: tuple[frozenset[State], ...] = ()
    fairness: Fairness = "weak"

    def loop(self, graph: Graph, start: State) -> tuple[Action, ...]:
        """The shortest fair loop from one of the states; nothing where the run ends or only a path is shown."""
        found = [component for component in self.components if start in component]
        return shortest_loop(graph, found[0], start, self.fairness) if found else ()


def violated(
    property_: Property, graph: Graph, levels: Sequence[Sequence[State]], truth: Truth
) -> Violated | None:  # fmt: skip
    """Whether a property of one of the kinds `LIVENESS` is violated for sure, and where that shows first."""
    away = {state for state in graph.steps if truth(state) is Decision.VIOLATED}
    if property_.kind == "progress":
        return endless(graph, levels, away, property_.fairness)
    lost = lost_states(graph, (s for level in levels for s in level if s not in away))
    return _nearest(levels, lost)


def lost_states(graph: Graph, goals: Iterable[State]) -> set[State]:
    """The expanded states from which no path leads to a goal; a state that was not expanded is one."""
    targets = {after for state in graph.steps for after in graph.successors(state)}
    return graph.steps.keys() - graph.reaching([*goals, *(targets - graph.steps.keys())])


def endless(
    graph: Graph, levels: Sequence[Sequence[State]], region: Collection[State], fairness: Fairness
) -> Violated | None:
    """The nearest place where a run ends in `region`, or a fair run can stay in it forever."""
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
