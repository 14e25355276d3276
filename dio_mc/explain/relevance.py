"""The steps of a counterexample that matter, found by running other schedules of the same steps.

A step matters where changing what it does, or when it does it, loses the violation:

* **order**: it has to come before a step of another thread, and the thread's next step does not; or it is the first
  step of its thread that has to come after a step of another. A check that is made before another thread changes what
  it checked matters so, whatever it found there;
* **effect**: the violation is lost when the step moves its thread on and leaves the data as it is. It still takes and
  releases locks, since otherwise another step would break a lock's rule; and where it reads no shared data, its locals
  get their values, since it only passes on what an earlier step has read;
* **choice**: no other option of its choice leads to the violation by the same further steps;
* **end**: its thread could not have stopped before it.

A step that has none of these, put as late as it can go on its own, or left out where its thread does nothing after it,
still leaves a schedule with the violation.

Every answer rests on a run of the reference interpreter, and so does the whole: the schedule in which only the steps
that matter keep their order, and everything else comes as late as it can or not at all, is run as well. Where it does
not show the violation, more steps are added until it does; at worst all matter (Zeller and Hildebrandt 2002 minimise
inputs in the same spirit; the constraints are the happens-before edges that cannot be reversed).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action, Fault


@dataclass(frozen=True, slots=True)
class Ran:
    """A schedule as it ran: its states, one fewer than with its start where the last step is a fault."""

    states: tuple[State, ...]
    threads: tuple[int, ...]
    fault: Fault | None


Shows = Callable[[Ran], bool]
"""Whether a run shows the violation in question, at its end or before."""


class TooMany(Exception):
    """More steps would have to be tried than are allowed."""


@dataclass(slots=True)
class Trials:
    """Runs of schedules of one violation.

    `tail` are steps after every schedule (a loop); `control` the cells that hold locks and locations; `kept` per step
    the further cells that it changes in any case. At most `most` steps are run in all, then `TooMany` is raised.
    """

    interpreter: Interpreter
    states: Sequence[State]
    actions: Sequence[Action]
    tail: Sequence[Action]
    shows: Shows
    control: frozenset[int]
    kept: Sequence[frozenset[int]]
    most: int
    ran: int = 0
    _known: dict[tuple[Action, ...], bool] = field(default_factory=dict)

    def holds(self, actions: Sequence[Action]) -> bool:
        """Whether a schedule can be run and shows the violation."""
        key = tuple(actions)
        if key not in self._known:
            same = 0
            while same < min(len(key), len(self.states) - 1) and key[same] == self.actions[same]:
                same += 1
            self._known[key] = self._runs(self.states[: same + 1], [*key[same:], *self.tail], key[:same])
        return self._known[key]

    def without_effect(self, number: int) -> bool:
        """Whether the violation is shown when step `number` (from 1) leaves all data as it was."""
        if number >= len(self.states):
            return False
        before, after = self.states[number - 1 : number + 1]
        moved = self.control | self.kept[number - 1]
        idle = tuple(new if cell in moved else old for cell, (old, new) in enumerate(zip(before, after, strict=True)))
        if idle == after:
            return True
        return self._runs((*self.states[:number], idle), [*self.actions[number:], *self.tail], self.actions[:number])

    def _runs(self, passed: Sequence[State], actions: Sequence[Action], before: Sequence[Action]) -> bool:
        states, fault = list(passed), None
        for position, action in enumerate(actions):
            self.ran += 1
            if self.ran > self.most:
                raise TooMany
            step = self.interpreter.step(states[-1], action)
            if step is None:
                return False
            fault = step.fault
            if step.state is None:  # nothing comes after a fault
                actions = actions[: position + 1]
                break
            states.append(step.state)
        threads = tuple(action.thread for action in (*before, *actions))
        return self.shows(Ran(tuple(states), threads, fault))


def relevant_steps(trials: Trials) -> tuple[int, ...] | None:
    """The numbers (from 1) of the steps that matter, in order; None where that took more steps than are allowed."""
    try:
        actions = tuple(trials.actions)
        found = _ordered(trials, actions) | _chosen(trials, actions) | _last(trials, actions)
        numbers = range(1, len(actions) + 1)
        found |= {n for n in numbers if not trials.without_effect(n)}
        found |= {n for n in numbers if n not in found and not trials.holds(alone_late(actions, n))}
        return tuple(sorted(_enough(trials, actions, found)))
    except TooMany:
        return None


def late(actions: Sequence[Action], matter: frozenset[int] | set[int]) -> list[Action]:
    """The schedule in which the steps that matter keep their order, and each other step comes right before the next of
    its thread that matters, or not at all."""
    placed: list[Action] = []
    waiting: dict[int, list[Action]] = {}
    for number, action in enumerate(actions, start=1):
        waiting.setdefault(action.thread, []).append(action)
        if number in matter:
            placed += waiting.pop(action.thread)
    return placed


def alone_late(actions: Sequence[Action], number: int) -> list[Action]:
    """The schedule in which one step comes right before the next of its thread, or is left out where none follows."""
    step = actions[number - 1]
    own = next((n for n in range(number, len(actions)) if actions[n].thread == step.thread), None)
    if own is None:
        return [*actions[: number - 1], *actions[number:]]
    return [*actions[: number - 1], *actions[number:own], step, *actions[own:]]


def postponed(actions: Sequence[Action], first: int, second: int) -> list[Action]:
    """The schedule in which the thread of step `first` rests from there until step `second` of another is done."""
    thread = actions[first - 1].thread
    between = actions[first - 1 : second]
    kept = [action for action in between if action.thread != thread]
    moved = [action for action in between if action.thread == thread]
    return [*actions[: first - 1], *kept, *moved, *actions[second:]]


def advanced(actions: Sequence[Action], first: int, second: int) -> list[Action]:
    """The schedule in which the thread of step `second` comes to it before step `first` of another is taken."""
    thread = actions[second - 1].thread
    between = actions[first - 1 : second]
    moved = [action for action in between if action.thread == thread]
    kept = [action for action in between if action.thread != thread]
    return [*actions[: first - 1], *moved, *kept, *actions[second:]]


def _ordered(trials: Trials, actions: Sequence[Action]) -> set[int]:
    """Both ends of each pair of steps of two threads whose order cannot be reversed, where no later step of the one and
    no earlier step of the other has to be in that order."""
    found: set[int] = set()
    own: dict[int, list[int]] = {}
    for number, action in enumerate(actions, start=1):
        own.setdefault(action.thread, []).append(number)
    for one, firsts in own.items():
        for other, seconds in own.items():
            if one != other:
                found |= _tight(trials, actions, firsts, seconds)
    return found


def _tight(trials: Trials, actions: Sequence[Action], firsts: Sequence[int], seconds: Sequence[int]) -> set[int]:
    """What has to precede a step has to precede the thread's later ones, and what follows from later steps of the one
    follows from earlier ones: so a step of each at a time is enough."""
    found: set[int] = set()
    reached = 0
    for second in seconds:
        before = reached
        while reached < len(firsts) and firsts[reached] < second:
            first = firsts[reached]
            if trials.holds(postponed(actions, first, second)) or trials.holds(advanced(actions, first, second)):
                break
            reached += 1
        if reached > before:
            found |= {firsts[reached - 1], second}
    return found


def _chosen(trials: Trials, actions: Sequence[Action]) -> set[int]:
    """Steps whose choice matters."""
    found: set[int] = set()
    for number, action in enumerate(actions, start=1):
        steps = trials.interpreter.successors(trials.states[number - 1])
        others = [s.action for s in steps if s.action.thread == action.thread and s.action != action]
        changed = ([*actions[: number - 1], other, *actions[number:]] for other in others)
        if others and not any(trials.holds(schedule) for schedule in changed):
            found.add(number)
    return found


def _last(trials: Trials, actions: Sequence[Action]) -> set[int]:
    """The step of each thread that it has to come to."""
    found: set[int] = set()
    kept = list(enumerate(actions, start=1))
    for thread in dict.fromkeys(action.thread for action in actions):
        while own := [pair for pair in kept if pair[1].thread == thread]:
            shorter = [pair for pair in kept if pair != own[-1]]
            if not trials.holds([action for _, action in shorter]):
                found.add(own[-1][0])
                break
            kept = shorter
    return found


def _enough(trials: Trials, actions: Sequence[Action], found: set[int]) -> set[int]:
    """The steps that matter, and others as far as they are needed to show the violation with everything else late."""
    while not trials.holds(late(actions, found)):
        missing = [n for n in range(len(actions), 0, -1) if n not in found]
        if not missing:
            return found
        switches = [n for n in missing if n < len(actions) and actions[n].thread != actions[n - 1].thread]
        found = found | {(switches or missing)[0]}
    return found
