"""Who is stuck at the end of a run, and for whom: found by giving one cell another value and seeing the thread go."""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.explain.influence import Run, changed
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action
from dio_mc.trace.cause import Wait
from dio_mc.trace.trace import Trace


def stuck(run: Run, loop: int | None) -> tuple[Action, ...]:
    """The steps that threads wait for at the end, or all along the loop from step `loop`: threads that have not ended
    and do not move. A daemon may wait."""
    program, layout = run.interpreter.program, run.interpreter.layout
    last = run.states[-1]
    if loop is None:
        moving = {step.action.thread for step in run.interpreter.successors(last)}
    else:
        moving = {action.thread for action in run.actions[loop - 1 :]}
    waiting = [t for t in range(len(program.threads)) if t not in moving and last[layout.pc[t]]]
    return tuple(Action(t, last[layout.pc[t]], ()) for t in waiting if not program.template_of(t).daemon)


def again(run: Run, loop: int | None) -> tuple[Action, ...]:
    """The first step of each thread in the loop from step `loop` on: those of the next round."""
    first: dict[int, Action] = {}
    for action in run.actions[loop - 1 :] if loop is not None else ():
        first.setdefault(action.thread, action)
    return tuple(first.values())


def frees(run: Run, thread: int) -> list[int]:
    """The cells of the last state one other value of which would let a thread go on."""
    last = run.states[-1]

    def tried(cell: int) -> bool:
        return any(_runs(run, changed(last, cell, value), thread) for value in run.other_values(last, cell))

    return [cell for cell in range(len(last)) if cell not in run.locations and tried(cell)]


def waits(run: Run, trace: Trace, pending: Sequence[Action]) -> tuple[Wait, ...]:
    """What each of these waits for, one cell of each: a lock rather than data, one that was written rather than not."""
    found: list[Wait] = []
    for action in pending:
        told = [(cell, run.last_writer(cell, len(run.states))) for cell in frees(run, action.thread)]
        told.sort(key=lambda one: (trace.initial[one[0]].role != "lock", one[1] is None, one[0]))
        if told:
            cell, writer = told[0]
            found.append(Wait(trace.threads[action.thread].name, trace.initial[cell].name, writer))
    return tuple(found)


def _runs(run: Run, state: State, thread: int) -> bool:
    return any(step.action.thread == thread for step in run.interpreter.successors(state))
