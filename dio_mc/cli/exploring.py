"""Exploring other runs of a model, for the pages of `browse` and `show`. Only models that the user named are
executed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dio_mc.engines.limits import Limits
from dio_mc.errors import DioError, ModelError
from dio_mc.explain.replaying import IS_PRODUCT, program_of
from dio_mc.explain.witness import walked
from dio_mc.frontend.asked import excerpt_of, expression
from dio_mc.guard import Ended, Guard, stop_of
from dio_mc.html.folder import Found
from dio_mc.html.live import Follows, Live, RunRequest, Watch
from dio_mc.ir.expr import type_of
from dio_mc.ir.types import show_value
from dio_mc.semantics.search import Budget
from dio_mc.stepping.rest import continuations
from dio_mc.stepping.script import ScriptError, parse
from dio_mc.stepping.shown import follows
from dio_mc.stepping.walk import Refused, Walk, end_of, follow
from dio_mc.stepping.ways import Ways, ways_beside
from dio_mc.symbolic.evaluator import evaluators_of
from dio_mc.trace.replay import CHOSEN
from dio_mc.trace.trace import Trace

if TYPE_CHECKING:
    from dio_mc.ir.program import Program
    from dio_mc.semantics.evaluator import PropertyEvaluator
    from dio_mc.semantics.stop import Stop

SECONDS: Final = 20.0
"""The time limit for one page."""
MOST_STATES: Final = 200_000
"""The largest number of states explored for what can follow a run."""


def ways_of(
    trace: Trace, path: str, model_file: str | None, exceeded: Callable[[], Stop | None] = lambda: None
) -> Ways:
    """The steps beside a stored trace, for its page. Executes the model as `dio-mc replay` does. Raises `ModelError` if
    that is not possible, `Refused` if the model has changed."""
    program = program_of(trace, path, model_file, shipped)
    walk = end_of(program, trace)
    return ways_beside(walk.interpreter, evaluators_of(program), walk.states, exceeded=exceeded)


def shipped(name: str) -> Program | None:
    """The program of a shipped rule and workload, by name."""
    from dio_mc.study.registry import open_registry, program_named

    return program_named(open_registry(), name)


class Models:
    """An `Explorer` (`html.live`) for the models in these files and the rules in these folders."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = {path.resolve() for path in paths if path.is_file()}
        self._folders = [path for path in paths if path.is_dir()]
        self._programs: dict[tuple[object, ...], tuple[Program, list[PropertyEvaluator]]] = {}
        self._lock = threading.Lock()

    def __call__(self, found: Found, request: RunRequest, depth: int = 1) -> Live | str:
        """The requested run. Requests are handled one at a time, with a limit of `SECONDS` each."""
        limits = Limits(Budget(timeout=SECONDS))
        try:
            with self._lock, Guard(limits.exceeded):
                return self._live(found, request, depth, limits)
        except (Ended, MemoryError) as ended:
            return f"Stopped by {stop_of(ended)}."
        except Refused as refused:
            return f"The model has changed since this trace was taken: {refused}"
        except ModelError as error:
            return excerpt_of(error)
        except DioError as error:
            return str(error)

    def _live(self, found: Found, request: RunRequest, depth: int, limits: Limits) -> Live | str:
        known = self._program(found)
        if known is None:
            return f"To try other ways, name the model: dio-mc browse --explore {found.trace.model.file}"
        program, evaluators = known
        to = len(found.trace.steps) if request.to is None else min(request.to, len(found.trace.steps))
        walk = end_of(program, replace(found.trace, steps=found.trace.steps[:to]))
        walk, own, problem = _gone(walk, request.then)
        is_origin = not own and to == len(found.trace.steps)
        trace = found.trace if is_origin else walked(walk.interpreter, walk.violation(CHOSEN), evaluators)
        ways = ways_beside(walk.interpreter, evaluators, walk.states, depth=depth, exceeded=limits.exceeded)
        return Live(
            found.trace, trace, ways, to, own, tuple(_watch(program, walk, text) for text in request.watches),
            _follows(walk, evaluators, limits) if request.rest and not walk.ended else (), problem,
        )  # fmt: skip

    def _program(self, found: Found) -> tuple[Program, list[PropertyEvaluator]] | None:
        """The model's program; None if its file is not among those that the user named."""
        trace, key = found.trace, self._key(found.trace)
        if key is None:
            return None
        if key not in self._programs:
            program = program_of(trace, found.name, trace.model.file, self._product)
            self._programs[key] = program, evaluators_of(program)
        return self._programs[key]

    def _key(self, trace: Trace) -> tuple[object, ...] | None:
        model = trace.model
        if IS_PRODUCT.search(model.name):
            return (model.name,) if self._folders else None
        file = Path(model.file).resolve()
        named = file in self._files or any(file.is_relative_to(folder.resolve()) for folder in self._folders)
        if not named or not file.is_file():
            return None
        return file, file.stat().st_mtime_ns, model.name, model.params, trace.threads

    def _product(self, name: str) -> Program | None:
        from dio_mc.study.registry import open_registry, program_named

        programs = (
            program_named(open_registry(folder), name) for folder in self._folders if (folder / "protocols").is_dir()
        )
        return next((program for program in programs if program is not None), None)


def _gone(walk: Walk, then: Sequence[str]) -> tuple[Walk, tuple[str, ...], str]:
    """The walk after these segments, its steps as segments, and the reason if it goes no further."""
    own: list[str] = []
    try:
        for text in then:
            for further in follow(walk, parse(text)):
                own.append(walk.segment(further.steps[-1]))
                walk = further
    except (Refused, ScriptError) as error:
        return walk, tuple(own), f"This schedule is not possible: {error}"
    return walk, tuple(own), ""


def _watch(program: Program, walk: Walk, text: str) -> Watch:
    if not program.properties:
        return Watch(text, (), "the model has no properties, so expressions cannot be evaluated")
    try:
        compiled = expression(program.properties[0].model, program, text)
        values = [show_value(type_of(compiled), walk.interpreter.evaluate(compiled, state)) for state in walk.states]
        return Watch(text, tuple(values), "")
    except ModelError as error:
        return Watch(text, (), excerpt_of(error))


def _follows(walk: Walk, evaluators: Sequence[PropertyEvaluator], limits: Limits) -> tuple[Follows, ...]:
    found = continuations(walk, evaluators, Budget(MOST_STATES, timeout=SECONDS / 2))
    listed = []
    for line, violation in follows(walk, found, evaluators):
        then = None
        if violation is not None and len(violation.schedule) > len(walk.steps):
            then = tuple(_segments(walk, violation.schedule[len(walk.steps) :]))
        listed.append(Follows(line, then))
    return tuple(listed)


def _segments(walk: Walk, actions: Sequence[object]) -> list[str]:
    found = []
    for action in actions:
        step = next(step for step in walk.options if step.action == action)
        found.append(walk.segment(step))
        walk = walk.taken(step)
    return found
