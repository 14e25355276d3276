"""Schedule -> trace, and stored trace -> run of a model, both on the reference interpreter.

Every engine's counterexample passes through `build_trace` before anyone sees it: if the schedule does not run, or does
not end as the engine claims, that is a fault of dio-mc, and the error names the engine. `replay` runs a stored trace on
a model that may have changed since: it reports the first step at which the two diverge, or that the trace still runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Final, NamedTuple

from dio_mc.errors import InternalError
from dio_mc.ir.program import LIVENESS, Program, Property
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Violation
from dio_mc.semantics.step import Action, Fault, Step, fault_name
from dio_mc.trace.divergence import Divergence, compare_changes, compare_fault, match_initial
from dio_mc.trace.kept import kept_states
from dio_mc.trace.lasting import Run, Truth, progress_problem, unreachable_problem
from dio_mc.trace.naming import Naming, fault_of, lines_at, place_of
from dio_mc.trace.trace import SCHEMA, Place, PropertyKind, Trace, TraceStep, Waiting

CHOSEN: Final = "schedule"
"""The property of a trace that shows a schedule chosen by hand, meaning that it is possible. If a program has a
property of this name, that one is meant."""


class ReplayError(InternalError):
    """An engine's schedule does not run on the reference interpreter: a fault of dio-mc, never a verdict."""


class Execution(NamedTuple):
    """An executed schedule: the states passed and the steps. There is one state more than steps, or as many if the last
    step is a fault."""

    states: tuple[State, ...]
    steps: tuple[Step, ...]


def run_schedule(interpreter: Interpreter, violation: Violation, engine: str) -> Execution:
    """Run a violation's schedule. Raises `ReplayError` at the first step that differs from the engine's claim."""
    start = next(islice(interpreter.starting(), violation.initial, None), None) if violation.initial >= 0 else None
    if start is None:  # not an initial state: a fault before the first state, or out of range
        starts = interpreter.starts
        if not 0 <= violation.initial < len(starts):
            raise _error(engine, violation, 0, f"there is no initial state {violation.initial} (of {len(starts)})")
        start = starts[violation.initial]
    states, steps = [start], []
    for number, action in enumerate(violation.schedule, start=1):
        step = interpreter.step(states[-1], action)
        if step is None:
            shown = _shown(interpreter.program, action)
            raise _error(engine, violation, number, f"{shown} is not enabled")
        expected = violation.fault if number == len(violation.schedule) else None
        if step.fault != expected:
            raise _error(engine, violation, number, f"expected {_outcome(expected)}, found {_outcome(step.fault)}")
        steps.append(step)
        if step.state is not None:
            states.append(step.state)
    if not violation.schedule and violation.fault is not None:
        _check_start(interpreter, violation, engine)
    return Execution(tuple(states), tuple(steps))


def build_trace(
    program: Program,
    violation: Violation,
    *,
    engine: str,
    failing: Sequence[tuple[str, str]] = (),
    interpreter: Interpreter | None = None,
) -> Trace:
    """The trace of a violation (or witness) that `engine` found.

    `failing` lists conjuncts that are false at the end, as (source text, values). Raises `ReplayError` if the schedule
    does not run on the reference interpreter, or the property is not violated at its end.
    """
    interpreter = interpreter or Interpreter(program)
    execution = run_schedule(interpreter, violation, engine)
    _check_end(interpreter, execution, violation, engine)
    return _trace(interpreter, violation, execution, engine).with_failing(failing)


def _trace(interpreter: Interpreter, violation: Violation, execution: Execution, engine: str) -> Trace:
    naming = Naming(interpreter.program, interpreter.layout)
    property_ = _find_property(interpreter.program, violation.property)
    kind, doc, place = _about(property_, violation)
    last = execution.states[-1]
    kept = kept_states(interpreter, execution.states, [step.action for step in execution.steps])
    spans = [naming.location(step.action.thread, step.action.location).span for step in execution.steps]
    stated = property_.span if property_ is not None else None
    return Trace(
        schema=SCHEMA,
        kind="witness" if kind == "reachable" else "violation",
        model=naming.model(),
        property=violation.property,
        property_kind=kind,
        doc=doc,
        place=place,
        engine=engine,
        threads=naming.threads(),
        initial=naming.cells(execution.states[0]),
        steps=_trace_steps(interpreter, naming, execution, kept),
        failing=(),
        blocked=() if violation.fault else _blocked_at_end(interpreter, naming, last, kept),
        fault=None if violation.schedule else fault_of(violation.fault),
        lines=lines_at([*spans, stated, violation.fault.span if violation.fault else None]),
        loop=None if violation.loop is None else violation.loop + 1,
        canonical=violation.canonical,
    )


def _blocked_at_end(
    interpreter: Interpreter, naming: Naming, last: State, kept: tuple[State, ...]
) -> tuple[Waiting, ...]:
    return naming.blocked(last, interpreter.successors(last), last=True, kept=kept[-1] if kept else None)


def _trace_steps(
    interpreter: Interpreter, naming: Naming, execution: Execution, kept: tuple[State, ...]
) -> tuple[TraceStep, ...]:
    rows = zip_longest(execution.states, execution.steps, kept[: len(execution.steps)], kept[1:])
    return tuple(
        _trace_step(interpreter, naming, number, before, step, (kept_before, kept_after))
        for number, (before, step, kept_before, kept_after) in enumerate(rows, start=1)
        if step is not None
    )


def _trace_step(
    interpreter: Interpreter, naming: Naming, number: int, before: State, step: Step,
    kept: tuple[State | None, State | None],
) -> TraceStep:  # fmt: skip
    action = step.action
    location = naming.location(action.thread, action.location)
    enabled = interpreter.successors(before)
    shared, own = naming.changes(before, before if step.state is None else step.state)
    return TraceStep(
        number=number,
        thread=interpreter.program.threads[action.thread].name,
        location=location.name,
        choice=action.choice,
        text=location.text,
        anchor=location.anchor,
        operations=location.operations,
        calls=naming.calls(action.thread, action.location),
        place=place_of(location.span),
        changes=shared,
        local_changes=own,
        alternatives=naming.alternatives(enabled, step),
        blocked=naming.blocked(before, enabled),
        fault=fault_of(step.fault),
        code=location.code,
        arguments=naming.arguments(before, action.thread, action.location, kept[0]),
        results=naming.results(step, kept[1]) if kept[1] is not None else (),
    )


def _find_property(program: Program, name: str) -> Property | None:
    return next((p for p in program.properties if p.name == name), None)


def _about(property_: Property | None, violation: Violation) -> tuple[PropertyKind, str, Place | None]:
    """The property's kind, its description, and its place."""
    if violation.fault is not None:
        return "fault", violation.fault.message, place_of(violation.fault.span)
    if property_ is not None:
        return property_.kind, property_.doc, place_of(property_.span)
    if violation.property == CHOSEN:
        return "reachable", "A schedule that was requested.", None
    return "deadlock", "", None


# -- checking the engine's claim --------------------------------------------------------------------------------------


def _check_start(interpreter: Interpreter, violation: Violation, engine: str) -> None:
    if (violation.initial, violation.fault) not in interpreter.initial_faults:
        raise _error(engine, violation, 0, f"the start has no {_outcome(violation.fault)}")


def _check_end(interpreter: Interpreter, execution: Execution, violation: Violation, engine: str) -> None:
    """Check that the property is violated at the end of the schedule, as far as the reference can decide that."""
    number, program = len(violation.schedule), interpreter.program
    property_ = _find_property(program, violation.property)
    if violation.fault is not None:
        name = fault_name(violation.fault.kind, violation.fault.span, program.file)
        if name != violation.property:
            raise _error(engine, violation, number, f"the fault there is {name}")
    elif property_ is not None and property_.kind in LIVENESS:
        run = Run(execution.states, [step.action.thread for step in execution.steps])
        problem = lasting_problem(interpreter, property_, run, violation.loop, _reference_truth(interpreter, property_))
        if problem is not None:
            raise _error(engine, violation, number, problem)
    elif property_ is not None:
        if _truth(interpreter, property_, execution.states) is (property_.kind != "reachable"):
            raise _error(engine, violation, number, "the reference evaluates it to the opposite")
    elif violation.property != CHOSEN and not is_deadlock(interpreter, execution.states[-1]):
        raise _error(engine, violation, number, "that state is not a deadlock, and the program has no such property")


def lasting_problem(
    interpreter: Interpreter, property_: Property, run: Run, loop: int | None, truth: Truth
) -> str | None:
    """The reason why a run does not violate a liveness property, in words; None if it does."""
    if property_.kind == "progress":
        return progress_problem(interpreter, run, loop, property_.fairness, truth)
    return unreachable_problem(interpreter, run.states[-1], truth)


def _reference_truth(interpreter: Interpreter, property_: Property) -> Truth:
    """Whether the goal holds, by the compiled form; if only the solver can decide it, it counts as false, as the engine
    claims."""
    expr = property_.expr
    return lambda state: expr is not None and bool(interpreter.evaluate(expr, state))


def _truth(interpreter: Interpreter, property_: Property, states: Sequence[State]) -> bool | None:
    """The property's value at the end of the run; None if only the solver can decide it."""
    if property_.expr is None:
        return None
    if property_.kind == "step":
        return len(states) < 2 or bool(interpreter.evaluate(property_.expr, states[-2], states[-1]))
    return bool(interpreter.evaluate(property_.expr, states[-1]))


def is_deadlock(interpreter: Interpreter, state: State) -> bool:
    """Whether no thread can run in a state, and a thread that should end has not."""
    program, pcs = interpreter.program, interpreter.layout.pc
    waiting = any(state[pc] != 0 and not program.template_of(thread).daemon for thread, pc in enumerate(pcs))
    return waiting and not interpreter.successors(state)


def _shown(program: Program, action: Action) -> str:
    if not 0 <= action.thread < len(program.threads):
        return f"an action of thread {action.thread}, which does not exist,"
    locations = program.template_of(action.thread).locations
    known = 0 <= action.location < len(locations)
    place = locations[action.location].name if known else f"location {action.location}"
    choice = f" with choice {', '.join(map(str, action.choice))}" if action.choice else ""
    return f"{program.threads[action.thread].name} at {place}{choice}"


def _outcome(fault: Fault | None) -> str:
    return "a step" if fault is None else f"fault {fault.kind}: {fault.message}"


def _error(engine: str, violation: Violation, number: int, what: str) -> ReplayError:
    where = f"step {number} of {len(violation.schedule)}" if number else "the initial state"
    name = violation.property
    return ReplayError(f"engine {engine!r}: the counterexample of {name} does not replay: {where}: {what}")


# -- a stored trace against a model -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """The result of running a stored trace on a model.

    `same_model` compares digests. `divergence` is the first difference between the model and the trace, None if there
    is none. `violated`: whether the property is violated at the end (for a witness: reached), None if that was not
    decided; if it is False, `reason` says why.
    """

    same_model: bool
    divergence: Divergence | None
    violated: bool | None
    reason: str = ""

    @property
    def runs(self) -> bool:
        """Whether every step runs with the same effect."""
        return self.divergence is None


Judgement = Callable[[Run], str | None]
"""Returns the reason why a run does not violate the property (a witness: does not reach it), in words; None if it
does."""


def replay(
    program: Program, trace: Trace, evaluator: Judgement | None = None, *, interpreter: Interpreter | None = None
) -> ReplayResult:
    """Run a stored trace on `program`, which may have changed since; everything is found by name.

    Faults and deadlocks are decided here, other properties by `evaluator`.
    """
    interpreter = interpreter or Interpreter(program)
    same = program.digest == trace.model.digest
    outcome = follow(interpreter, trace)
    if isinstance(outcome, Divergence):
        return ReplayResult(same, outcome, None)
    match trace.property_kind:
        case "fault":
            return ReplayResult(same, None, trace.final_fault is not None)
        case "deadlock":
            return ReplayResult(same, None, is_deadlock(interpreter, outcome.states[-1]))
        case _ if evaluator is None:
            return ReplayResult(same, None, None)
        case _:
            reason = evaluator(outcome)
            return ReplayResult(same, None, reason is None, reason or "")


def follow(interpreter: Interpreter, trace: Trace) -> Run | Divergence:
    """The run of a stored trace on a model, or the first divergence."""
    naming = Naming(interpreter.program, interpreter.layout)
    start = match_initial(interpreter, naming, trace)
    if isinstance(start, Divergence):
        return start
    states, threads = [start], list[int]()
    for planned in trace.steps:
        step = _take(interpreter, naming, states[-1], planned)
        if isinstance(step, Divergence):
            return step
        different = compare_fault(trace, planned, step.fault)
        if different is None and step.state is not None:
            different = compare_changes(naming, trace, planned, states[-1], step.state)
        if different is not None:
            return different
        threads.append(step.action.thread)
        if step.state is not None:
            states.append(step.state)
    return Run(tuple(states), tuple(threads))


def _take(interpreter: Interpreter, naming: Naming, state: State, planned: TraceStep) -> Step | Divergence:
    """The step of the planned action in `state`, or the divergence."""
    program, number = interpreter.program, planned.number
    thread = next((n for n, t in enumerate(program.threads) if t.name == planned.thread), None)
    if thread is None:
        return Divergence(number, "thread_gone", f"the model has no thread {planned.thread}")
    names = [location.name for location in program.template_of(thread).locations]
    if planned.location not in names:
        return Divergence(number, "location_gone", f"{planned.thread} has no location {planned.location}")
    here = naming.location(thread, state[interpreter.layout.pc[thread]])
    if here.name != planned.location:
        return Divergence(number, "elsewhere", f"{planned.thread} is at {here.name}, not at {planned.location}")
    step = interpreter.step(state, Action(thread, names.index(planned.location), planned.choice))
    if step is not None:
        return step
    others = any(other.action.thread == thread for other in interpreter.successors(state))
    if others:
        choice = ", ".join(map(str, planned.choice)) or "none"
        return Divergence(number, "not_enabled", f"{planned.thread} has no choice {choice} at {here.name}")
    return Divergence(number, "not_enabled", f"{planned.thread} cannot run: it waits at `{here.text}`")
