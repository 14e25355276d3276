"""A schedule in the making: states passed and actions taken on the reference interpreter, with undo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Violation
from dio_mc.semantics.step import Action, Step, count_switches
from dio_mc.stepping.script import All, Placed, Segment, Start, Steps, Until, spelled
from dio_mc.trace.divergence import Divergence
from dio_mc.trace.replay import follow as follow_trace
from dio_mc.trace.trace import Trace

MOST_STEPS: Final = 10_000
"""Steps that one segment may take: a thread that runs as far as it can may run forever."""


class Refused(Exception):
    """A step that the model does not allow here, in words."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a schedule has come. `initial` counts initial states from 0, `states` begins with that one and has one more
    than `steps`, but where the last step is a fault: that one has no state after it."""

    interpreter: Interpreter
    initial: int
    states: tuple[State, ...]
    steps: tuple[Step, ...] = ()

    @property
    def program(self) -> Program:
        """The program that is walked through."""
        return self.interpreter.program

    @property
    def ended(self) -> bool:
        """Whether the last step was a fault."""
        return bool(self.steps) and self.steps[-1].fault is not None

    @property
    def options(self) -> list[Step]:
        """The steps that exist now, in the order of threads and of the ways to go on of each."""
        return [] if self.ended else self.interpreter.successors(self.states[-1])

    def of(self, thread: int) -> list[Step]:
        """The ways in which a thread can go on now."""
        return [step for step in self.options if step.action.thread == thread]

    def segment(self, step: Step) -> str:
        """The schedule that says one of the steps that exist now: ``reader``, where it has to choose ``reader:2``."""
        name, ways = self.program.threads[step.action.thread].name, self.of(step.action.thread)
        return f"{name}:{ways.index(step) + 1}" if len(ways) > 1 else name

    def taken(self, step: Step) -> Walk:
        """One step further."""
        states = self.states if step.state is None else (*self.states, step.state)
        return replace(self, states=states, steps=(*self.steps, step))

    def undone(self) -> Walk:
        """One step back. Raises `Refused` at the start."""
        if not self.steps:
            raise Refused("this is the start")
        states = self.states if self.ended else self.states[:-1]
        return replace(self, states=states, steps=self.steps[:-1])

    def violation(self, name: str, further: Sequence[Action] = (), like: Violation | None = None) -> Violation:
        """The run up to here and `further`, as one that violates a property; `like` has its fault and loop."""
        actions = (*(step.action for step in self.steps), *further)
        fault = self.steps[-1].fault if self.ended else like.fault if like is not None else None
        loop = None if like is None or like.loop is None else like.loop + len(self.steps)
        return Violation(name, self.initial, actions, count_switches(actions), fault, loop)

    def spelled(self) -> str:
        """The schedule as text that `script.parse` reads."""
        told: list[tuple[str, int | None]] = []
        for state, step in zip(self.states, self.steps, strict=False):
            ways = [s.action for s in self.interpreter.successors(state) if s.action.thread == step.action.thread]
            way = ways.index(step.action) + 1 if len(ways) > 1 else None
            told.append((self.program.threads[step.action.thread].name, way))
        return spelled(told, self.initial + 1)


def begin(program: Program, initial: int = 0) -> Walk:
    """A walk that stands at an initial state (from 0). Raises `Refused` where there is none of that number."""
    interpreter = Interpreter(program)
    start = next(islice(interpreter.starting(), initial, None), None)
    if start is None:
        count = len(interpreter.initial())
        states = "initial state" if count == 1 else "initial states"
        raise Refused(f"there is no initial state {initial + 1}: the model has {count} {states}")
    return Walk(interpreter, initial, (start,))


def retraced(program: Program, trace: Trace) -> Iterator[Walk]:
    """The walk after each step of a stored trace. Raises `Refused` where the model does not go so far."""
    interpreter = Interpreter(program)
    run = follow_trace(interpreter, trace)
    if isinstance(run, Divergence):
        where = f"step {run.step}" if run.step else "the initial state"
        raise Refused(f"{where}: {run.message}")
    initial = next(n for n, state in enumerate(interpreter.starting()) if state == run.states[0])
    walk = Walk(interpreter, initial, (run.states[0],))
    for thread, stored in zip(run.threads, trace.steps, strict=False):
        walk = walk.taken(next(step for step in walk.of(thread) if step.action.choice == stored.choice))
        yield walk


def end_of(program: Program, trace: Trace) -> Walk:
    """The walk to the end of a stored trace, its start where it has no steps. Raises `Refused` where the model does not
    go so far."""
    if trace.steps:
        *_, walk = retraced(program, trace)
        return walk
    interpreter = Interpreter(program)
    run = follow_trace(interpreter, trace)
    if isinstance(run, Divergence):
        raise Refused(f"the initial state: {run.message}")
    initial = next((n for n, state in enumerate(interpreter.starting()) if state == run.states[0]), 0)
    return Walk(interpreter, initial, (run.states[0],))


def thread_named(program: Program, name: str) -> int:
    """The position of a thread; ``reader`` is also the first of ``reader[0]``, ``reader[1]`` where it is alone. Raises
    `Refused` with the names that there are."""
    names = [thread.name for thread in program.threads]
    if name in names:
        return names.index(name)
    if name == "start":
        raise Refused("`start` needs a number")
    raise Refused(f"no thread `{name}`; there are: {', '.join(names)}")


def follow(walk: Walk, placed: Sequence[Placed]) -> Iterator[Walk]:
    """The walk after each step of the segments. Raises `Refused` with the number of the step that is not possible."""
    for one in placed:
        for further in _segment(walk, one.segment):
            walk = further
            yield walk


def _segment(walk: Walk, segment: Segment) -> Iterator[Walk]:
    match segment:
        case Start(number):
            yield begin(walk.program, number - 1)
        case Steps(name, count, first, way):
            thread = thread_named(walk.program, name)
            if first is not None and first != len(walk.steps) + 1:
                raise Refused(f"step {first} of {name} cannot be next: the next step is {len(walk.steps) + 1}")
            for _ in range(count):
                walk = walk.taken(_next(walk, thread, way))
                yield walk
        case Until(name, word):
            yield from _until(walk, thread_named(walk.program, name), word)
        case All(name):
            yield from _all(walk, thread_named(walk.program, name))


def _all(walk: Walk, thread: int) -> Iterator[Walk]:
    for _ in range(MOST_STEPS):
        ways = walk.of(thread)
        if len(ways) != 1:
            return
        walk = walk.taken(ways[0])
        yield walk
    raise Refused(f"{walk.program.threads[thread].name} goes on after {MOST_STEPS:,} steps: say how far it runs")


def _until(walk: Walk, thread: int, word: str) -> Iterator[Walk]:
    for _ in range(MOST_STEPS):
        if word in _words_at(walk, thread):
            return
        walk = walk.taken(_next(walk, thread, None))
        yield walk
    raise Refused(f"{walk.program.threads[thread].name} does not come to `{word}` in {MOST_STEPS:,} steps")


def _words_at(walk: Walk, thread: int) -> str:
    """The statement, operations and kernel function that a thread stands before."""
    if walk.ended:
        return ""
    pc = walk.states[-1][walk.interpreter.layout.pc[thread]]
    here = walk.program.template_of(thread).locations[pc]
    return "\n".join(filter(None, [here.text, here.name, here.anchor, *here.operations])) if pc else ""


def _next(walk: Walk, thread: int, way: int | None) -> Step:
    """The step that a thread takes. Raises `Refused` where it cannot, or where it has to be told which way."""
    name, number = walk.program.threads[thread].name, len(walk.steps) + 1
    ways = walk.of(thread)
    if not ways:
        raise Refused(f"step {number}: {why_not(walk, thread)}")
    if way is None and len(ways) > 1:
        listed = ", ".join(f"{name}:{n}" for n in range(1, len(ways) + 1))
        raise Refused(f"step {number}: {name} has {len(ways)} ways to go on: say {listed}")
    if way is not None and way > len(ways):
        count = "one way" if len(ways) == 1 else f"{len(ways)} ways"
        raise Refused(f"step {number}: {name} has {count} to go on, not {way}")
    return ways[(way or 1) - 1]


def why_not(walk: Walk, thread: int) -> str:
    """Why a thread has no step now."""
    name = walk.program.threads[thread].name
    if walk.ended:
        return "the schedule has ended in a fault"
    pc = walk.states[-1][walk.interpreter.layout.pc[thread]]
    template = walk.program.template_of(thread)
    if pc == 0:
        return f"{name} is idle: nothing has started it" if template.spawned else f"{name} has ended"
    return f"{name} cannot run: it waits at {template.locations[pc].text.replace('self.', '')}"
