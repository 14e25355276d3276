"""The command ``step``: a schedule chosen by hand, and what can follow it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dio_mc.cli.limits import MAX_MEMORY, limits_of, within
from dio_mc.cli.types import CLASS, Param, unknown_class

if TYPE_CHECKING:
    from dio_mc.engines.limits import Limits
    from dio_mc.ir.program import Program
    from dio_mc.semantics.evaluator import PropertyEvaluator
    from dio_mc.stepping.walk import Walk
    from dio_mc.trace.trace import Trace


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(step)


HELP = """\
  N                 take option N
  reader            one step of a thread; also `reader 3`, `reader until WORD`, `reader *`, `reader:2`
  undo              one step back
  state             all shared data
  value EXPRESSION  what an expression of the modelling language is worth here
  rest              what can follow from here, on every schedule
  schedule          the steps so far, to be given to `dio-mc step` again
  write FILE        the steps so far as a trace, for show, why and replay
  quit"""


@click.command()
@click.argument("file", metavar="MODEL", type=click.Path())
@click.argument("segments", nargs=-1, metavar="[SEGMENT]...")
@click.option("--model", "name", type=CLASS, metavar="CLASS", help="The class; needed if the file has several.")
@click.option("--param", "params", multiple=True, type=Param(), help="Bind a parameter of the model.")
@click.option("--schedule", metavar="FILE|TEXT", help="A schedule, a file that contains one, or a trace (.json).")
@click.option("--no-rest", is_flag=True, help="Do not explore the continuations of the schedule.")
@click.option("--write", "output", metavar="FILE", type=click.Path(), help="Write the run as a trace.")
@click.option("--max-states", type=click.IntRange(1), default=500_000, show_default=True, metavar="N",
              help="Stop exploring the continuations after N states.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS",
              help="Stop preparing the model, or exploring the continuations, after this time.")  # fmt: skip
@MAX_MEMORY
def step(
    file: str, segments: tuple[str, ...], name: str | None, params: tuple[tuple[str, int], ...], schedule: str | None,
    no_rest: bool, output: str | None, max_states: int, timeout: float | None,
    max_memory: str | None,
) -> None:  # fmt: skip
    """Follow one schedule of a model: is it possible, and what can happen after it?

    A SEGMENT says how far a thread runs: `reader 1-4`, `mapper until ext3_get_block`, `pdflush *`, `reader:2` (the
    second of its alternatives). Then every continuation is explored. Without segments, on a terminal, dio-mc asks for
    each step; from a pipe it reads the same commands, one per line.

    Exit 0 when nothing is violated, 1 when something is, 2 when the schedule cannot be followed, 3 when the search
    of the continuations was stopped.
    """
    from dio_mc.engines.limits import Limits
    from dio_mc.stepping.walk import begin

    limits = limits_of(timeout, max_memory)
    program, evaluators = within(limits, lambda: _prepared(file, name, dict(params)), "the model was read")
    stored = _stored(schedule)
    session = Session(
        begin(program), evaluators, Limits(replace(limits.budget, max_states=max_states), None, limits.started)
    )
    click.echo(f"{file} {program.name}")
    if stored is None and not segments:
        sys.exit(session.talk())
    parts = [part for part in (stored, "\n".join(segments)) if part]
    within(limits, lambda: session.follow(parts), "the schedule was followed to its end")
    session.show(rest=not no_rest)
    if output is not None:
        session.write(output)
    sys.exit(session.code)


def _prepared(file: str, name: str | None, params: dict[str, int]) -> tuple[Program, list[PropertyEvaluator]]:
    from dio_mc.symbolic.evaluator import evaluators_of

    program = _program(file, name, params)
    return program, evaluators_of(program)


def _program(file: str, name: str | None, params: dict[str, int]) -> Program:
    from dio_mc.errors import usage_error
    from dio_mc.frontend import build, load_module

    known = {cls.__name__: cls for cls in load_module(file).models}
    if name is None and len(known) > 1:
        raise usage_error("DIO208", "there are several models: name one with --model", file=file,
                          hint=f"there are: {', '.join(known)}")  # fmt: skip
    chosen = known.get(name or next(iter(known)))
    if chosen is None:
        raise unknown_class(str(name), list(known))
    return build(chosen, params).program


def _stored(schedule: str | None) -> str | Trace | None:
    """A schedule as text, or the trace in a file of that name."""
    if schedule is None or not Path(schedule).is_file():
        return schedule
    from dio_mc.errors import usage_error
    from dio_mc.trace.codec import TraceFormatError, no_trace, read_trace

    if not schedule.endswith(".json"):
        try:
            return Path(schedule).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise usage_error("DIO218", "cannot be read as text", file=schedule) from None
    try:
        return read_trace(schedule)
    except TraceFormatError as error:
        raise no_trace(schedule, error) from None


class Session:
    """A walk, and what was requested about it; `code` is the exit code of the command."""

    def __init__(self, walk: Walk, evaluators: Sequence[PropertyEvaluator], limits: Limits) -> None:
        self.walk, self.evaluators = walk, evaluators
        self._limits = limits
        self.code = 0

    def follow(self, schedules: Sequence[str | Trace]) -> None:
        """Follow one after the other."""
        for schedule in schedules:
            self.run(schedule)

    def run(self, schedule: str | Trace) -> None:
        """Follow a schedule and print a line per step. Raises `ModelError` at a step that is not possible."""
        from dio_mc.errors import usage_error
        from dio_mc.stepping.script import ScriptError, parse
        from dio_mc.stepping.walk import Refused, follow, retraced

        try:
            program = self.walk.program
            walks = follow(self.walk, parse(schedule)) if isinstance(schedule, str) else retraced(program, schedule)
            for self.walk in walks:
                self._say_step()
        except ScriptError as error:
            hint = "a segment is THREAD, THREAD N, THREAD N-M, THREAD until WORD, THREAD * or THREAD:WAY"
            raise usage_error("DIO218", f"line {error.line}: {error}", hint=hint) from None
        except Refused as refused:
            self._say(options=True)
            raise usage_error("DIO218", f"this schedule is not possible: {refused}") from None

    def show(self, *, rest: bool) -> None:
        """Print the state, the properties, the threads that can run, and what can follow."""
        from dio_mc.stepping.shown import violated

        def decided() -> None:
            self._say(options=True)
            if violated(self.walk, self.evaluators):
                self.code = 1

        within(self._limits, decided, "the properties were decided")
        if rest and not self.walk.ended:
            self._rest(self._limits.started)
        click.echo(f"schedule  {self.walk.spelled()}")

    def write(self, output: str) -> None:
        """Write the run as a trace. Raises `ModelError` if the file cannot be written."""
        from dio_mc.errors import usage_error
        from dio_mc.explain.witness import walked
        from dio_mc.files import write_if_changed
        from dio_mc.trace.codec import encode
        from dio_mc.trace.replay import CHOSEN

        trace = walked(self.walk.interpreter, self.walk.violation(CHOSEN), self.evaluators)
        try:
            write_if_changed(Path(output), encode(trace))
        except OSError as error:
            raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=output) from None

    def talk(self) -> int:
        """Ask for each step until the end of input; return the exit code."""
        asked = sys.stdin.isatty()
        self._say(options=True)
        while (line := self._line(asked)) is not None:
            if line in ("quit", "q"):
                break
            self._command(line)
        return self.code

    def _line(self, asked: bool) -> str | None:
        try:
            return input("step> " if asked else "").strip()
        except EOFError:
            return None

    def _command(self, line: str) -> None:
        from dio_mc.errors import DioError

        word, _, rest = line.partition(" ")
        plain: dict[str, Callable[[], None]] = {
            "": lambda: None,
            "help": lambda: click.echo(HELP),
            "?": lambda: click.echo(HELP),
            "undo": self._undo,
            "u": self._undo,
            "state": lambda: self._say(options=False),
            "rest": self._rest,
            "schedule": lambda: click.echo(f"schedule  {self.walk.spelled()}"),
        }
        try:
            if word in plain and not rest:
                plain[word]()
            elif word == "write" and rest:
                self.write(rest)
            elif word == "value" and rest:
                click.echo(f"value     {self._value(rest)}")
            else:
                self.run(self._numbered(line))
                self._say(options=True, state=False)
        except DioError as error:
            click.echo(str(error), err=True)
            if not sys.stdin.isatty():  # a script must not continue from a state other than it expects
                sys.exit(error.exit_code)

    def _value(self, text: str) -> str:
        """The value of an expression in the last state. Raises `ModelError` if it has no meaning there."""
        from dio_mc.errors import ModelError, usage_error
        from dio_mc.frontend.asked import excerpt_of, expression
        from dio_mc.ir.expr import type_of
        from dio_mc.ir.types import show_value

        program = self.walk.program
        if not program.properties:
            raise usage_error("DIO218", "the model has no properties, so expressions cannot be evaluated")
        try:
            asked = expression(program.properties[0].model, program, text)
        except ModelError as error:
            raise usage_error("DIO218", f"`{text}`: {excerpt_of(error)}") from None
        return show_value(type_of(asked), self.walk.interpreter.evaluate(asked, self.walk.states[-1]))

    def _numbered(self, line: str) -> str:
        """The schedule for the number of a listed option."""
        if not line.isdigit():
            return line
        options = self.walk.options
        if not 1 <= int(line) <= len(options):
            return line
        return self.walk.segment(options[int(line) - 1])

    def _undo(self) -> None:
        from dio_mc.errors import usage_error
        from dio_mc.stepping.walk import Refused

        try:
            self.walk = self.walk.undone()
        except Refused as refused:
            raise usage_error("DIO218", str(refused)) from None
        self._say(options=True)

    def _rest(self, started: float | None = None) -> None:
        """Explore what can follow; the clock runs from `started`, or from now."""
        from dio_mc.cli.interrupts import Interrupts
        from dio_mc.engines.limits import Limits
        from dio_mc.guard import OUTER, Ended, Guard, Latch, stop_of
        from dio_mc.stepping.rest import continuations
        from dio_mc.stepping.shown import rest_lines

        budget = self._limits.budget
        with Interrupts() as stop:
            limits = Limits(budget, stop) if started is None else Limits(budget, stop, started)
            try:
                with Guard(limits.exceeded, patience=OUTER):
                    found = continuations(
                        self.walk, self.evaluators, replace(budget, timeout=None), Latch(limits.exceeded).words
                    )
            except (Ended, MemoryError) as ended:
                click.echo(f"rest      stopped by {stop_of(ended)}, before anything was found")
                self.code = self.code or 3
                return
        for line in rest_lines(self.walk, found, self.evaluators):
            click.echo(line)
        kinds = {evaluator.property.name: evaluator.property.kind for evaluator in self.evaluators}
        if any(kinds.get(violation.property) != "reachable" for violation in found.violations):
            self.code = 1
        elif self.code == 0 and found.stopped is not None:
            self.code = 3

    def _say_step(self) -> None:
        from dio_mc.stepping.shown import step_line

        if self.walk.steps:
            click.echo(step_line(self.walk))

    def _say(self, *, options: bool, state: bool = True) -> None:
        from dio_mc.stepping.shown import option_lines, standing_lines, state_lines

        lines = state_lines(self.walk) if state else []
        lines += standing_lines(self.walk, self.evaluators)
        lines += option_lines(self.walk) if options else []
        for line in lines:
            click.echo(line)
