"""The status of every property along a run, decided by the evaluators that decided the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.ir.program import LIVENESS
from dio_mc.semantics.evaluator import Decision, Observation, PropertyEvaluator
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.trace.trace import Standing


def standings(
    interpreter: Interpreter, evaluators: Sequence[PropertyEvaluator], states: Sequence[State]
) -> tuple[Standing, ...]:
    """The status of each property in each state of the run, or for each step if it is a step property."""
    return tuple(_standing(interpreter, evaluator, states) for evaluator in evaluators)


def decide_at_end(interpreter: Interpreter, evaluator: PropertyEvaluator, states: Sequence[State]) -> Decision:
    """Decide a property on the last of these states, or on the last step. A step property needs two states."""
    step = evaluator.property.kind == "step"
    before, after = (states[-2], states[-1]) if step else (states[-1], None)
    values = tuple(_read(interpreter, observation, before, after) for observation in evaluator.observations)
    (decision,) = evaluator.decide([values])
    return decision


def _standing(interpreter: Interpreter, evaluator: PropertyEvaluator, states: Sequence[State]) -> Standing:
    property_ = evaluator.property
    hoped = property_.kind == "reachable" or property_.kind in LIVENESS
    wanted = Decision.HOLDS if hoped else Decision.VIOLATED
    first = 1 if property_.kind == "step" else 0
    found = {n: decide_at_end(interpreter, evaluator, states[: n + 1]) for n in range(first, len(states))}
    at = tuple(number for number, decision in found.items() if decision is wanted)
    unknown = tuple(number for number, decision in found.items() if decision is Decision.UNKNOWN)
    return Standing(property_.name, property_.kind, property_.doc, at, unknown)


def _read(interpreter: Interpreter, observation: Observation, before: State, after: State | None) -> int:
    if observation.cell is None:
        assert observation.proposition is not None
        return interpreter.evaluate(observation.proposition, before, after)
    return (after if observation.after and after is not None else before)[observation.cell]
