"""A walk as text: its steps, its last state, the status of the properties, the threads that can run and those that
wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dio_mc.ir.program import LIVENESS
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.search import Exploration, Violation
from dio_mc.semantics.step import Step
from dio_mc.stepping.walk import Walk, why_not
from dio_mc.trace.naming import Naming
from dio_mc.trace.standing import standings

WIDTH: Final = 100
_LABEL: Final = 10
_MOST_CELLS: Final = 60


def step_line(walk: Walk) -> str:
    """The last step of a walk in one line: number, thread, call, statement and changes."""
    number, step = len(walk.steps), walk.steps[-1]
    naming = Naming(walk.program, walk.interpreter.layout)
    before = walk.states[-1] if step.state is None else walk.states[-2]
    shared, _ = naming.changes(before, before if step.state is None else step.state)
    changes = ", ".join(f"{c.cell}: {c.before} -> {c.after}" for c in shared if c.role == "data")
    fault = f"   {step.fault.kind}: {step.fault.message}" if step.fault else ""
    return f"{number:4d}  {_as_text(walk, naming, step)}{f'   {changes}' if changes else ''}{fault}"


def state_lines(walk: Walk) -> list[str]:
    """The shared data of the last state: all cells, or in a large model those that have changed. Cells of locks are
    listed only if they have changed."""
    naming = Naming(walk.program, walk.interpreter.layout)
    cells = [c for c in naming.cells(walk.states[-1]) if c.thread is None]
    start = {c.name: c.value for c in naming.cells(walk.states[0])}
    few = sum(c.role == "data" for c in cells) <= _MOST_CELLS
    cells = [c for c in cells if (few and c.role == "data") or c.value != start[c.name]]
    words = [f"{c.name}={c.value}" for c in cells] or ["as at the start"]
    return _labelled("state", words)


def option_lines(walk: Walk) -> list[str]:
    """The steps that can be taken now, numbered from 1, then the threads that wait."""
    naming = Naming(walk.program, walk.interpreter.layout)
    options = walk.options
    found = [f"{number:4d}) {_as_text(walk, naming, step)}{_way(walk, step)}" for number, step in enumerate(options, 1)]
    moving = {step.action.thread for step in options}
    pcs = walk.interpreter.layout.pc
    waiting = [t for t in range(len(pcs)) if t not in moving and walk.states[-1][pcs[t]] and not walk.ended]
    return [*found, *(f"   -  {why_not(walk, thread)}" for thread in waiting)]


def standing_lines(walk: Walk, evaluators: Sequence[PropertyEvaluator]) -> list[str]:
    """The status of invariants, step invariants and reachable properties along the walk."""
    asked = [evaluator for evaluator in evaluators if evaluator.property.kind not in LIVENESS]
    words: list[str] = []
    for found in standings(walk.interpreter, asked, walk.states):
        reached = found.kind == "reachable"
        if found.at:
            words.append(f"{found.property} {'reached' if reached else 'VIOLATED'} {_when(found.at[0])}")
        elif found.unknown:
            words.append(f"{found.property} undetermined")
        elif not reached:
            words.append(f"{found.property} holds")
    return _labelled("so far", words, "; ") if words else []


def violated(walk: Walk, evaluators: Sequence[PropertyEvaluator]) -> bool:
    """Whether an invariant is violated along the walk, or the walk has ended in a fault."""
    asked = [evaluator for evaluator in evaluators if evaluator.property.kind in ("invariant", "step")]
    return walk.ended or any(found.at for found in standings(walk.interpreter, asked, walk.states))


def rest_lines(walk: Walk, found: Exploration, evaluators: Sequence[PropertyEvaluator]) -> list[str]:
    """The possible continuations of the walk, from an exploration of them."""
    *words, states = (text for text, _ in follows(walk, found, evaluators))
    return [*_labelled("after it", words, "; "), f"{'':{_LABEL}}({states})"]


def follows(
    walk: Walk, found: Exploration, evaluators: Sequence[PropertyEvaluator]
) -> list[tuple[str, Violation | None]]:
    """The status of each property after the walk, with a run that shows it. The last entry gives the size of the
    exploration."""
    taken = len(walk.steps)
    words: list[tuple[str, Violation | None]] = []
    seen = {violation.property: violation for violation in found.violations}
    for name, kind in [*((j.property.name, j.property.kind) for j in evaluators), *_others(walk, found, evaluators)]:
        violation = seen.pop(name, None)
        if violation is not None:
            further = len(violation.schedule) - taken
            word = "can be reached" if kind == "reachable" else "VIOLATED"
            words.append((f"{name} {word} {_after(further)}", violation))
        elif name in found.unknown or found.stopped is not None:
            words.append((f"{name} undetermined", None))
        else:
            words.append((f"{name} {'cannot be reached' if kind == 'reachable' else 'holds'}", None))
    explored = "1 state" if found.states == 1 else f"{found.states:,} states"
    ended = f", stopped by {found.stopped}" if found.stopped is not None else ""
    return [*words, (f"{explored} follow{'s' if found.states == 1 else ''}{ended}", None)]


def _others(walk: Walk, found: Exploration, evaluators: Sequence[PropertyEvaluator]) -> list[tuple[str, str]]:
    """Deadlock, if it is checked, and the faults that were found."""
    written = {evaluator.property.name for evaluator in evaluators}
    faults = [(v.property, "fault") for v in found.violations if v.property not in written | {"deadlock"}]
    return [*([("deadlock", "deadlock")] if walk.program.check_deadlock else []), *faults]


def _when(number: int) -> str:
    return "from the start" if number == 0 else f"at step {number}"


def _after(further: int) -> str:
    return "here" if further <= 0 else "in 1 more step" if further == 1 else f"in {further} more steps"


def _as_text(walk: Walk, naming: Naming, step: Step) -> str:
    here = naming.location(step.action.thread, step.action.location)
    calls = naming.calls(step.action.thread, step.action.location)
    name = walk.program.threads[step.action.thread].name
    width = max(len(thread.name) for thread in walk.program.threads)
    call = f"{calls[-1]}()  " if calls else ""
    return f"{name:{width}}  {call}{here.text.replace('self.', '')}"


def _way(walk: Walk, step: Step) -> str:
    """The number of this step among its thread's alternatives, and the changes that distinguish it from them; empty if
    there is only one."""
    ways = walk.of(step.action.thread)
    if len(ways) < 2:
        return ""
    name = walk.program.threads[step.action.thread].name
    if step.state is None:
        effect = f"{step.fault.kind}" if step.fault else ""
    else:
        naming = Naming(walk.program, walk.interpreter.layout)
        shared, own = naming.changes(walk.states[-1], step.state)
        changed = [c for c in (*shared, *own) if c.role != "location"]
        effect = ", ".join(f"{c.cell.rsplit('.', 1)[-1]} = {c.after}" for c in changed)
    return f"   {name}:{ways.index(step) + 1}{f'  {effect}' if effect else ''}"


def _labelled(label: str, words: Sequence[str], joint: str = " ") -> list[str]:
    """Words in lines of at most `WIDTH` columns after a label; only a single longer word exceeds that."""
    lines, current = [], ""
    for word in words:
        further = f"{current}{joint}{word}" if current else word
        if current and len(further) > WIDTH - _LABEL:
            lines.append(current + joint.rstrip())
            further = word
        current = further
    lines.append(current)
    return [f"{label if n == 0 else '':{_LABEL}}{line}" for n, line in enumerate(lines)]
