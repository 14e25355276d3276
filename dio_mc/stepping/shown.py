"""A walk as text: its steps, the state it has come to, how properties stand, who can go on and who waits."""

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
    """The last step of a walk: its number, thread, call, statement and changes in one line."""
    number, step = len(walk.steps), walk.steps[-1]
    naming = Naming(walk.program, walk.interpreter.layout)
    before = walk.states[-1] if step.state is None else walk.states[-2]
    shared, _ = naming.changes(before, before if step.state is None else step.state)
    changes = ", ".join(f"{c.cell}: {c.before} -> {c.after}" for c in shared if c.role == "data")
    fault = f"   {step.fault.kind}: {step.fault.message}" if step.fault else ""
    return f"{number:4d}  {_told(walk, naming, step)}{f'   {changes}' if changes else ''}{fault}"


def state_lines(walk: Walk) -> list[str]:
    """The shared data of the last state, of large models what has changed; of locks what is not as at the start."""
    naming = Naming(walk.program, walk.interpreter.layout)
    cells = [c for c in naming.cells(walk.states[-1]) if c.thread is None]
    start = {c.name: c.value for c in naming.cells(walk.states[0])}
    few = sum(c.role == "data" for c in cells) <= _MOST_CELLS
    cells = [c for c in cells if (few and c.role == "data") or c.value != start[c.name]]
    words = [f"{c.name}={c.value}" for c in cells] or ["as at the start"]
    return _labelled("state", words)


def option_lines(walk: Walk) -> list[str]:
    """The steps that exist now, numbered from 1, then the threads that wait."""
    naming = Naming(walk.program, walk.interpreter.layout)
    options = walk.options
    found = [f"{number:4d}) {_told(walk, naming, step)}{_way(walk, step)}" for number, step in enumerate(options, 1)]
    moving = {step.action.thread for step in options}
    pcs = walk.interpreter.layout.pc
    waiting = [t for t in range(len(pcs)) if t not in moving and walk.states[-1][pcs[t]] and not walk.ended]
    return [*found, *(f"   -  {why_not(walk, thread)}" for thread in waiting)]


def standing_lines(walk: Walk, evaluators: Sequence[PropertyEvaluator]) -> list[str]:
    """How the properties of single states and steps stand along the walk."""
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
    """Whether an invariant is violated along the walk, or it has ended in a fault."""
    asked = [evaluator for evaluator in evaluators if evaluator.property.kind in ("invariant", "step")]
    return walk.ended or any(found.at for found in standings(walk.interpreter, asked, walk.states))


def rest_lines(walk: Walk, found: Exploration, evaluators: Sequence[PropertyEvaluator]) -> list[str]:
    """What can follow the walk, from its exploration."""
    *words, states = (text for text, _ in follows(walk, found, evaluators))
    return [*_labelled("after it", words, "; "), f"{'':{_LABEL}}({states})"]


def follows(
    walk: Walk, found: Exploration, evaluators: Sequence[PropertyEvaluator]
) -> list[tuple[str, Violation | None]]:
    """How each property stands after the walk, with the run that shows it; the last one says how much was explored."""
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
    told = "1 state" if found.states == 1 else f"{found.states:,} states"
    ended = f", stopped by {found.stopped}" if found.stopped is not None else ""
    return [*words, (f"{told} follow{'s' if found.states == 1 else ''}{ended}", None)]


def _others(walk: Walk, found: Exploration, evaluators: Sequence[PropertyEvaluator]) -> list[tuple[str, str]]:
    """Deadlock, if it is asked for, and the faults that were found."""
    written = {evaluator.property.name for evaluator in evaluators}
    faults = [(v.property, "fault") for v in found.violations if v.property not in written | {"deadlock"}]
    return [*([("deadlock", "deadlock")] if walk.program.check_deadlock else []), *faults]


def _when(number: int) -> str:
    return "from the start" if number == 0 else f"at step {number}"


def _after(further: int) -> str:
    return "here" if further <= 0 else "in 1 more step" if further == 1 else f"in {further} more steps"


def _told(walk: Walk, naming: Naming, step: Step) -> str:
    here = naming.location(step.action.thread, step.action.location)
    calls = naming.calls(step.action.thread, step.action.location)
    name = walk.program.threads[step.action.thread].name
    width = max(len(thread.name) for thread in walk.program.threads)
    call = f"{calls[-1]}()  " if calls else ""
    return f"{name:{width}}  {call}{here.text.replace('self.', '')}"


def _way(walk: Walk, step: Step) -> str:
    """Which of several ways to go on this one is, and what it does that tells it from the others."""
    ways = walk.of(step.action.thread)
    if len(ways) < 2:
        return ""
    name = walk.program.threads[step.action.thread].name
    if step.state is None:
        effect = f"{step.fault.kind}" if step.fault else ""
    else:
        naming = Naming(walk.program, walk.interpreter.layout)
        shared, own = naming.changes(walk.states[-1], step.state)
        told = [c for c in (*shared, *own) if c.role != "location"]
        effect = ", ".join(f"{c.cell.rsplit('.', 1)[-1]} = {c.after}" for c in told)
    return f"   {name}:{ways.index(step) + 1}{f'  {effect}' if effect else ''}"


def _labelled(label: str, words: Sequence[str], joint: str = " ") -> list[str]:
    """Words in lines of at most `WIDTH` columns after a label, where a word is not longer than that."""
    lines, current = [], ""
    for word in words:
        further = f"{current}{joint}{word}" if current else word
        if current and len(further) > WIDTH - _LABEL:
            lines.append(current + joint.rstrip())
            further = word
        current = further
    lines.append(current)
    return [f"{label if n == 0 else '':{_LABEL}}{line}" for n, line in enumerate(lines)]
