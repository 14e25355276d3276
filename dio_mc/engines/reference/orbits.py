"""From representatives back to states: the canonical counterexample of a search that was reduced by symmetry.

A permutation of the group maps paths to paths of the same length, and violations to violations. So a state lies on a
shortest path to a violation exactly if its representative lies on one in the reduced graph: the levels of the full
graph, as far as they matter, are the orbits of the levels that matter in the reduced one. On those the canonical path
is looked for as ever, and it is the one that a search without reduction finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from dio_mc.engines.reference.canonical import End, Goal, Path, canonical_paths, states_on_paths
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Representatives
from dio_mc.semantics.step import Action, Step


class Quotient:
    """A transition system whose states are the representatives of another's."""

    def __init__(self, interpreter: Interpreter, representatives: Representatives) -> None:
        self._interpreter = interpreter
        self._representatives = representatives

    def starting(self) -> Iterator[State]:
        """The representatives of the initial states."""
        return iter(dict.fromkeys(map(self._representatives.of, self._interpreter.starting())))

    def successors(self, state: State) -> list[Step]:
        """The steps of a representative, each with the representative of where it leads."""
        return [self._quotient(step) for step in self._interpreter.successors(state)]

    def _quotient(self, step: Step) -> Step:
        return step if step.state is None else Step(step.action, self._representatives.of(step.state))


class Unfolding:
    """What a reduced search has found, said of the full graph. `ends_at` lists the edges out of a state that are ends
    of a property (by name)."""

    def __init__(
        self, interpreter: Interpreter, representatives: Representatives, ends_at: Callable[[str, State], list[End]]
    ) -> None:
        self._interpreter = interpreter
        self._representatives = representatives
        self._ends_at = ends_at

    def path(self, name: str, levels: Sequence[Sequence[State]], goal: Goal) -> Path:
        """The canonical path of the full graph. `levels` and `goal` are those of the reduced search."""
        quotient = Quotient(self._interpreter, self._representatives)
        needed = states_on_paths(quotient, levels, [goal])[0]
        full = Goal(goal.length, self.ends(name, goal))
        return canonical_paths(self._interpreter, [self.orbits(level) for level in needed], [full])[0]

    def orbits(self, states: Sequence[State]) -> list[State]:
        """All states that these stand for."""
        return [one for state in states for one in self._representatives.orbit(state)]

    def ends(self, name: str, goal: Goal) -> list[End]:
        """The ends that these stand for."""
        states = self.orbits(list(dict.fromkeys(end.state for end in goal.ends)))
        if all(end.action is None for end in goal.ends):
            return [End(state) for state in states]
        return [end for state in states for end in self._ends_at(name, state)]

    def any_path(self, name: str, parents: Mapping[State, State | None], goal: Goal) -> Path:
        """Some shortest path: for when there is no time for the best one."""
        chain = [goal.ends[0].state]
        while (parent := parents[chain[-1]]) is not None:
            chain.append(parent)
        chain.reverse()
        of = self._representatives.of
        position, state = next((n, s) for n, s in enumerate(self._interpreter.starting()) if of(s) == chain[0])
        actions: list[Action] = []
        for wanted in chain[1:]:
            steps = self._interpreter.successors(state)
            action, state = next((x.action, x.state) for x in steps if x.state is not None and of(x.state) == wanted)
            actions.append(action)
        if goal.ends[0].action is None:
            return Path(position, tuple(actions), None, canonical=False)
        end = self._ends_at(name, state)[0]
        assert end.action is not None
        return Path(position, (*actions, end.action), end.fault, canonical=False)
