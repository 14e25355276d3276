"""Whether another run shows the same violation as a counterexample."""

from __future__ import annotations

from dio_mc.explain.relevance import Ran, Shows
from dio_mc.explain.run import Run
from dio_mc.ir.program import Property
from dio_mc.semantics.layout import State
from dio_mc.trace.lasting import Run as Lasting
from dio_mc.trace.lasting import progress_problem
from dio_mc.trace.replay import is_deadlock
from dio_mc.trace.trace import Trace


def shows_again(run: Run, trace: Trace, property_: Property | None, stem: int) -> Shows:
    """The condition on another run of the program: the same fault; a deadlock; the property violated (a witness:
    reached) in some state or step. For ``always_reachable``: the run passes the last state of this one. For
    ``progress``: it also ends without the goal, or in a loop of the same length without it. `stem` is the number of
    steps before the loop."""
    if trace.property_kind == "fault":
        fault = run.interpreter.step(run.states[-1], run.actions[-1])
        return lambda ran: fault is not None and ran.fault is not None and _same(ran.fault, fault.fault)
    if property_ is None or property_.expr is None:
        return lambda ran: ran.fault is None and is_deadlock(run.interpreter, ran.states[-1])
    match property_.kind:
        case "progress":
            length = None if trace.loop is None else len(run.states) - 1 - stem
            return lambda ran: ran.fault is None and _lasts(run, property_, ran, length)
        case "always_reachable":
            return lambda ran: run.states[-1] in ran.states
        case _:
            return lambda ran: _somewhere(run, property_, ran)


def _same(fault: object, other: object) -> bool:
    return fault == other and getattr(fault, "span", None) == getattr(other, "span", None)


def _somewhere(run: Run, property_: Property, ran: Ran) -> bool:
    expr, interpreter = property_.expr, run.interpreter
    assert expr is not None
    if property_.kind == "step":
        pairs = zip(ran.states, ran.states[1:], strict=False)
        return any(not interpreter.evaluate(expr, before, after) for before, after in pairs)
    wanted = property_.kind == "reachable"
    return any(bool(interpreter.evaluate(expr, state)) == wanted for state in reversed(ran.states))


def _lasts(run: Run, property_: Property, ran: Ran, length: int | None) -> bool:
    """Whether the run, with a loop of `length` steps at its end or without a loop, never reaches the goal again.

    Threads that have ended in the counterexample are exempt from fairness, since ending them first does not matter for
    the loop.
    """
    expr, interpreter = property_.expr, run.interpreter

    def truth(state: State) -> bool:
        assert expr is not None
        return bool(interpreter.evaluate(expr, state))

    loop = None if length is None else len(ran.states) - 1 - length
    ended = frozenset(thread for thread, pc in enumerate(interpreter.layout.pc) if run.states[-1][pc] == 0)
    found = Lasting(ran.states, ran.threads)
    return progress_problem(interpreter, found, loop, property_.fairness, truth, ended) is None
