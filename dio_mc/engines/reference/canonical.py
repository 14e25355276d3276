"""The canonical counterexample: the shortest, then fewest context switches, then first in order.

**Shortest.** A goal has a length L and its ends: states of level L, or edges out of states of level L - 1 (a step that
violates a step invariant, a fault). All paths of length L to an end are considered. The state after i steps of such a
path is in level i: if its level were lower, the end would be reached sooner. So only edges from one level to the next
need to be examined.

**Fewest switches.** A backward pass from the ends computes, for each state of a level, how many switches the best
continuation has. This depends on the thread that made the last step: let c(u) be the fewest switches of a continuation
whose first step is made by thread u, and m the minimum over all u. If the state is reached by a step of a thread u with
c(u) = m, the best continuation has m switches; otherwise it has m + 1, one of them to such a thread, and no other c(u)
is smaller than m + 1. So one number and one set of threads per state suffice (`Rest`).

**First in order.** A forward pass takes the first initial state whose m is least, and then always the first action
(thread, location, choice) after which exactly the required number of switches remains. Every prefix taken can be
completed to a best path, and every other prefix of the same length comes later or cannot, so the path is the first.

**Up to symmetry.** A permutation of the group maps paths to paths of the same length with the same number of switches.
So a result for a representative holds for its whole orbit, with the threads renamed, and the backward pass visits only
representatives; the forward pass uses the original states. Orbits are never enumerated: one of 40 threads has up to 40!
members.

The result depends only on the graph, not on the order of discovery. It is relative to the ends that the search has
found: a search that was cut in the middle of a level may not know all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial as bound
from typing import Final, NamedTuple, Protocol

from dio_mc.engines.reference.search import TransitionSystem
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Representatives
from dio_mc.semantics.step import Action, Fault, Step


class End(NamedTuple):
    """An end of a counterexample: `state`, or the edge `action` out of it (with `fault`, if it is one)."""

    state: State
    action: Action | None = None
    fault: Fault | None = None


@dataclass(slots=True)
class Goal:
    """The nearest ends of one property; all of them are states, or all are edges. `length` is that of the paths to
    them.

    If states are representatives, so are those of the ends; `ends_at` then lists the edges out of any state that are
    ends, in the order of actions.
    """

    length: int
    ends: list[End]
    ends_at: Callable[[State], Sequence[End]] | None = None


class Path(NamedTuple):
    """A path to an end: the position of the initial state, the actions, the fault of the last one, and whether it is
    the canonical path."""

    initial: int
    schedule: tuple[Action, ...]
    fault: Fault | None
    canonical: bool = True


class Rest(NamedTuple):
    """The best continuation from a state: it has `switches` switches if one of `threads` (a bit set) made the last
    step, and one more for any other thread."""

    switches: int
    threads: int

    def after(self, thread: int) -> int:
        """The switches of the best continuation if `thread` made the last step."""
        return self.switches + (not self.threads >> thread & 1)


Rests = dict[State, Rest]
"""The states of a level from which a shortest path continues."""

_ANYBODY: Final = Rest(0, -1)


def canonical_paths(
    system: TransitionSystem,
    levels: Sequence[Sequence[State]],
    goals: Sequence[Goal],
    representatives: Representatives | None = None,
) -> list[Path]:
    """The canonical path of each goal, in their order.

    `levels` are those of the search that found the goals, made of `representatives` if given; the levels below the
    longest goal are expanded once more. Memory use is that of the states on shortest paths.
    """
    rests = _backward(system, levels, goals, representatives)
    return [_forward(system, found, goal, representatives) for found, goal in zip(rests, goals, strict=True)]


def any_path(system: TransitionSystem, parents: Mapping[State, State | None], goal: Goal) -> Path:
    """Some shortest path to the goal, from the parents that the search recorded; used if there is no time for the
    canonical one."""
    end = goal.ends[0]
    actions: list[Action] = [] if end.action is None else [end.action]
    state = end.state
    while (parent := parents[state]) is not None:
        actions.append(next(step.action for step in system.successors(parent) if step.state == state))
        state = parent
    start = next(number for number, initial in enumerate(system.starting()) if initial == state)
    return Path(start, tuple(reversed(actions)), end.fault, canonical=False)


class Following(Protocol):
    """The states of a level from which a shortest path continues, with the number of switches it still has."""

    @property
    def fewest(self) -> int:
        """The switches of the best continuation from any of these states."""
        ...

    def begins(self, state: State) -> int | None:
        """The switches of the best continuation from an initial state; None if no shortest path continues from it."""
        ...

    def left(self, state: State, thread: int) -> int | None:
        """The switches of the best continuation from a state if `thread` made the last step; None if no shortest path
        continues from it."""
        ...


EndsAt = Callable[[State], Sequence[End]]
"""The edges out of a state that are ends."""


def best_path(system: TransitionSystem, levels: Iterable[Following], ends_at: EndsAt | None = None) -> Path:
    """The forward pass: the first path with the fewest switches. The states of the last level are the ends or, with
    `ends_at`, the source states of the ends. Each element of `levels` is requested when it is needed, and not used
    after the next one."""
    following = iter(levels)
    first = next(following)
    left = first.fewest
    start, state = next(one for one in enumerate(system.starting()) if first.begins(one[1]) == left)
    last, actions = -1, list[Action]()
    for level in following:
        for step in system.successors(state):
            if step.state is not None:
                thread = step.action.thread
                switched = last not in (-1, thread)
                to_come = level.left(step.state, thread)
                if to_come is not None and switched + to_come == left:
                    break
        else:
            raise AssertionError("the forward pass lost a path of the backward pass")
        left -= switched
        last, state = thread, step.state
        actions.append(step.action)
    if ends_at is None:
        return Path(start, tuple(actions), None)
    end = next(end for end in _in_order(ends_at(state)) if (last not in (-1, end.action.thread)) == left)
    return Path(start, (*actions, end.action), end.fault)


def path_through(system: TransitionSystem, levels: Iterable[Following], ends_at: EndsAt | None = None) -> Path:
    """Like `best_path`, but some shortest path; used if there is no time for the canonical one."""
    following = iter(levels)
    first = next(following)
    start, state = next(one for one in enumerate(system.starting()) if first.begins(one[1]) is not None)
    actions: list[Action] = []
    for level in following:
        action, state = next(
            (step.action, step.state)
            for step in system.successors(state)
            if step.state is not None and level.left(step.state, step.action.thread) is not None
        )
        actions.append(action)
    if ends_at is None:
        return Path(start, tuple(actions), None, canonical=False)
    end = _in_order(ends_at(state))[0]
    return Path(start, (*actions, end.action), end.fault, canonical=False)


# --- backward pass ----------------------------------------------------------------------------------------------------


class _Pass:
    """The backward pass of one goal: the results for the levels so far, the last level first."""

    def __init__(self, goal: Goal) -> None:
        self.goal = goal
        self.known: list[Rests] = [_at_the_end(goal)]
        self.base = goal.length if goal.ends[0].action is None else goal.length - 1

    def waits_for(self, depth: int) -> bool:
        """Whether level `depth` is the next one to process."""
        return depth == self.base - len(self.known)


def _at_the_end(goal: Goal) -> Rests:
    rests: Rests = {}
    for end in goal.ends:
        if end.action is None:
            rests[end.state] = _ANYBODY
        else:
            rests[end.state] = Rest(0, (rests[end.state].threads if end.state in rests else 0) | 1 << end.action.thread)
    return rests


def _backward(
    system: TransitionSystem,
    levels: Sequence[Sequence[State]],
    goals: Sequence[Goal],
    representatives: Representatives | None,
) -> list[list[Rests]]:
    """For each goal and level, the best continuation from each state. Every level is expanded once for all goals."""
    passes = [_Pass(goal) for goal in goals]
    for depth in reversed(range(max((one.base for one in passes), default=0))):
        waiting: list[tuple[Rests, Rests]] = [(one.known[-1], {}) for one in passes if one.waits_for(depth)]
        for state in levels[depth] if waiting else ():
            led = _led(system.successors(state), representatives)
            for following, found in waiting:
                rest = _rest(led, following)
                if rest is not None:
                    found[state] = rest
        for one, (_, found) in zip([one for one in passes if one.waits_for(depth)], waiting, strict=True):
            one.known.append(found)
    return [one.known[::-1] for one in passes]


def _led(steps: Iterable[Step], representatives: Representatives | None) -> list[tuple[int, State, int]]:
    """For each step its thread, the stored state that it leads to, and the position of the thread in that state."""
    found: list[tuple[int, State, int]] = []
    for step in steps:
        if step.state is not None:
            thread = step.action.thread
            stored, threads = _stored(step.state, representatives)
            found.append((thread, stored, threads[thread] if threads is not None else thread))
    return found


def _stored(state: State, representatives: Representatives | None) -> tuple[State, Sequence[int] | None]:
    """The stored state that represents this one, and the positions of the threads there (None: the same)."""
    return (state, None) if representatives is None else representatives.named(state)


def _rest(led: Iterable[tuple[int, State, int]], following: Rests) -> Rest | None:
    """The best continuation over these steps; None if no shortest path continues."""
    best: dict[int, int] = {}
    for thread, state, there in led:
        rest = following.get(state)
        if rest is not None:
            switches = rest.after(there)
            best[thread] = min(best.get(thread, switches), switches)
    if not best:
        return None
    least = min(best.values())
    return Rest(least, sum(1 << thread for thread, switches in best.items() if switches == least))


# --- forward pass -----------------------------------------------------------------------------------------------------


def _forward(
    system: TransitionSystem, rests: Sequence[Rests], goal: Goal, representatives: Representatives | None
) -> Path:
    levels = [_Known(level, representatives) for level in rests]
    return best_path(system, levels, None if goal.ends[0].action is None else bound(_ends_of, goal))


class _Known:
    """A level that the backward pass has processed."""

    def __init__(self, rests: Rests, representatives: Representatives | None) -> None:
        self._rests, self._representatives = rests, representatives

    @property
    def fewest(self) -> int:
        return min(rest.switches for rest in self._rests.values())

    def begins(self, state: State) -> int | None:
        rest = self._rests.get(_stored(state, self._representatives)[0])
        return None if rest is None else rest.switches

    def left(self, state: State, thread: int) -> int | None:
        stored, threads = _stored(state, self._representatives)
        rest = self._rests.get(stored)
        there = thread if threads is None else threads[thread]
        return None if rest is None else rest.after(there)


def _ends_of(goal: Goal, state: State) -> Sequence[End]:
    return goal.ends_at(state) if goal.ends_at is not None else [end for end in goal.ends if end.state == state]


class _Edge(NamedTuple):
    action: Action
    fault: Fault | None


def _in_order(ends: Sequence[End]) -> list[_Edge]:
    """The edges in the order of actions."""
    return sorted(
        (_Edge(end.action, end.fault) for end in ends if end.action is not None), key=lambda edge: edge.action
    )
