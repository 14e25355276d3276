"""Running one step of one thread: through its code, forking at every `Choose`, until it arrives at a location.

`interpreter` decides where runs begin and turns their outcomes into steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, assert_never

from dio_mc.ir.program import Program
from dio_mc.semantics.code import Code, Finish, Fork, Goto, Launch, Pick
from dio_mc.semantics.evaluation import FaultRaised
from dio_mc.semantics.layout import Layout, State
from dio_mc.semantics.step import Fault
from dio_mc.source import Span

BLOCK_LIMIT: Final = 100_000
"""The number of blocks on local cycles that a run may enter before it counts as endless."""

Seen = set[tuple[int, tuple[int, ...]]]


class Frame(NamedTuple):
    """A spawning step, suspended while the local prefix of the new thread runs."""

    thread: int
    at: int
    seen: Seen
    span: Span | None


class Outcome(NamedTuple):
    """The end of one run of a step: exactly one of `state` and `fault` is set."""

    choice: tuple[int, ...]
    state: State | None
    fault: Fault | None


@dataclass(slots=True)
class Run:
    """One run of a step in progress: the current cells, the running thread and its current segment.

    `option` is the alternative to take at the `Choose` that ends this segment, whose operations have already run;
    `span` is that of the whole step; `frames` are the suspended spawning steps, outermost first; `seen` are the
    configurations passed on local cycles, `blocks` their number.
    """

    cells: list[int]
    thread: int
    at: int
    span: Span | None
    choice: tuple[int, ...] = ()
    option: int | None = None
    frames: tuple[Frame, ...] = ()
    seen: Seen = field(default_factory=set)
    blocks: int = 0


class Machine:
    """Executes the compiled threads of a program."""

    def __init__(self, program: Program, layout: Layout, codes: Sequence[Code]) -> None:
        self._program = program
        self._layout = layout
        self._codes = tuple(codes)

    def finish(self, waiting: list[Run]) -> list[Outcome]:
        """Run everything in `waiting` to its end; depth first, so that outcomes come in the order of their choices."""
        return [
            Outcome(run.choice, tuple(run.cells) if fault is None else None, fault) for run, fault in self.runs(waiting)
        ]

    def runs(self, waiting: list[Run]) -> Iterator[tuple[Run, Fault | None]]:
        """As `finish`: each run that ended, with its fault, or None where it is complete."""
        while waiting:
            run = waiting.pop()
            try:
                complete = self._advance(run, waiting)
            except FaultRaised as raised:
                yield run, raised.fault
                continue
            if complete:
                yield run, None

    def enter_and_finish(self, run: Run) -> list[Outcome]:
        """Like `finish`, for one local prefix: if its entry is already a location, the run ends there."""
        if self._enter(run, run.at):
            return [Outcome(run.choice, tuple(run.cells), None)]
        return self.finish([run])

    def _advance(self, run: Run, waiting: list[Run]) -> bool:
        """Continue a run. True: the step is complete. False: the run does not exist, or its forks were added to
        `waiting`."""
        while True:
            segment = self._codes[run.thread].segments[run.at]
            if run.option is None:
                for operation in segment.operations:
                    if not operation(run.cells):
                        return False
            match segment.tail:
                case Goto(target):
                    complete = self._enter(run, target)
                case Fork(condition, then, orelse):
                    complete = self._enter(run, then if condition(run.cells) else orelse)
                case Finish():
                    complete = self._arrive(run, 0)
                case Launch() as launch:
                    complete = self._launch(run, launch)
                case Pick() as pick:
                    if run.option is None:
                        waiting += self._forks(run, pick)
                        return False
                    if not self._take(run, pick, run.option):
                        return False
                    complete = False
                case _:
                    assert_never(segment.tail)
            if complete:
                return True

    def _enter(self, run: Run, target: int) -> bool:
        """Move control to segment `target`; True if that ends the step."""
        code = self._codes[run.thread]
        location = code.places[target]
        if location is not None:
            return self._arrive(run, location)
        run.at = target
        segment = code.segments[target]
        if segment.loops:
            run.blocks += 1
            if run.blocks > BLOCK_LIMIT or (segment.compared and _repeats(run)):
                raise FaultRaised("endless_loop", "a loop of local statements that never reaches a step", run.span)
        return False

    def _arrive(self, run: Run, location: int) -> bool:
        """The running thread arrives at a location. If a spawning step is suspended, it continues; otherwise the step
        ends (True)."""
        for cell, value in self._codes[run.thread].arrive[location]:
            run.cells[cell] = value
        if not run.frames:
            return True
        *outer, frame = run.frames
        run.frames = tuple(outer)
        run.thread, run.at, run.seen, run.span = frame
        return False

    @staticmethod
    def _forks(run: Run, pick: Pick) -> list[Run]:
        """One run per option, in reverse order: the first option is popped first."""
        return [
            replace(run, cells=run.cells.copy(), choice=(*run.choice, option), option=option, seen=set(run.seen))
            for option in reversed(range(len(pick.options)))
        ]

    @staticmethod
    def _take(run: Run, pick: Pick, option: int) -> bool:
        """Take an option; False if it is not open."""
        when, value = pick.options[option]
        if when is not None and not when(run.cells):
            return False
        chosen = value(run.cells)
        pick.place.write(run.cells, pick.place.address(run.cells), chosen)
        run.option = None
        run.at = pick.target
        return True

    def _launch(self, run: Run, launch: Launch) -> bool:
        """Start the first idle instance and run its prefix; the spawning step continues when that has arrived at a
        location."""
        arguments = [argument(run.cells) for argument in launch.arguments]
        thread = self._idle_instance(run, launch)
        code = self._codes[thread]
        for cell, default in code.clear:
            run.cells[cell] = default
        for place, value in zip(code.parameters, arguments, strict=True):
            try:
                place.write(run.cells, place.address(run.cells), value)
            except FaultRaised as raised:
                raise FaultRaised("range", raised.fault.message, launch.span) from None
        run.frames = (*run.frames, Frame(run.thread, launch.target, run.seen, run.span))
        run.thread, run.seen, run.span = thread, set(), code.entry_span
        return self._enter(run, code.entry)

    def _idle_instance(self, run: Run, launch: Launch) -> int:
        busy = {run.thread, *(frame.thread for frame in run.frames)}
        instances = [t for t, thread in enumerate(self._program.threads) if thread.template == launch.template]
        for thread in instances:
            if run.cells[self._layout.pc[thread]] == 0 and thread not in busy:
                return thread
        name = self._program.templates[launch.template].name
        raise FaultRaised("spawn", f"no idle slot for {name}: all {len(instances)} are running", launch.span)


def _repeats(run: Run) -> bool:
    """Whether the run has been at this segment with the same cells. If not, it has been now."""
    configuration = run.at, tuple(run.cells)
    if configuration in run.seen:
        return True
    run.seen.add(configuration)
    return False
