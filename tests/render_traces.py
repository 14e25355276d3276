"""Counterexamples of the repository's models, without the solver: properties are decided in their
compiled form."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from asking import explore_reference as explore

from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.ir.expr import Expr
from dio_mc.ir.program import Program, Property
from dio_mc.semantics.evaluator import Decision, Observation
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import Budget, Exploration
from dio_mc.trace.replay import build_trace
from dio_mc.trace.trace import Trace

MODELS = Path(__file__).resolve().parents[1] / "models"
FILES = sorted(path for path in MODELS.rglob("*.py"))


class CompiledEvaluator:
    """Decides a property in its compiled form, with the whole property as one observation."""

    def __init__(self, property_: Property, expr: Expr) -> None:
        self.property = property_
        self.observations = (Observation(property_.name, None, expr, after=property_.kind == "step"),)
        self.formulas = ()

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        return [Decision.HOLDS if value else Decision.VIOLATED for (value,) in valuations]


class Explored(NamedTuple):
    """A program and what its first states violate, each with its trace."""

    program: Program
    found: Exploration
    interpreter: Interpreter
    traces: tuple[Trace, ...]


def explored_of(program: Program, max_states: int = 2500) -> Explored:
    evaluators = [CompiledEvaluator(p, p.expr) for p in program.properties if p.expr is not None]
    found = explore(program, evaluators, Budget(max_states=max_states))
    interpreter = Interpreter(program)
    traces = (build_trace(program, v, engine=found.engine, interpreter=interpreter) for v in found.violations)
    return Explored(program, found, interpreter, tuple(traces))


@cache
def programs() -> tuple[Program, ...]:
    """Every model, with the parameters of each of its expectations."""
    found: list[Program] = []
    for path in FILES:
        for cls in load_module(str(path), allow_empty=True).models:
            bindings = dict.fromkeys(e.params for e in cls.__dio_expectations__) or {(): None}
            with suppress(ModelError):  # whether a model can be built is another test's business
                found += [build(cls, dict(binding)).program for binding in bindings]
    return tuple(found)


@cache
def all_explored() -> tuple[Explored, ...]:
    """Of every program, once: tests of several folders have parameters from them."""
    return tuple(map(explored_of, programs()))


@cache
def all_traces() -> tuple[Trace, ...]:
    return tuple(trace for one in all_explored() for trace in one.traces)


@cache
def ext3() -> Trace:
    """The seed race: stale data read through O_DIRECT."""
    module = load_module(str(MODELS / "seed" / "ext3_2_6_18.py"))
    (cls,) = (cls for cls in module.models if cls.__name__ == "Ext3")
    return next(t for t in explored_of(build(cls, {}).program).traces if t.property == "no_stale_exposure")
