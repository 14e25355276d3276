"""The steps that can be taken beside a schedule, and what follows them: a graph of positions connected by steps, of
small depth.

A position is a state, so two schedules that lead to the same state lead to the same position. With this graph a page
lets its reader leave a run at any step, continue for a few steps, and return, without running the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from dio_mc.semantics.evaluator import Decision, PropertyEvaluator
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Step
from dio_mc.semantics.stop import Stop
from dio_mc.stepping.walk import Walk
from dio_mc.trace.naming import Naming, fault_of, place_of
from dio_mc.trace.replay import is_deadlock
from dio_mc.trace.standing import decide_at_end, standings
from dio_mc.trace.trace import Change, Place, TraceFault, Waiting

DEPTH: Final = 4
"""The number of steps beside a run that a page contains."""
MOST: Final = 1_000
"""The default limit on further steps, besides those from the run's own states, that a page contains: about 100 kB."""


@dataclass(frozen=True, slots=True)
class Way:
    """A step that can be taken. `segment` is its schedule text (``reader``, ``reader:2``); `target` is the position it
    leads to, None for a fault; `at` are the step properties that it violates."""

    thread: str
    location: str
    choice: tuple[int, ...]
    text: str
    calls: tuple[str, ...]
    anchor: str | None
    place: Place | None
    segment: str
    changes: tuple[Change, ...]
    fault: TraceFault | None
    target: int | None
    at: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A state. `ways` is None if its steps were not computed. `at` are the state properties violated there (of liveness
    properties: whose goal holds there), `unknown` those that were not decided. `deadlock`: no thread can run, and one
    that should end has not."""

    ways: tuple[Way, ...] | None
    waiting: tuple[Waiting, ...]
    at: tuple[str, ...]
    unknown: tuple[str, ...]
    deadlock: bool


@dataclass(frozen=True, slots=True)
class Ways:
    """The graph. `along` are the positions of the run, state by state; all others are at most `depth` steps from it.
    `cut`: a bound left some of these out."""

    positions: tuple[Position, ...]
    along: tuple[int, ...]
    depth: int
    cut: bool


def ways_beside(
    interpreter: Interpreter,
    evaluators: Sequence[PropertyEvaluator],
    states: Sequence[State],
    *,
    depth: int = DEPTH,
    most: int = MOST,
    exceeded: Callable[[], Stop | None] = lambda: None,
) -> Ways:
    """Explore around a run, nearest positions first. The steps from the run's own states are always included; `most`
    bounds the number of further steps, and when `exceeded` returns a reason, what was found so far is kept."""
    search = _Search(interpreter, evaluators)
    along = tuple(search.number(state, 0) for state in states)
    steps, cut, at = 0, False, 0
    while at < len(search.states):
        far = search.far[at]
        if far < depth and (far == 0 or (steps < most and exceeded() is None)):
            search.ways[at] = search.look(at)
            steps += len(search.ways[at] or ())
        elif far < depth:
            cut = True
        at += 1
    return Ways(tuple(search.position(n) for n in range(len(search.states))), along, depth, cut)


class _Search:
    """States numbered in the order in which they were found."""

    def __init__(self, interpreter: Interpreter, evaluators: Sequence[PropertyEvaluator]) -> None:
        self._interpreter = interpreter
        self._naming = Naming(interpreter.program, interpreter.layout)
        self._of_states = [evaluator for evaluator in evaluators if evaluator.property.kind != "step"]
        self._of_steps = [evaluator for evaluator in evaluators if evaluator.property.kind == "step"]
        self._numbers: dict[State, int] = {}
        self.states: list[State] = []
        self.far: list[int] = []
        self.ways: dict[int, tuple[Way, ...]] = {}

    def number(self, state: State, far: int) -> int:
        """The number of a state that is `far` steps from the run."""
        if state not in self._numbers:
            self._numbers[state] = len(self.states)
            self.states.append(state)
            self.far.append(far)
        return self._numbers[state]

    def look(self, number: int) -> tuple[Way, ...]:
        """The steps that can be taken in a state."""
        walk = Walk(self._interpreter, 0, (self.states[number],))
        return tuple(self._way(walk, step, self.far[number] + 1) for step in walk.options)

    def _way(self, walk: Walk, step: Step, far: int) -> Way:
        program, naming, before = self._interpreter.program, self._naming, walk.states[-1]
        thread, location = step.action.thread, step.action.location
        here = naming.location(thread, location)
        shared, own = naming.changes(before, before if step.state is None else step.state)
        return Way(
            program.threads[thread].name, here.name, step.action.choice, here.text, naming.calls(thread, location),
            here.anchor, place_of(here.span), walk.segment(step), shared + own, fault_of(step.fault),
            None if step.state is None else self.number(step.state, far), self._violated(before, step),
        )  # fmt: skip

    def _violated(self, before: State, step: Step) -> tuple[str, ...]:
        if step.state is None:
            return ()
        both = (before, step.state)
        wrong = Decision.VIOLATED
        return tuple(j.property.name for j in self._of_steps if decide_at_end(self._interpreter, j, both) is wrong)

    def position(self, number: int) -> Position:
        """The position of a state."""
        state = self.states[number]
        found = standings(self._interpreter, self._of_states, [state])
        options = self._interpreter.successors(state)
        return Position(
            self.ways.get(number),
            self._naming.blocked(state, options),
            tuple(one.property for one in found if one.at),
            tuple(one.property for one in found if one.unknown),
            is_deadlock(self._interpreter, state),
        )
