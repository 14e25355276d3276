"""A violation found by an engine -> its trace with explanations: the status of every property at each step, why this
one fails, which part of it is false."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from dio_mc.errors import InternalError
from dio_mc.explain.cause import why
from dio_mc.guard import attempt
from dio_mc.ir.program import Program, Property
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Note, Violation, unheard
from dio_mc.semantics.stop import Stop
from dio_mc.symbolic.explain import explain
from dio_mc.trace.replay import ReplayError, build_trace, run_schedule
from dio_mc.trace.standing import standings
from dio_mc.trace.trace import Trace


def witness(
    interpreter: Interpreter,
    engine: str,
    violation: Violation,
    evaluators: Sequence[PropertyEvaluator],
    exceeded: Callable[[], Stop | None] = lambda: None,
    note: Note = unheard,
) -> Trace:
    """Replay the violation on the reference interpreter, then attach the status of all properties and the explanation.

    The searches for the explanation are bounded, so that no check becomes slow. If a limit is `exceeded`, or a fault of
    dio-mc occurs, the explanation is omitted and `note` receives a sentence; the violation stays. Raises
    `InternalError` if the counterexample does not replay, which means that `engine` is wrong.
    """
    program, name = interpreter.program, violation.property
    try:
        trace = build_trace(program, violation, engine=engine, interpreter=interpreter)
        states = run_schedule(interpreter, violation, engine).states
    except ReplayError as error:
        raise InternalError(f"a counterexample of engine {engine} does not replay", [str(error)]) from error
    standing = partial(standings, interpreter, evaluators, states)
    trace = replace(trace, standings=attempt(f"{name}: how properties stand", standing, (), exceeded, note))
    property_ = next((p for p in program.properties if p.name == name), None)
    explained = partial(why, interpreter, trace, states, violation.schedule, property_)
    trace = replace(trace, why=attempt(f"{name}: why it fails", explained, None, exceeded, note))
    if property_ is None or violation.fault is not None:
        return trace
    before = states[-2] if property_.kind == "step" else states[-1]
    parts = partial(_conjuncts, program, property_, before, states[-1])
    return trace.with_failing(attempt(f"{name}: which part of it fails", parts, (), exceeded, note))


def _conjuncts(program: Program, property_: Property, before: State, after: State) -> tuple[tuple[str, str], ...]:
    return tuple((c.text, c.values) for c in explain(program, property_, before, after).conjuncts)


def walked(interpreter: Interpreter, run: Violation, evaluators: Sequence[PropertyEvaluator]) -> Trace:
    """The trace of a schedule chosen by hand, with the status of every property along it. It shows only that the
    schedule is possible. Raises `ReplayError` if it is not."""
    trace = build_trace(interpreter.program, run, engine="chosen", interpreter=interpreter)
    states = run_schedule(interpreter, run, "chosen").states
    return replace(trace, standings=standings(interpreter, evaluators, states))
