"""Whether an edit may be a fix, in milliseconds: breadth first over the states of the reference
interpreter.

This is a filter and never a verdict: an edit that passes is checked like any model, from its
written source. An edit that does not pass is reported with what it leaves violated and the length
of the shortest schedule to that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from dio_mc.ir.program import LIVENESS, Program
from dio_mc.semantics.evaluation import Evaluate
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Step

Fate = Literal["passes", "open", "invalid", "undecided"]
"""``passes``: no violation that counts. ``open``: there is one. ``invalid``: it is not a model.
``undecided``: too many states for this filter, or out of time."""
FAULTS: Final = "faults"
UNREACHED: Final = -1
"""The length of a schedule that does not exist, because a state that must be reachable is not."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What an edit has to achieve: `goals` are to hold; `spared` are violated before and may stay
    so. Faults are named by kind."""

    goals: frozenset[str]
    spared: frozenset[str] = frozenset()

    def minds(self, name: str) -> bool:
        """Whether a violation of this property counts."""
        return kind_of(name) not in self.spared


def kind_of(name: str) -> str:
    """The name of a property; of a fault without its place."""
    return name.split("@")[0]


@dataclass(frozen=True, slots=True)
class Screened:
    """The result for an edit: the violations that it leaves, each with the length of the shortest
    schedule, and its states."""

    fate: Fate
    open: tuple[tuple[str, int], ...] = ()
    states: int = 0
    why: str = ""


@dataclass(slots=True)
class _Watch:
    """The properties that are evaluated, as functions of a state, or of the cells of two states."""

    states: dict[str, Evaluate] = field(default_factory=dict)
    steps: dict[str, Evaluate] = field(default_factory=dict)
    awaited: dict[str, Evaluate] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, interpreter: Interpreter, asked: Requirement) -> _Watch:
        """The properties of a program; those that need the solver or the graph of all states are
        left out."""
        watch = cls()
        kinds = {"invariant": watch.states, "step": watch.steps, "reachable": watch.awaited}
        for p in interpreter.program.properties:
            if p.expr is not None and p.kind not in LIVENESS and asked.minds(p.name):
                kinds[p.kind][p.name] = interpreter.compiled(p.expr)[0]
        return watch

    def see(self, state: State, depth: int) -> None:
        """Evaluate a new state."""
        for name in [n for n, holds in self.states.items() if not holds(state)]:
            self.found[name] = depth
            del self.states[name]
        for name in [n for n, holds in self.awaited.items() if holds(state)]:
            del self.awaited[name]

    def take(self, state: State, after: State, depth: int) -> None:
        """Evaluate a step."""
        for name in [n for n, holds in self.steps.items() if not holds(state + after)]:
            self.found[name] = depth
            del self.steps[name]


def screened(program: Program, asked: Requirement, most: int, enough: Callable[[], object]) -> Screened:
    """Explore up to a number of states, or until all goals are known to be violated; `enough` is
    polled."""
    interpreter = Interpreter(program)
    watch = _Watch.of(interpreter, asked)
    goals = decided_here(program, asked.goals)
    seen = set(interpreter.initial())
    level, depth = sorted(seen), 0
    if interpreter.initial_faults and asked.minds(interpreter.initial_faults[0][1].kind):
        return Screened("open", ((interpreter.initial_faults[0][1].kind, 0),))
    while level:
        further: list[State] = []
        for state in level:
            watch.see(state, depth)
            _expand(interpreter, state, watch, asked, depth, seen, further)
        if goals and goals <= watch.found.keys():
            return Screened("open", _listed(watch.found), len(seen))
        if len(seen) > most or enough() is not None:
            return Screened("open" if watch.found else "undecided", _listed(watch.found), len(seen))
        level, depth = further, depth + 1
    found = {**watch.found, **dict.fromkeys(watch.awaited, UNREACHED)}
    return Screened("open" if found else "passes", _listed(found), len(seen))


def _expand(
    interpreter: Interpreter,
    state: State,
    watch: _Watch,
    asked: Requirement,
    depth: int,
    seen: set[State],
    further: list[State],
) -> None:
    steps = interpreter.successors(state)
    program = interpreter.program
    if not steps and program.check_deadlock and asked.minds("deadlock") and unfinished(interpreter, state):
        watch.found.setdefault("deadlock", depth)
    for step in steps:
        after = step.state
        if after is None:
            _fault(step, watch, asked, depth + 1)
            continue
        watch.take(state, after, depth + 1)
        if after not in seen:
            seen.add(after)
            further.append(after)


def _fault(step: Step, watch: _Watch, asked: Requirement, depth: int) -> None:
    if step.fault is not None and asked.minds(step.fault.kind):
        watch.found.setdefault(step.fault.kind, depth)


def _listed(found: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(found.items()))


def decided_here(program: Program, goals: frozenset[str]) -> frozenset[str]:
    """The goals that can be decided here."""
    later = {p.name for p in program.properties if p.kind in LIVENESS or p.kind == "reachable" or p.expr is None}
    return goals - later


def unfinished(interpreter: Interpreter, state: State) -> bool:
    """Whether a thread that is not a daemon has not ended; if no step is enabled, this is a
    deadlock."""
    program = interpreter.program
    return any(state[pc] and not program.template_of(thread).daemon for thread, pc in enumerate(interpreter.layout.pc))


def without(interpreter: Interpreter, state: State, absent: Sequence[int]) -> State:
    """The state in which some threads have already ended."""
    cells = list(state)
    for thread in absent:
        cells[interpreter.layout.pc[thread]] = 0
    return tuple(cells)
