"""How every property stands along a run, asked of the judges that decided the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.ir.program import LIVENESS
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.judge import Decision, Judge, Probe
from dio_mc.semantics.layout import State
from dio_mc.trace.trace import Standing


def standings(interpreter: Interpreter, judges: Sequence[Judge], states: Sequence[State]) -> tuple[Standing, ...]:
    """Each property at each state of the run, or at each step where it speaks of steps."""
    return tuple(_standing(interpreter, judge, states) for judge in judges)


def decide_at_end(interpreter: Interpreter, judge: Judge, states: Sequence[State]) -> Decision:
    """The property on the last of these states, or on the last step. Needs two states for a property of steps."""
    step = judge.property.kind == "step"
    before, after = (states[-2], states[-1]) if step else (states[-1], None)
    values = tuple(_read(interpreter, probe, before, after) for probe in judge.probes)
    (decision,) = judge.decide([values])
    return decision


def _standing(interpreter: Interpreter, judge: Judge, states: Sequence[State]) -> Standing:
    property_ = judge.property
    hoped = property_.kind == "reachable" or property_.kind in LIVENESS
    wanted = Decision.HOLDS if hoped else Decision.VIOLATED
    first = 1 if property_.kind == "step" else 0
    found = {n: decide_at_end(interpreter, judge, states[: n + 1]) for n in range(first, len(states))}
    at = tuple(number for number, decision in found.items() if decision is wanted)
    unknown = tuple(number for number, decision in found.items() if decision is Decision.UNKNOWN)
    return Standing(property_.name, property_.kind, property_.doc, at, unknown)


def _read(interpreter: Interpreter, probe: Probe, before: State, after: State | None) -> int:
    if probe.cell is None:
        assert probe.atom is not None
        return interpreter.evaluate(probe.atom, before, after)
    return (after if probe.after and after is not None else before)[probe.cell]
