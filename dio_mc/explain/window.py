"""The decisive window: two steps of one thread between which no other thread must run.

A candidate is a pair of steps of the trace with another thread's step between them. It is tried on the model: the
search is run again where, while a thread stands between the two and can run, only that thread may move. If the
violation is gone, and a thread still gets through to the other side, the window is decisive. Shortest windows come
first. States are counted, not seconds, so that the answer is the same every time.
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
    """The transition system in which a thread that stands in a window, and can run, runs alone. `window` are
    (template, location) pairs."""

    def __init__(self, interpreter: Interpreter, window: frozenset[tuple[int, int]]) -> None:
        self._interpreter = interpreter
        self._window = window
        self._template = [thread.template for thread in interpreter.program.threads]

    def starting(self) -> Iterator[State]:
        """As without the window."""
        return self._interpreter.starting()

    def successors(self, state: State) -> Sequence[Step]:
        """The steps out of the window, where there are any."""
        steps = self._interpreter.successors(state)
        return [step for step in steps if self.holds(step)] or steps

    def holds(self, step: Step) -> bool:
        """Whether a step is of a thread that stands in the window."""
        return self.has(step.action.thread, step.action.location)

    def has(self, thread: int, location: int) -> bool:
        """Whether a thread that stands there is in the window."""
        return (self._template[thread], location) in self._window


class _Walled(Graph):
    """The graph of such a system. A window is one step for the others: whether a thread is owed a turn is asked where
    nobody stands in it. A state in it adds no one to those who can run at some time (strong fairness), and takes no one
    from those who can run all the time (weak fairness)."""

    def __init__(self, exclusive: Exclusive, threads: int, fairness: Fairness) -> None:
        super().__init__()
        self._exclusive = exclusive
        self._neutral = (1 << threads) - 1 if fairness == "weak" else 0

    def enabled(self, state: State) -> int:
        return self._neutral if self.inside(state) else super().enabled(state)

    def inside(self, state: State) -> bool:
        """Whether somebody stands in the window who can run."""
        return any(self._exclusive.holds(step) for step in self.steps[state])

    def spins(self, region: Iterable[State]) -> bool:
        """Whether a thread can go round in the window forever, all in these states."""
        inside = {state for state in region if self.inside(state)}
        return any(self.moving(component) for component in components(self, inside))


class _Compiled:
    """Decides a property by its compiled form; `symbolic` has proved that to be what the author wrote."""

    def __init__(self, property_: Property, expr: Expr) -> None:
        self.property = property_
        self.observations = (Observation(property_.name, None, expr, after=property_.kind == "step"),)
        self.formulas: tuple[Expr, ...] = ()

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        """True or false."""
        return [Decision.HOLDS if value else Decision.VIOLATED for (value,) in valuations]


class _Watch(Watch):
    """Ends the search at the first level with the violation in question; any other may happen. `passed`: some step
    has led out of the window. A thread that spins in it while it keeps the others out only hides the violation."""

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
        """Whether the violation was seen, one that a single state or step shows."""
        goals, at_start = self.found()
        return self._name in {name for name, _ in goals} | {violation.property for violation in at_start}

    def lasting(self, levels: Sequence[Sequence[State]]) -> bool:
        """Whether the violation is seen in all that was searched, one that takes whole runs to show."""
        return bool(self.violated_at_last(levels)) or self._spins()

    def _spins(self) -> bool:
        """Whether a thread can stay in the window forever, away from where it should come again and again."""
        live = [tracker for tracker in self.trackers if tracker.evaluator.property.kind == "progress"]
        away = (s for t in live for s in self.graph.steps if t.truth(s) is Decision.VIOLATED)
        return self.walled.spins(away)


class Try(NamedTuple):
    """What making one window atomic gave: whether the violation is gone (None: too many states to say)."""

    gone: bool | None
    states: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The steps of a run, and those after its end: what threads wait for there, or do first in a loop's next round."""

    actions: Sequence[Action]
    pending: Sequence[Action] = ()

    def own(self, thread: int) -> list[tuple[int, Action]]:
        """The steps of a thread with their numbers, from 1; one after the end is one past it."""
        taken = [(number, action) for number, action in enumerate(self.actions, start=1) if action.thread == thread]
        return [*taken, *((len(self.actions) + 1, action) for action in self.pending if action.thread == thread)]


def decisive_window(
    interpreter: Interpreter, schedule: Schedule, name: str, property_: Property | None, max_states: int
) -> tuple[Window | None, WindowSearch, int]:
    """The shortest window of a schedule without which `name` is not violated, how the search for it ended, and the
    states that it went through in all tries."""
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
    """Pairs of steps of one thread with steps of others between them, those with fewest own steps first."""
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
    """Search again with a window made atomic, in at most `most` states."""
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
