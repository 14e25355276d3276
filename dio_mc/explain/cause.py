"""Explaining a counterexample: which of its steps matter, and between which two steps no other thread must run; for a
run that gets stuck, who waits for whom; for an infinite run that never reaches its goal, how it could have."""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.explain.escape import last_turn
from dio_mc.explain.reading import variables_read
from dio_mc.explain.relevance import Trials, relevant_steps
from dio_mc.explain.run import Run
from dio_mc.explain.shown import shows_again
from dio_mc.explain.waiting import again, stuck, waits
from dio_mc.explain.window import Schedule, decisive_window
from dio_mc.ir.program import LIVENESS, Property
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action
from dio_mc.trace.cause import Escape, Why
from dio_mc.trace.trace import Trace

USUAL_STATES = 5_000
"""The largest number of states visited by the search for the decisive window during a check: a fraction of a second."""
STEPS_PER_STATE = 10
"""Steps that may be executed per such state to find the steps that matter; they are cheaper than states."""


def why(
    interpreter: Interpreter,
    trace: Trace,
    states: Sequence[State],
    actions: Sequence[Action],
    property_: Property | None,
    max_states: int = USUAL_STATES,
) -> Why | None:
    """The explanation of the run that `trace` records; None for a trace without steps.

    `property_` is None for a deadlock or a fault. A property that only the solver can decide is not explained (None).
    All searches together visit at most `max_states` states.
    """
    if not trace.steps or (property_ is not None and property_.expr is None):
        return None
    run = Run(interpreter, tuple(states), tuple(actions))
    pending = stuck(run, trace.loop) if trace.property_kind in ("deadlock", *LIVENESS) else ()
    steps = _steps(run, trace, property_, max_states * STEPS_PER_STATE)
    if trace.kind == "witness":
        return Why(steps, None, "not sought", 0)
    turn, looked = _escape(run, trace, property_, max_states // 2)  # the other half is for the window
    schedule = Schedule(actions, (*pending, *again(run, trace.loop)))
    window, search, tried = decisive_window(interpreter, schedule, trace.property, property_, max_states - looked)
    return Why(steps, window, search, tried, waits(run, trace, pending) if _ends(trace) else (), turn)


def _ends(trace: Trace) -> bool:
    """Whether the trace shows a run that cannot be continued."""
    return trace.property_kind == "deadlock" or (trace.property_kind == "progress" and trace.loop is None)


def _steps(run: Run, trace: Trace, property_: Property | None, most: int) -> tuple[int, ...]:
    """The numbers of the steps that matter, including all steps of a loop; empty if finding them takes more than `most`
    steps."""
    stem = len(run.actions) if trace.loop is None else trace.loop - 1
    shows = shows_again(run, trace, property_, stem)
    control = frozenset(n for n, cell in enumerate(trace.initial) if cell.role in ("lock", "location"))
    before, actions, loop = run.states[: stem + 1], run.actions[:stem], run.actions[stem:]
    kept = tuple(_passed_on(run, action) for action in actions)
    found = relevant_steps(Trials(run.interpreter, before, actions, loop, shows, control, kept, most))
    return () if found is None else (*found, *range(stem + 1, len(run.actions) + 1))


def _passed_on(run: Run, action: Action) -> frozenset[int]:
    """The locals of a step's thread if the step reads no shared data, otherwise none."""
    program, layout = run.interpreter.program, run.interpreter.layout
    template = program.template_of(action.thread)
    read = variables_read(template, action.location)
    if any(program.variables[variable].role != "lock" for variable in read):
        return frozenset()
    first = layout.local_base[action.thread]
    return frozenset(range(first, first + len(template.locals)))


def _escape(run: Run, trace: Trace, property_: Property | None, max_states: int) -> tuple[Escape | None, int]:
    """The last point at which an infinite run could have left for its goal (None if there is none), and the number of
    states visited."""
    if property_ is None or property_.expr is None or trace.property_kind not in LIVENESS or _ends(trace):
        return None, 0
    expr, interpreter = property_.expr, run.interpreter
    turn, looked = last_turn(run, trace.loop, lambda state: bool(interpreter.evaluate(expr, state)), max_states)
    if turn is None:
        return None, looked
    thread = interpreter.program.threads[turn.action.thread].name
    text = interpreter.program.template_of(turn.action.thread).locations[turn.action.location].text
    return Escape(turn.number, thread, text, turn.length), looked
