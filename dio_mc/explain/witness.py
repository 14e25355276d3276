"""A violation that an engine has found -> its trace, with all that is known about it: how every property stands at each
step, why this one fails, which part of it is false."""

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
    """Replay on the reference interpreter, then attach how every property stands and why this one fails. What a
    search without a window goes through is bounded, so that no check is slow for it. What explains is left out, and
    `note` told of it, where a limit is `exceeded` or a fault of ours is in the way: the violation stays.

    Raises `InternalError` when the counterexample does not replay: then `engine` is wrong.
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
    """The trace of a schedule that somebody chose, with how every property stands along it. It shows that the schedule
    is possible, and claims no more. Raises `ReplayError` when it is not."""
    trace = build_trace(interpreter.program, run, engine="chosen", interpreter=interpreter)
    states = run_schedule(interpreter, run, "chosen").states
    return replace(trace, standings=standings(interpreter, evaluators, states))
