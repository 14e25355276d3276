"""The steps of a counterexample that matter, found by executing other schedules of the same steps.

A step matters if changing its effect or its position loses the violation:

- **order**: it has to precede a step of another thread, and the thread's next step does not; or it is the first step of
  its thread that has to follow a step of another. A check that is made before another thread changes what was checked
  matters in this way, whatever its result;
- **effect**: the violation is lost if the step advances its thread but leaves the data unchanged. It still takes and
  releases locks, since otherwise another step would break a lock's rule; and if it reads no shared data, its locals are
  still assigned, since it only passes on what an earlier step has read;
- **choice**: no other option of its choice leads to the violation by the same further steps;
- **end**: its thread could not have stopped before it.

If none of these applies to a step, the step can on its own be executed as late as possible, or be omitted if its thread
does nothing after it, and the schedule still shows the violation.

Every answer rests on an execution by the reference interpreter, and so does the result as a whole: the schedule in
which only the steps that matter keep their order, and all others come as late as possible or not at all, is executed as
well. If it does not show the violation, more steps are added until it does; in the worst case all steps matter (Zeller
and Hildebrandt 2002 minimise inputs in the same spirit; the constraints are the happens-before edges that cannot be
reversed).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action, Fault


@dataclass(frozen=True, slots=True)
class Ran:
    """An executed schedule: its states, starting with the initial one (a fault as the last step adds none), the
    threads, and the fault."""

    states: tuple[State, ...]
    threads: tuple[int, ...]
    fault: Fault | None


Shows = Callable[[Ran], bool]
"""Whether a run shows the violation in question, at its end or earlier."""


class TooMany(Exception):
    """The limit on executed steps was reached."""


@dataclass(slots=True)
class Trials:
    """Executions of schedules of one violation.

    `tail` are steps appended to every schedule (a loop); `control` are the cells of locks and locations; `kept` are,
    for each step, further cells that keep their change in `without_effect`. At most `most` steps are executed in all;
    then `TooMany` is raised.
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
        """Whether a schedule is executable and shows the violation."""
        key = tuple(actions)
        if key not in self._known:
            same = 0
            while same < min(len(key), len(self.states) - 1) and key[same] == self.actions[same]:
                same += 1
            self._known[key] = self._runs(self.states[: same + 1], [*key[same:], *self.tail], key[:same])
        return self._known[key]

    def without_effect(self, number: int) -> bool:
        """Whether the violation remains if step `number` (from 1) leaves all data unchanged."""
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
            if step.state is None:  # a fault ends the run
                actions = actions[: position + 1]
                break
            states.append(step.state)
        threads = tuple(action.thread for action in (*before, *actions))
        return self.shows(Ran(tuple(states), threads, fault))


def relevant_steps(trials: Trials) -> tuple[int, ...] | None:
    """The numbers (from 1) of the steps that matter, in order; None if that takes more steps than allowed."""
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
    """The schedule in which the steps that matter keep their order, and each other step comes right before its thread's
    next step that matters, or is omitted if there is none."""
    placed: list[Action] = []
    waiting: dict[int, list[Action]] = {}
    for number, action in enumerate(actions, start=1):
        waiting.setdefault(action.thread, []).append(action)
        if number in matter:
            placed += waiting.pop(action.thread)
    return placed


def alone_late(actions: Sequence[Action], number: int) -> list[Action]:
    """The schedule in which one step comes right before the next of its thread, or is omitted if there is none."""
    step = actions[number - 1]
    own = next((n for n in range(number, len(actions)) if actions[n].thread == step.thread), None)
    if own is None:
        return [*actions[: number - 1], *actions[number:]]
    return [*actions[: number - 1], *actions[number:own], step, *actions[own:]]


def postponed(actions: Sequence[Action], first: int, second: int) -> list[Action]:
    """The schedule in which the thread of step `first` is suspended from there until step `second` of another thread is
    done."""
    thread = actions[first - 1].thread
    between = actions[first - 1 : second]
    kept = [action for action in between if action.thread != thread]
    moved = [action for action in between if action.thread == thread]
    return [*actions[: first - 1], *kept, *moved, *actions[second:]]


def advanced(actions: Sequence[Action], first: int, second: int) -> list[Action]:
    """The schedule in which the thread of step `second` executes it before step `first` of another thread."""
    thread = actions[second - 1].thread
    between = actions[first - 1 : second]
    moved = [action for action in between if action.thread == thread]
    kept = [action for action in between if action.thread != thread]
    return [*actions[: first - 1], *moved, *kept, *actions[second:]]


def _ordered(trials: Trials, actions: Sequence[Action]) -> set[int]:
    """Both ends of each pair of steps of two threads whose order cannot be reversed, restricted to tight pairs: no
    later step of the one thread and no earlier step of the other has to be in that order."""
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
    """The tight pairs of two threads, by one pass: a step that has to precede some step also has to precede that
    thread's later steps, and what has to follow a thread's later step also has to follow its earlier ones."""
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
    """The steps whose choice matters."""
    found: set[int] = set()
    for number, action in enumerate(actions, start=1):
        steps = trials.interpreter.successors(trials.states[number - 1])
        others = [s.action for s in steps if s.action.thread == action.thread and s.action != action]
        changed = ([*actions[: number - 1], other, *actions[number:]] for other in others)
        if others and not any(trials.holds(schedule) for schedule in changed):
            found.add(number)
    return found


def _last(trials: Trials, actions: Sequence[Action]) -> set[int]:
    """For each thread, the last step that it has to execute."""
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
    """The steps that matter, plus those needed to show the violation when all others are late."""
    while not trials.holds(late(actions, found)):
        missing = [n for n in range(len(actions), 0, -1) if n not in found]
        if not missing:
            return found
        switches = [n for n in missing if n < len(actions) and actions[n].thread != actions[n - 1].thread]
        found = found | {(switches or missing)[0]}
    return found
