"""The canonical counterexample: shortest, then fewest context switches, then first in order.

**Shortest.** A goal has a length L and its ends: states of level L, or edges out of states of level L - 1 (a step
that violates a step invariant, a fault). All paths of length L to an end are considered. On such a path the state
behind i steps is of level i: were its level lower, the end would be reached sooner. So it is enough to look at edges
from one level to the next. Going backwards, each level is expanded once more and only the edges are kept that lead to
what is needed.

**Fewest switches, first in order.** Going forwards, the best prefix is kept for each pair (state, last thread). This is
exact (Bellman's principle): let p and q be prefixes of equal length that end in the same state with the same last
thread. Whatever follows, it can follow both, and adds the same number of switches to both, as a switch is seen from
the last thread and the next action alone. And of two continuations p·r and q·r of equal length, the one with the
lexicographically smaller prefix comes first. So if (switches, order) of p is below that of q, no best path has q.

The order of a prefix (initial state, then actions by `Action`'s fields) is kept as its *rank* among the prefixes kept
in its level: prefixes of equal length compare by (rank of the prefix without its last action, last action).

The result depends on the graph only, not on the order of discovery. It is relative to the ends that the search has
seen: a search that a budget cut in the middle of a level may not know them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dio_mc.engines.reference.search import TransitionSystem
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action, Fault, Step


class End(NamedTuple):
    """Where a counterexample may end: in `state`, or with the edge `action` out of it (that has this fault, if any)."""

    state: State
    action: Action | None = None
    fault: Fault | None = None


@dataclass(slots=True)
class Goal:
    """The nearest ends of one property; all are states, or all are edges. `length` is that of the paths to them."""

    length: int
    ends: list[End]


class Path(NamedTuple):
    """A way to an end: the position of the initial state, the actions, the fault of the last one, and whether it is the
    canonical way."""

    initial: int
    schedule: tuple[Action, ...]
    fault: Fault | None
    canonical: bool = True


_Edge = tuple[Action, State | None]
"""An action and where it leads; for an edge that is an end that does not matter (None)."""

_Edges = dict[State, list[_Edge]]
"""Per state of one level the edges that lead on."""

_Key = tuple[State | None, int]
"""The end of a prefix: its state and its last thread (-1: no step yet)."""


class _Prefix(NamedTuple):
    """The best prefix of one key: switches, the rank of the prefix before its last action, that action, its key."""

    switches: int
    rank: int
    action: Action
    before: _Key


def canonical_paths(system: TransitionSystem, levels: Sequence[Sequence[State]], goals: Sequence[Goal]) -> list[Path]:
    """The canonical path of each goal, in their order. `levels` are those of a search that found the goals; those below
    the longest goal are expanded once more. Deterministic; memory is that of the edges on shortest paths."""
    pruned = list(zip(_prune(system, levels, goals), goals, strict=True))
    starts = _positions(system, [state for edges, goal in pruned for state in _first(edges, goal)])
    return [_best(edges, starts, goal) for edges, goal in pruned]


def states_on_paths(
    system: TransitionSystem, levels: Sequence[Sequence[State]], goals: Sequence[Goal]
) -> list[list[list[State]]]:
    """Per goal, level by level, the states from which a shortest path leads on. `levels` as for `canonical_paths`."""
    return [[list(level) for level in edges] for edges in _prune(system, levels, goals)]


def any_path(system: TransitionSystem, parents: Mapping[State, State | None], goal: Goal) -> Path:
    """Some shortest path to the goal, from the search's own record: for when there is no time for the best one."""
    end = goal.ends[0]
    actions: list[Action] = [] if end.action is None else [end.action]
    state = end.state
    while (parent := parents[state]) is not None:
        actions.append(next(step.action for step in system.successors(parent) if step.state == state))
        state = parent
    return Path(_positions(system, [state])[state], tuple(reversed(actions)), end.fault, canonical=False)


def _positions(system: TransitionSystem, wanted: Iterable[State]) -> dict[State, int]:
    """Where in the order of initial states these are; no more of them is looked at than needed."""
    left, found = set(wanted), dict[State, int]()
    for number, state in enumerate(system.starting() if left else ()):
        if state in left:
            found[state] = number
            left.remove(state)
            if not left:
                break
    return found


@dataclass(slots=True)
class _Pruning:
    """The backward pass of one goal: the edges kept so far, last level first, and the states they start from."""

    goal: Goal
    edges: list[_Edges]
    needed: set[State]

    @classmethod
    def of(cls, goal: Goal) -> _Pruning:
        """Begin at the ends; edges that are ends need no search."""
        final: _Edges = {}
        for end in goal.ends:
            if end.action is not None:
                final.setdefault(end.state, []).append((end.action, None))
        return cls(goal, [final] if final else [], {end.state for end in goal.ends})

    def waits_for(self, depth: int) -> bool:
        """Is level `depth` the next one to look at?"""
        return depth == self.goal.length - len(self.edges) - 1

    def keep(self, state: State, steps: Sequence[Step], kept: _Edges) -> None:
        """Keep the edges out of `state` that lead to what is needed."""
        leading: list[_Edge] = [(step.action, step.state) for step in steps if step.state in self.needed]
        if leading:
            kept[state] = leading


def _prune(system: TransitionSystem, levels: Sequence[Sequence[State]], goals: Sequence[Goal]) -> list[list[_Edges]]:
    """Per goal and level, the edges that lie on its shortest paths. Every level is expanded once for all goals."""
    prunings = [_Pruning.of(goal) for goal in goals]
    for depth in reversed(range(max((goal.length for goal in goals), default=0))):
        waiting: list[tuple[_Pruning, _Edges]] = [(one, {}) for one in prunings if one.waits_for(depth)]
        for state in levels[depth] if waiting else ():
            steps = system.successors(state)
            for pruning, kept in waiting:
                pruning.keep(state, steps, kept)
        for pruning, kept in waiting:
            pruning.edges.append(kept)
            pruning.needed = set(kept)
    return [pruning.edges[::-1] for pruning in prunings]


def _first(edges: Sequence[_Edges], goal: Goal) -> Iterable[State]:
    """The initial states that the paths begin with."""
    return edges[0] if edges else (end.state for end in goal.ends)


def _best(edges: Sequence[_Edges], starts: Mapping[State, int], goal: Goal) -> Path:
    """The forward pass over the pruned edges, then back along the best prefix."""
    ranked: dict[_Key, tuple[int, int]] = {(state, -1): (0, starts[state]) for state in _first(edges, goal)}
    passes: list[dict[_Key, _Prefix]] = []
    for level in edges:
        passes.append(_extend(ranked, level))
        ranked = _rank(passes[-1])
    key = min(ranked, key=lambda found: ranked[found])
    states, actions = [key[0]], list[Action]()
    for kept in reversed(passes):
        actions.append(kept[key].action)
        key = kept[key].before
        states.append(key[0])
    start = states[-1]
    assert start is not None
    ended = [end for end in goal.ends if actions and (end.state, end.action) == (states[1], actions[0])]
    fault = ended[0].fault if ended else None
    return Path(starts[start], tuple(reversed(actions)), fault)


def _extend(ranked: Mapping[_Key, tuple[int, int]], level: _Edges) -> dict[_Key, _Prefix]:
    """The best prefix, one step longer, of every key."""
    best: dict[_Key, _Prefix] = {}
    for before, (switches, rank) in ranked.items():
        state, last = before
        assert state is not None
        for action, target in level[state]:
            switched = last not in (-1, action.thread)
            prefix = _Prefix(switches + switched, rank, action, before)
            key = target, action.thread
            if key not in best or prefix[:3] < best[key][:3]:
                best[key] = prefix
    return best


def _rank(prefixes: Mapping[_Key, _Prefix]) -> dict[_Key, tuple[int, int]]:
    """Switches and rank of every prefix kept."""
    ordered = sorted(prefixes, key=lambda key: (prefixes[key].rank, prefixes[key].action))
    return {key: (prefixes[key].switches, position) for position, key in enumerate(ordered)}
