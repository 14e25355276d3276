"""A stored counterexample against the current model: ``dio-mc replay``, ``dio-mc why``."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dio_mc.errors import ModelError, usage_error
from dio_mc.explain.cause import why
from dio_mc.frontend import build, load_module
from dio_mc.frontend.declare import members_of
from dio_mc.frontend.recognise import defines_class, imports_dio_mc
from dio_mc.ir.program import LIVENESS, Program
from dio_mc.lang.model import Model
from dio_mc.semantics.evaluator import Decision
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action
from dio_mc.symbolic.evaluator import property_evaluator
from dio_mc.trace.codec import TraceFormatError, no_trace, read_trace
from dio_mc.trace.divergence import Divergence
from dio_mc.trace.lasting import Run
from dio_mc.trace.replay import CHOSEN, ReplayResult, follow, lasting_problem, replay
from dio_mc.trace.standing import decide_at_end
from dio_mc.trace.trace import Trace, TraceStep
from dio_mc.wording import plural

Products = Callable[[str], Program | None]
"""The program of a workload under a rule, by name."""
IS_PRODUCT: Final = re.compile(r"__\w+@((?:pages=\d)?,?(?:sectors=\d)?,?(?:watched=\d)?@)?\w+$")
"""``direct_read_x_mmap_store__ext4_2020@hole``, ``torn_read__ext4_2020@sectors=2@written``: names of programs that are
not a class in a file."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a trace still shows its violation, and the answer in words."""

    reproduces: bool
    text: str

    def __bool__(self) -> bool:
        return self.reproduces

    def __str__(self) -> str:
        return self.text


def replay_file(path: str, model_file: str | None = None, products: Products | None = None) -> Outcome:
    """Replay a trace file.

    The model is looked up at the path in the trace, relative to the working directory, or in `model_file`. A model that
    is composed of a locking rule and a workload, and not a class in a file, is requested from `products` by its name.
    Raises `ModelError` if the file is not a trace (DIO205), or if the model has no such class or parameters (DIO206).
    """
    trace = trace_in(path)
    return _replayed(program_of(trace, path, model_file, products), trace)


def replay_trace(trace: Trace, model: type[Model] | None = None, products: Products | None = None) -> Outcome:
    """Replay a trace on `model`, or on the model that it names. Raises `ModelError` as `replay_file` does."""
    program = program_of(trace, "", None, products) if model is None else _built(model, trace, "")
    return _replayed(program, trace)


def _replayed(program: Program, trace: Trace) -> Outcome:
    interpreter = Interpreter(program)
    result = replay(program, trace, lambda run: _why_not(program, interpreter, trace, run), interpreter=interpreter)
    return _worded(trace, result)


def explained(path: str, model_file: str | None, max_states: int, products: Products | None = None) -> Trace:
    """The trace in a file with its explanation; the search may visit `max_states` states.

    Raises `ModelError` as `replay_file` does, and if the trace does not run on the current model (DIO206).
    """
    trace = trace_in(path)
    program = program_of(trace, path, model_file, products)
    interpreter = Interpreter(program)
    run = follow(interpreter, trace)
    if isinstance(run, Divergence):
        raise usage_error("DIO206", f"the model has changed: {_where(run.step)}: {run.message}", file=path)
    actions = [_action(program, thread, step) for thread, step in zip(run.threads, trace.steps, strict=True)]
    property_ = next((p for p in program.properties if p.name == trace.property), None)
    return replace(trace, why=why(interpreter, trace, run.states, actions, property_, max_states))


def _action(program: Program, thread: int, step: TraceStep) -> Action:
    names = [location.name for location in program.template_of(thread).locations]
    return Action(thread, names.index(step.location), step.choice)


def trace_in(path: str) -> Trace:
    """The trace in a file. Raises `ModelError` (DIO205) if the file is not a trace."""
    try:
        return read_trace(path)
    except TraceFormatError as error:
        raise no_trace(path, error) from None


def program_of(trace: Trace, path: str, model_file: str | None, products: Products | None) -> Program:
    """The current program of a trace in the file `path`. Raises `ModelError` as `replay_file` does."""
    if products is not None and IS_PRODUCT.search(trace.model.name):
        return _product_of(trace, path, products)
    return _program_of(trace, path, model_file or _trusted(trace, path))


def _trusted(trace: Trace, path: str) -> str:
    """The model file that a trace names, if it may be executed: a trace may come from anybody, and loading a model
    executes it.

    It must be below the working directory or be installed with dio-mc, import ``dio_mc``, and define the class.
    """
    named, name = trace.model.file, _class_name(trace)
    file = Path(named)
    if not file.exists():
        return named
    package = Path(str(sys.modules["dio_mc"].__file__)).resolve().parent
    if not any(file.resolve().is_relative_to(root) for root in (Path.cwd().resolve(), package)):
        message = f"its model {named} lies outside the working directory, and was not run"
        raise usage_error("DIO206", message, file=path, hint="name the file with --model-file if you trust it")
    if file.is_file() and not imports_dio_mc(file):
        raise usage_error("DIO206", f"{named} is not a model file, and was not run", file=path)
    if file.is_file() and not defines_class(file, name):
        raise usage_error("DIO206", f"{named} has no model {name}; the trace is of another model", file=path)
    return named


def _class_name(trace: Trace) -> str:
    return trace.model.name.split("@", maxsplit=1)[0]


def _product_of(trace: Trace, path: str, products: Products) -> Program:
    found = products(trace.model.name)
    if found is None:
        hint = "name the file that has them with --file, or another folder of models with --models"
        raise usage_error("DIO206", f"no rule and workload make {trace.model.name}", file=path, hint=hint)
    return found


def model_of(trace: Trace, path: str, model_file: str | None = None) -> type[Model]:
    """The class of a trace in the file `path`, looked up at the path in the trace or in `model_file`. Raises
    `ModelError` DIO206 if it does not exist, or if the file may not be executed."""
    return _class_in(trace, path, model_file or _trusted(trace, path))


def _class_in(trace: Trace, path: str, file: str) -> type[Model]:
    name = _class_name(trace)
    if not Path(file).exists():
        hint = "run this where the model's path is right, or name the file with --model-file"
        raise usage_error("DIO206", f"its model {file} is not here", file=path, hint=hint)
    found: list[type[Model]] = [cls for cls in load_module(file).models if cls.__name__ == name]
    if not found:
        raise usage_error("DIO206", f"{file} has no model {name}; the trace is of another model", file=path)
    return found[0]


def _program_of(trace: Trace, path: str, file: str) -> Program:
    return _built(_class_in(trace, path, file), trace, path)


def _built(model: type[Model], trace: Trace, path: str) -> Program:
    try:
        return build(model, dict(trace.model.params), _numbers(model, trace)).program
    except ModelError as error:
        if any(d.code in ("DIO203", "DIO204") for d in error.diagnostics):
            raise usage_error(
                "DIO206", f"recorded with other parameters: {error.diagnostics[0].message}", file=path
            ) from None
        raise


def _numbers(model: type[Model], trace: Trace) -> dict[str, int]:
    """The instance counts of a trace with more threads than its model declares (``Class@reader=3``, where `reader` is a
    thread): the numbers of these threads and of the slots of operations, and the named parameters, even outside their
    bounds. Empty for other traces."""
    members = members_of(model)
    given = {part.partition("=")[0] for part in trace.model.name.partition("@")[2].split(",")}
    if not given & members.threads.keys():
        return {}
    counts = Counter(thread.template for thread in trace.threads)
    known = {name: count for name, count in counts.items() if name in given or name in members.operations}
    return {**known, **{name: value for name, value in trace.model.params if name in given}}


def _why_not(program: Program, interpreter: Interpreter, trace: Trace, run: Run) -> str | None:
    """The reason why the run does not violate the property (a witness: does not reach it), in words; None if it
    does."""
    property_ = next((p for p in program.properties if p.name == trace.property), None)
    if property_ is None and trace.property == CHOSEN:
        return None
    if property_ is None or (property_.kind == "step" and len(run.states) < 2):
        return "the model has no such property"
    evaluator = property_evaluator(program, property_).evaluator

    def decided(states: Sequence[State]) -> Decision:
        return decide_at_end(interpreter, evaluator, states)

    if property_.kind in LIVENESS:
        loop = None if trace.loop is None else trace.loop - 1
        return lasting_problem(
            interpreter, property_, run, loop, lambda state: decided([state]) is not Decision.VIOLATED
        )
    wanted = Decision.HOLDS if property_.kind == "reachable" else Decision.VIOLATED
    what = "reached" if trace.kind == "witness" else "violated"
    return None if decided(run.states) is wanted else f"the property is no longer {what}"


def _worded(trace: Trace, result: ReplayResult) -> Outcome:
    name = f"{trace.model.name} {trace.property}"
    changed = "" if result.same_model else " (the model has changed since)"
    if result.divergence is not None:
        return Outcome(
            False, f"{name}: DIVERGES at {_where(result.divergence.step)}{changed}: {result.divergence.message}"
        )
    if not result.violated:
        what = "reached" if trace.kind == "witness" else "violated"
        reason = result.reason or f"the property is no longer {what}"
        return Outcome(False, f"{name}: every step can be taken, but {reason}{changed}")
    return Outcome(True, f"{name}: reproduces in {plural(len(trace.steps), 'step')}{changed}")


def _where(step: int) -> str:
    return f"step {step}" if step else "the initial state"
