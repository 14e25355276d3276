"""Finds where the model diverges from a stored trace: initial states, effects and faults are compared by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Fault
from dio_mc.source import source_lines
from dio_mc.trace.naming import Naming
from dio_mc.trace.trace import Cell, Change, Trace, TraceFault, TraceStep

Reason = Literal[
    "initial_state", "thread_gone", "location_gone", "elsewhere", "not_enabled", "different_changes", "different_fault"
]


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first step at which the model differs from the trace (0: the initial state), and the difference."""

    step: int
    reason: Reason
    message: str

    def __str__(self) -> str:
        return f"step {self.step}: {self.message}" if self.step else f"initial state: {self.message}"


def match_initial(interpreter: Interpreter, naming: Naming, trace: Trace) -> State | Divergence:
    """The initial state of the model that agrees with the trace in every shared cell that both have."""
    if trace.fault is not None:
        return _match_start_fault(interpreter, naming, trace, trace.fault)
    for state in interpreter.starting():
        if not _differences(naming.cells(state), trace):
            return state
    states = interpreter.initial()
    if not states:
        return Divergence(0, "initial_state", "the model has none: a thread's start is a fault")
    nearest = min((_differences(naming.cells(state), trace) for state in states), key=len)
    return Divergence(0, "initial_state", "; ".join(nearest))


def _match_start_fault(interpreter: Interpreter, naming: Naming, trace: Trace, fault: TraceFault) -> State | Divergence:
    starts = interpreter.starts
    for position, found in interpreter.initial_faults:
        if same_fault(trace, fault, found) and not _differences(naming.cells(starts[position]), trace):
            return starts[position]
    return Divergence(0, "different_fault", f"no start of the model has the fault {fault.kind}: {fault.message}")


def _differences(cells: tuple[Cell, ...], trace: Trace) -> list[str]:
    stored = {cell.name: cell.value for cell in trace.initial if cell.thread is None}
    pairs = [(cell.name, cell.value, stored.get(cell.name, cell.value)) for cell in cells if cell.thread is None]
    return [f"{name} is {new}, not {old}" for name, new, old in pairs if new != old]


def compare_fault(trace: Trace, planned: TraceStep, found: Fault | None) -> Divergence | None:
    """The divergence in the fault of a step: a new fault, a missing one, or a different one; None if there is none."""
    number, stored = planned.number, planned.fault
    if stored is None and found is None:
        return None
    if stored is None or found is None or stored.kind != found.kind:
        if found is not None:
            return Divergence(number, "different_fault", f"it is a fault {found.kind}: {found.message}")
        assert stored is not None
        return Divergence(number, "different_fault", f"it is not a fault {stored.kind} any more")
    if same_fault(trace, stored, found):
        return None
    return Divergence(number, "different_fault", f"it is another fault {found.kind}: {found.message}{_at(found)}")


def same_fault(trace: Trace, stored: TraceFault, found: Fault) -> bool:
    """Whether the fault equals the trace's: the same kind, message and statement (which may have moved)."""
    if (stored.kind, stored.message) != (found.kind, found.message):
        return False
    texts = {(line.file, line.line): line.text for line in trace.lines}
    was = texts.get((stored.place.file, stored.place.line)) if stored.place is not None else None
    lines = source_lines(found.span.file) if found.span is not None else ()
    if was is None or found.span is None or not 0 < found.span.line <= len(lines):
        return True
    return was.strip() == lines[found.span.line - 1].strip()


def _at(found: Fault) -> str:
    return f" (line {found.span.line})" if found.span is not None else ""


def compare_changes(naming: Naming, trace: Trace, planned: TraceStep, before: State, after: State) -> Divergence | None:
    """The divergence in the effects on shared cells; None if there is none. Cells that the trace does not have are
    ignored."""
    known = {cell.name for cell in trace.initial}
    found = {change.cell: change for change in naming.changes(before, after)[0] if change.cell in known}
    stored = {change.cell: change for change in planned.changes}
    if found == stored:
        return None
    pairs = [(cell, stored.get(cell), found.get(cell)) for cell in dict.fromkeys([*stored, *found])]
    different = [_difference(cell, old, new) for cell, old, new in pairs if old != new]
    return Divergence(planned.number, "different_changes", "; ".join(different))


def _difference(cell: str, stored: Change | None, found: Change | None) -> str:
    if found is None:
        assert stored is not None
        return f"{cell} does not go from {stored.before} to {stored.after}"
    shown = f"{cell} goes from {found.before} to {found.after}"
    return f"{shown}, not from {stored.before} to {stored.after}" if stored else f"{shown} as well"
