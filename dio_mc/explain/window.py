"""The decisive window: two steps of one thread between which no other thread must run.

A candidate is a pair of steps of a thread in the trace with another thread's step between them. It is tested on the
model: the search is repeated with the restriction that, while a thread is between the two steps and can run, only that
thread may run. If the violation has disappeared, and a thread still gets through to the end of the window, the window
is decisive. Shorter windows are tested first. The limit is a number of states, not seconds, so that the answer is
deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from dio_mc.engines.limits import Limits
from dio_mc.engines.reference.components import Graph, components
from dio_mc.engines.reference.search import Search
from dio_mc.engines.reference.watch import Watch
from dio_mc.ir.expr import Expr
from dio_mc.ir.program import LIVENESS, Fairness, Property
from dio_mc.semantics.evaluator import Decision, Observation
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Budget
from dio_mc.semantics.step import Action, Step
from dio_mc.trace.cause import Window, WindowSearch


class Exclusive:
    """The transition system in which a thread that is inside a window, and can run, runs alone. `window` is a set of
    (template, location) pairs."""

    def __init__(self, interpreter: Interpreter, window: frozenset[tuple[int, int]]) -> None:
        self._interpreter = interpreter
        self._window = window
        self._template = [thread.template for thread in interpreter.program.threads]

    def starting(self) -> Iterator[State]:
        """The initial states, unchanged."""
        return self._interpreter.starting()

    def successors(self, state: State) -> Sequence[Step]:
        """The steps of threads inside the window; if there are none, all steps."""
        steps = self._interpreter.successors(state)
        return [step for step in steps if self.holds(step)] or steps

    def holds(self, step: Step) -> bool:
        """Whether a step is of a thread inside the window."""
        return self.has(step.action.thread, step.action.location)

    def has(self, thread: int, location: int) -> bool:
        """Whether a thread at this location is inside the window."""
        return (self._template[thread], location) in self._window


class _Walled(Graph):
    """The graph of such a system. For the other threads a window is one step, so fairness is evaluated only at states
    where no thread is inside it: a state inside adds no thread to those that can run at some time (strong fairness),
    and removes none from those that can run all the time (weak fairness)."""

    def __init__(self, exclusive: Exclusive, threads: int, fairness: Fairness) -> None:
        super().__init__()
        self._exclusive = exclusive
        self._neutral = (1 << threads) - 1 if fairness == "weak" else 0

    def enabled(self, state: State) -> int:
        return self._neutral if self.inside(state) else super().enabled(state)

    def inside(self, state: State) -> bool:
        """Whether a thread that is inside the window can run."""
        return any(self._exclusive.holds(step) for step in self.steps[state])

    def spins(self, region: Iterable[State]) -> bool:
        """Whether a thread can run in the window forever, within these states."""
        inside = {state for state in region if self.inside(state)}
        return any(self.moving(component) for component in components(self, inside))


class _Compiled:
    """Decides a property by its compiled form, which `symbolic` has proved equivalent to the author's formula."""

    def __init__(self, property_: Property, expr: Expr) -> None:
        self.property = property_
        self.observations = (Observation(property_.name, None, expr, after=property_.kind == "step"),)
        self.formulas: tuple[Expr, ...] = ()

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        """One decision per valuation, which consists of the value of the compiled form."""
        return [Decision.HOLDS if value else Decision.VIOLATED for (value,) in valuations]


class _Watch(Watch):
    """Ends the search after the first level with the violation in question; other violations do not end it. `passed`:
    some step has left the window. If a thread can loop in the window forever while it excludes the others, the
    violation is only hidden."""

    def __init__(self, interpreter: Interpreter, property_: Property | None, name: str, exclusive: Exclusive) -> None:
        evaluators = (
            [_Compiled(property_, property_.expr)] if property_ is not None and property_.expr is not None else []
        )
        super().__init__(interpreter, evaluators)
        fairness = property_.fairness if property_ is not None else "weak"
        self.walled = _Walled(exclusive, len(interpreter.program.threads), fairness)
        self.graph = self.walled
        self._name = name
        self._exclusive = exclusive
        self._pc = interpreter.layout.pc
        self.passed = False

    def expanded(self, state: State, steps: Sequence[Step], depth: int) -> None:
        super().expanded(state, steps, depth)
        for step in steps:
            thread, after = step.action.thread, step.state
            if after is not None and self._exclusive.holds(step):
                self.passed = self.passed or not self._exclusive.has(thread, after[self._pc[thread]])

    def level_ends(self, depth: int) -> bool:
        super().level_ends(depth)
        return self.happened()

    def happened(self) -> bool:
        """Whether the violation was found, for one that a single state or step shows."""
        goals, at_start = self.found()
        return self._name in {name for name, _ in goals} | {violation.property for violation in at_start}

    def lasting(self, levels: Sequence[Sequence[State]]) -> bool:
        """Whether the violation was found in the whole search, for one that only infinite or complete runs show."""
        return bool(self.violated_at_last(levels)) or self._spins()

    def _spins(self) -> bool:
        """Whether a thread can stay in the window forever, in states where the goal of a progress property does not
        hold."""
        live = [tracker for tracker in self.trackers if tracker.evaluator.property.kind == "progress"]
        away = (s for t in live for s in self.graph.steps if t.truth(s) is Decision.VIOLATED)
        return self.walled.spins(away)


class Try(NamedTuple):
    """The result of testing a window: whether the violation has disappeared (None: too many states to tell), and the
    number of states visited."""

    gone: bool | None
    states: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The steps of a run, and pending ones after its end: what threads wait for there, or do first in a loop's next
    round."""

    actions: Sequence[Action]
    pending: Sequence[Action] = ()

    def own(self, thread: int) -> list[tuple[int, Action]]:
        """The steps of a thread with their numbers (from 1); a pending step has the number after the last one."""
        taken = [(number, action) for number, action in enumerate(self.actions, start=1) if action.thread == thread]
        return [*taken, *((len(self.actions) + 1, action) for action in self.pending if action.thread == thread)]


def decisive_window(
    interpreter: Interpreter, schedule: Schedule, name: str, property_: Property | None, max_states: int
) -> tuple[Window | None, WindowSearch, int]:
    """The shortest window of a schedule that removes the violation of `name`, the outcome of the search for it, and the
    number of states visited in all tests."""
    spent = 0
    for first, last in candidates(schedule):
        tried = try_window(interpreter, schedule, (first, last), name, property_, max_states - spent)
        spent += tried.states
        if tried.gone:
            own = dict(schedule.own(schedule.actions[first - 1].thread))
            return (
                Window(first, last, tuple(n for n in range(first, last) if n not in own), tried.states),
                "found",
                spent,
            )
        if tried.gone is None or spent >= max_states:
            return None, "gave up", spent
    return None, "none", spent


def candidates(schedule: Schedule) -> list[tuple[int, int]]:
    """Pairs of steps of one thread with steps of others between them, those with the fewest steps of that thread
    first."""
    found: list[tuple[int, int, int]] = []
    for thread in dict.fromkeys(action.thread for action in schedule.actions):
        own = [number for number, _ in schedule.own(thread)]
        pairs = combinations(range(len(own)), 2)
        found += [(b - a, own[a], own[b]) for a, b in pairs if own[b] - own[a] > b - a]
    return [(first, last) for _, first, last in sorted(found)]


def try_window(
    interpreter: Interpreter,
    schedule: Schedule,
    pair: tuple[int, int],
    name: str,
    property_: Property | None,
    most: int,
) -> Try:
    """Test a window by searching again with it made atomic, in at most `most` states."""
    first, last = pair
    thread = schedule.actions[first - 1].thread
    template = interpreter.program.threads[thread].template
    places = [action.location for number, action in schedule.own(thread) if first < number <= last]
    exclusive = Exclusive(interpreter, frozenset((template, place) for place in places))
    watch = _Watch(interpreter, property_, name, exclusive)
    search = Search(exclusive, watch, Limits(Budget(max_states=max(1, most))), first=True)
    search.run()
    states = len(search.parents)
    live = property_ is not None and property_.kind in LIVENESS
    if watch.happened() or (live and watch.lasting(search.levels)):
        return Try(False, states)
    if search.stopped is not None:
        return Try(None, states)
    return Try(watch.passed and (template, places[-1]) in watch.fired, states)
