"""A schedule under construction: the states passed and the steps taken on the reference interpreter, with undo."""

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
"""The largest number of steps of one segment; a thread that runs as far as it can may run forever."""


class Refused(Exception):
    """The model does not allow a step here; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A schedule so far. `initial` is the position of the initial state (from 0). `states` begins with that state and
    has one more element than `steps`, unless the last step is a fault, which has no successor."""

    interpreter: Interpreter
    initial: int
    states: tuple[State, ...]
    steps: tuple[Step, ...] = ()

    @property
    def program(self) -> Program:
        """The program of the walk."""
        return self.interpreter.program

    @property
    def ended(self) -> bool:
        """Whether the last step was a fault."""
        return bool(self.steps) and self.steps[-1].fault is not None

    @property
    def options(self) -> list[Step]:
        """The steps that can be taken now, by thread and then by alternative."""
        return [] if self.ended else self.interpreter.successors(self.states[-1])

    def of(self, thread: int) -> list[Step]:
        """The steps that a thread can take now."""
        return [step for step in self.options if step.action.thread == thread]

    def segment(self, step: Step) -> str:
        """The segment of a schedule for one of the current options: ``reader``, or ``reader:2`` if the thread has
        alternatives."""
        name, ways = self.program.threads[step.action.thread].name, self.of(step.action.thread)
        return f"{name}:{ways.index(step) + 1}" if len(ways) > 1 else name

    def taken(self, step: Step) -> Walk:
        """The walk extended by a step."""
        states = self.states if step.state is None else (*self.states, step.state)
        return replace(self, states=states, steps=(*self.steps, step))

    def undone(self) -> Walk:
        """The walk without its last step. Raises `Refused` at the start."""
        if not self.steps:
            raise Refused("this is the start")
        states = self.states if self.ended else self.states[:-1]
        return replace(self, states=states, steps=self.steps[:-1])

    def violation(self, name: str, further: Sequence[Action] = (), like: Violation | None = None) -> Violation:
        """The walk followed by the actions `further`, as a violation of property `name`; `like` supplies the fault and
        the loop."""
        actions = (*(step.action for step in self.steps), *further)
        fault = self.steps[-1].fault if self.ended else like.fault if like is not None else None
        loop = None if like is None or like.loop is None else like.loop + len(self.steps)
        return Violation(name, self.initial, actions, count_switches(actions), fault, loop)

    def spelled(self) -> str:
        """The schedule as text that `script.parse` accepts."""
        listed: list[tuple[str, int | None]] = []
        for state, step in zip(self.states, self.steps, strict=False):
            ways = [s.action for s in self.interpreter.successors(state) if s.action.thread == step.action.thread]
            way = ways.index(step.action) + 1 if len(ways) > 1 else None
            listed.append((self.program.threads[step.action.thread].name, way))
        return spelled(listed, self.initial + 1)


def begin(program: Program, initial: int = 0) -> Walk:
    """A walk at an initial state (from 0). Raises `Refused` if there is no state of that number."""
    interpreter = Interpreter(program)
    start = next(islice(interpreter.starting(), initial, None), None)
    if start is None:
        count = len(interpreter.initial())
        states = "initial state" if count == 1 else "initial states"
        raise Refused(f"there is no initial state {initial + 1}: the model has {count} {states}")
    return Walk(interpreter, initial, (start,))


def retraced(program: Program, trace: Trace) -> Iterator[Walk]:
    """The walk after each step of a stored trace. Raises `Refused` if the model diverges from the trace."""
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
    """The walk to the end of a stored trace, or at its start if it has no steps. Raises `Refused` if the model diverges
    from the trace."""
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
    """The position of a thread. Raises `Refused` with the existing names."""
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
    raise Refused(f"{walk.program.threads[thread].name} still runs after {MOST_STEPS:,} steps: give a number of steps")


def _until(walk: Walk, thread: int, word: str) -> Iterator[Walk]:
    for _ in range(MOST_STEPS):
        if word in _words_at(walk, thread):
            return
        walk = walk.taken(_next(walk, thread, None))
        yield walk
    raise Refused(f"{walk.program.threads[thread].name} does not reach `{word}` in {MOST_STEPS:,} steps")


def _words_at(walk: Walk, thread: int) -> str:
    """The next statement of a thread, its location, and the enclosing operations and kernel function."""
    if walk.ended:
        return ""
    pc = walk.states[-1][walk.interpreter.layout.pc[thread]]
    here = walk.program.template_of(thread).locations[pc]
    return "\n".join(filter(None, [here.text, here.name, here.anchor, *here.operations])) if pc else ""


def _next(walk: Walk, thread: int, way: int | None) -> Step:
    """The step that a thread takes. Raises `Refused` if it cannot run, or if it has alternatives and `way` selects
    none."""
    name, number = walk.program.threads[thread].name, len(walk.steps) + 1
    ways = walk.of(thread)
    if not ways:
        raise Refused(f"step {number}: {why_not(walk, thread)}")
    if way is None and len(ways) > 1:
        listed = " or ".join(f"{name}:{n}" for n in range(1, len(ways) + 1))
        raise Refused(f"step {number}: {name} has {len(ways)} alternatives: choose {listed}")
    if way is not None and way > len(ways):
        count = "one alternative" if len(ways) == 1 else f"{len(ways)} alternatives"
        raise Refused(f"step {number}: {name} has {count}, not {way}")
    return ways[(way or 1) - 1]


def why_not(walk: Walk, thread: int) -> str:
    """The reason why a thread cannot take a step now."""
    name = walk.program.threads[thread].name
    if walk.ended:
        return "the schedule has ended in a fault"
    pc = walk.states[-1][walk.interpreter.layout.pc[thread]]
    template = walk.program.template_of(thread)
    if pc == 0:
        return f"{name} is idle: nothing has started it" if template.spawned else f"{name} has ended"
    return f"{name} cannot run: it waits at {template.locations[pc].text.replace('self.', '')}"
