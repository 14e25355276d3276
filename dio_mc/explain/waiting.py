"""Finds the threads that are stuck at the end of a run, and the threads they wait for, by changing the value of one
cell and testing whether the thread can run."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from dio_mc.explain.reading import reachable, variables_read
from dio_mc.explain.run import Run, changed
from dio_mc.ir.ops import Assign, StoreTo
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action
from dio_mc.trace.cause import Wait
from dio_mc.trace.trace import Trace

MOST_CELLS: Final = 64
"""The largest number of cells of one array that are tried."""


def stuck(run: Run, loop: int | None) -> tuple[Action, ...]:
    """The steps that threads wait for at the end, or throughout the loop from step `loop`: those of threads that have
    not ended and do not run. Daemons are excluded."""
    program, layout = run.interpreter.program, run.interpreter.layout
    last = run.states[-1]
    if loop is None:
        moving = {step.action.thread for step in run.interpreter.successors(last)}
    else:
        moving = {action.thread for action in run.actions[loop - 1 :]}
    waiting = [t for t in range(len(program.threads)) if t not in moving and last[layout.pc[t]]]
    return tuple(Action(t, last[layout.pc[t]], ()) for t in waiting if not program.template_of(t).daemon)


def again(run: Run, loop: int | None) -> tuple[Action, ...]:
    """The first step of each thread in the loop from step `loop`, that is, its first step in the next round."""
    first: dict[int, Action] = {}
    for action in run.actions[loop - 1 :] if loop is not None else ():
        first.setdefault(action.thread, action)
    return tuple(first.values())


def frees(run: Run, thread: int) -> list[int]:
    """The cells, among those that the thread's next step may read, for which another value in the last state would let
    the thread run."""
    last = run.states[-1]

    def tried(cell: int) -> bool:
        return any(_runs(run, changed(last, cell, value), thread) for value in run.other_values(last, cell))

    return [cell for cell in _read_next(run, thread) if tried(cell)]


def waits(run: Run, trace: Trace, pending: Sequence[Action]) -> tuple[Wait, ...]:
    """The cell that each of these threads waits for: preferably of a lock rather than data, and one that was
    written."""
    found: list[Wait] = []
    for action in pending:
        freeing = [(cell, run.last_writer(cell)) for cell in frees(run, action.thread)]
        freeing.sort(key=lambda one: (trace.initial[one[0]].role != "lock", one[1] is None, one[0]))
        if freeing:
            cell, writer = freeing[0]
            setters = _setters(run, cell, action.thread) if writer is None else ()
            found.append(Wait(trace.threads[action.thread].name, trace.initial[cell].name, writer, setters))
    return tuple(found)


def _setters(run: Run, cell: int, waiting: int) -> tuple[str, ...]:
    """The other threads whose remaining code writes the variable of a cell."""
    layout, program, last = run.interpreter.layout, run.interpreter.program, run.states[-1]
    variable = bisect_right(layout.variable_base, cell) - 1
    found: list[str] = []
    for thread, pc in enumerate(layout.pc):
        here = program.template_of(thread).locations[last[pc]] if last[pc] else None
        blocks = reachable(program.template_of(thread), here.block, whole=True) if here is not None else []
        written = (t for b in blocks for op in b.ops if isinstance(op, Assign) for t in op.targets)
        if thread != waiting and any(isinstance(t, StoreTo) and t.variable == variable for t in written):
            found.append(program.threads[thread].name)
    return tuple(found)


def _read_next(run: Run, thread: int) -> list[int]:
    """The cells that the thread's next step may read: of variables (of a large array only the first ones), and the
    thread's locals."""
    layout, program, last = run.interpreter.layout, run.interpreter.program, run.states[-1]
    template = program.template_of(thread)
    read = variables_read(template, last[layout.pc[thread]])
    cells = [c for v in sorted(read) for c in _cells_of(run, v)]
    first = layout.local_base[thread]
    return [*cells, *range(first, first + len(template.locals))]


def _cells_of(run: Run, variable: int) -> range:
    first = run.interpreter.layout.variable_base[variable]
    return range(first, first + min(run.interpreter.program.variables[variable].size, MOST_CELLS))


def _runs(run: Run, state: State, thread: int) -> bool:
    return any(step.action.thread == thread for step in run.interpreter.successors(state))
