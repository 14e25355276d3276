"""Why a counterexample is one: which of its steps matter, and between which two no other thread must run; of a run that
gets stuck, who waits for whom; of one that goes on without its goal, what it never does."""

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
"""States that a search for the decisive window may go through as part of a check: a fraction of a second."""
STEPS_PER_STATE = 10
"""Steps that may be run again to find those that matter, for each of these states: they take less time."""


def why(
    interpreter: Interpreter,
    trace: Trace,
    states: Sequence[State],
    actions: Sequence[Action],
    property_: Property | None,
    max_states: int = USUAL_STATES,
) -> Why | None:
    """Why a run shows what `trace` says of it; None for a trace without steps.

    `property_` is None for a deadlock or a fault; of one that only the solver can decide nothing is said. All tries
    together go through `max_states` states at most.
    """
    if not trace.steps or (property_ is not None and property_.expr is None):
        return None
    run = Run(interpreter, tuple(states), tuple(actions))
    pending = stuck(run, trace.loop) if trace.property_kind in ("deadlock", *LIVENESS) else ()
    steps = _steps(run, trace, property_, max_states * STEPS_PER_STATE)
    if trace.kind == "witness":
        return Why(steps, None, "not sought", 0)
    turn, looked = _escape(run, trace, property_, max_states // 2)  # a half is left for the window
    schedule = Schedule(actions, (*pending, *again(run, trace.loop)))
    window, search, tried = decisive_window(interpreter, schedule, trace.property, property_, max_states - looked)
    return Why(steps, window, search, tried, waits(run, trace, pending) if _ends(trace) else (), turn)


def _ends(trace: Trace) -> bool:
    """Whether a run that nobody can continue is what the trace shows."""
    return trace.property_kind == "deadlock" or (trace.property_kind == "progress" and trace.loop is None)


def _steps(run: Run, trace: Trace, property_: Property | None, most: int) -> tuple[int, ...]:
    """The numbers of the steps that matter, with all steps of a loop; none where that was not found out in `most`
    steps."""
    stem = len(run.actions) if trace.loop is None else trace.loop - 1
    shows = shows_again(run, trace, property_, stem)
    control = frozenset(n for n, cell in enumerate(trace.initial) if cell.role in ("lock", "location"))
    before, actions, loop = run.states[: stem + 1], run.actions[:stem], run.actions[stem:]
    kept = tuple(_passed_on(run, action) for action in actions)
    found = relevant_steps(Trials(run.interpreter, before, actions, loop, shows, control, kept, most))
    return () if found is None else (*found, *range(stem + 1, len(run.actions) + 1))


def _passed_on(run: Run, action: Action) -> frozenset[int]:
    """The locals of a step's thread, where the step reads no shared data."""
    program, layout = run.interpreter.program, run.interpreter.layout
    template = program.template_of(action.thread)
    read = variables_read(template, action.location)
    if any(program.variables[variable].role != "lock" for variable in read):
        return frozenset()
    first = layout.local_base[action.thread]
    return frozenset(range(first, first + len(template.locals)))


def _escape(run: Run, trace: Trace, property_: Property | None, max_states: int) -> tuple[Escape | None, int]:
    """Where a run that goes on could have turned off to its goal, and the states looked at."""
    if property_ is None or property_.expr is None or trace.property_kind not in LIVENESS or _ends(trace):
        return None, 0
    expr, interpreter = property_.expr, run.interpreter
    turn, looked = last_turn(run, trace.loop, lambda state: bool(interpreter.evaluate(expr, state)), max_states)
    if turn is None:
        return None, looked
    thread = interpreter.program.threads[turn.action.thread].name
    text = interpreter.program.template_of(turn.action.thread).locations[turn.action.location].text
    return Escape(turn.number, thread, text, turn.length), looked
