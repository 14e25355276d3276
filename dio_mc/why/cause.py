"""Why a counterexample is one: which of its steps matter, and between which two no other thread must run."""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.ir.program import LIVENESS, Property
from dio_mc.semantics.contract import Action
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.trace.trace import Trace, Why
from dio_mc.why.influence import Run
from dio_mc.why.slicing import slice_of_fault, slice_of_property, slice_of_waiting
from dio_mc.why.window import decisive_window

USUAL_STATES = 5_000
"""States that a search for the decisive window may go through as part of a check: a fraction of a second."""


def why(
    interpreter: Interpreter,
    trace: Trace,
    states: Sequence[State],
    actions: Sequence[Action],
    property_: Property | None,
    max_states: int = USUAL_STATES,
) -> Why | None:
    """Why a run shows what `trace` says of it; None where there is no single point at which it does (a trace without
    steps, a goal that is never met).

    `property_` is None for a deadlock or a fault; of one that only the solver can decide nothing is said. All tries
    together go through `max_states` states at most.
    """
    if not trace.steps or trace.property_kind in LIVENESS or (property_ is not None and property_.expr is None):
        return None
    run = Run(interpreter, tuple(states), tuple(actions))
    steps = tuple(sorted(_slice(run, trace, property_)))
    if trace.kind == "witness":
        return Why(steps, None, "not sought", 0)
    window, search, tried = decisive_window(interpreter, actions, trace.property, property_, max_states)
    return Why(steps, window, search, tried)


def _slice(run: Run, trace: Trace, property_: Property | None) -> set[int]:
    """The numbers of the steps that matter."""
    if trace.property_kind == "fault":
        return slice_of_fault(run)
    if property_ is not None:
        return slice_of_property(run, property_)
    names = [thread.name for thread in run.interpreter.program.threads]
    return slice_of_waiting(run, [names.index(w.thread) for w in trace.blocked if not w.daemon])
