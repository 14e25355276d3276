"""The decisive window: two steps of one thread between which no other thread must run.

A candidate is a pair of steps of the trace with another thread's step between them. It is tried on the model: the
search is run again where, while a thread stands between the two and can run, only that thread may move. If the
violation is gone, and a thread still gets through to the other side, the window is decisive. Shortest windows come
first. States are counted, not seconds, so that the answer is the same every time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from dio_mc.explore.limits import Limits
from dio_mc.explore.search import Search
from dio_mc.explore.watch import Watch
from dio_mc.ir.expr import Expr
from dio_mc.ir.program import Property
from dio_mc.semantics.contract import Action, Budget, Decision, Probe, Step
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.trace.trace import Window, WindowSearch


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
        inside = [s for s in steps if (self._template[s.action.thread], s.action.location) in self._window]
        return inside or steps


class _Compiled:
    """Decides a property by its compiled form; `symbolic` has proved that to be what the author wrote."""

    def __init__(self, property_: Property, expr: Expr) -> None:
        self.property = property_
        self.probes = (Probe(property_.name, None, expr, after=property_.kind == "step"),)

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        """True or false."""
        return [Decision.HOLDS if value else Decision.VIOLATED for (value,) in valuations]


class _Watch(Watch):
    """Ends the search at the first level with the violation in question; any other may happen. `passed`: some step
    has led out of the window. A thread that spins in it while it keeps the others out only hides the violation."""

    def __init__(
        self, interpreter: Interpreter, property_: Property | None, name: str, window: frozenset[tuple[int, int]]
    ) -> None:
        judges = [_Compiled(property_, property_.expr)] if property_ is not None and property_.expr is not None else []
        super().__init__(interpreter, judges)
        self._name = name
        self._window = window
        self._places = [
            (t.template, pc) for t, pc in zip(interpreter.program.threads, interpreter.layout.pc, strict=True)
        ]
        self.passed = False

    def expanded(self, state: State, steps: Sequence[Step], depth: int) -> None:
        super().expanded(state, steps, depth)
        for step in steps:
            template, pc = self._places[step.action.thread]
            if step.state is not None and (template, step.action.location) in self._window:
                self.passed = self.passed or (template, step.state[pc]) not in self._window

    def level_ends(self, depth: int) -> bool:
        super().level_ends(depth)
        return self.happened()

    def happened(self) -> bool:
        """Whether the violation was seen."""
        goals, at_start = self.found()
        return self._name in {name for name, _ in goals} | {violation.property for violation in at_start}


class Try(NamedTuple):
    """What making one window atomic gave: whether the violation is gone (None: too many states to say)."""

    gone: bool | None
    states: int


def decisive_window(
    interpreter: Interpreter, actions: Sequence[Action], name: str, property_: Property | None, max_states: int
) -> tuple[Window | None, WindowSearch, int]:
    """The shortest window of a schedule without which `name` is not violated, how the search for it ended, and the
    states that it went through in all tries."""
    spent = 0
    for first, last in candidates(actions):
        tried = try_window(interpreter, actions, (first, last), name, property_, max_states - spent)
        spent += tried.states
        if tried.gone:
            thread = actions[first - 1].thread
            inside = tuple(n for n in range(first + 1, last) if actions[n - 1].thread != thread)
            return Window(first, last, inside, tried.states), "found", spent
        if tried.gone is None or spent >= max_states:
            return None, "gave up", spent
    return None, "none", spent


def candidates(actions: Sequence[Action]) -> list[tuple[int, int]]:
    """Pairs of steps (from 1) of one thread with steps of others between them, those with fewest own steps first."""
    found: list[tuple[int, int, int]] = []
    for thread in dict.fromkeys(action.thread for action in actions):
        own = [number for number, action in enumerate(actions, start=1) if action.thread == thread]
        pairs = combinations(range(len(own)), 2)
        found += [(b - a, own[a], own[b]) for a, b in pairs if own[b] - own[a] > b - a]
    return [(first, last) for _, first, last in sorted(found)]


def try_window(
    interpreter: Interpreter,
    actions: Sequence[Action],
    pair: tuple[int, int],
    name: str,
    property_: Property | None,
    most: int,
) -> Try:
    """Search again with a window made atomic, in at most `most` states."""
    first, last = pair
    thread = actions[first - 1].thread
    template = interpreter.program.threads[thread].template
    inside = (a for n, a in enumerate(actions, start=1) if first < n <= last and a.thread == thread)
    window = frozenset((template, action.location) for action in inside)
    watch = _Watch(interpreter, property_, name, window)
    search = Search(Exclusive(interpreter, window), watch, Limits(Budget(max_states=max(1, most))), first=True)
    search.run()
    states = len(search.parents)
    if watch.happened():
        return Try(False, states)
    if search.stopped is not None:
        return Try(None, states)
    return Try(watch.passed and (template, actions[last - 1].location) in watch.fired, states)
