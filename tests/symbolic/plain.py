"""Properties of built models, and what plain Python says of them: the oracle of these tests.

`table` asks an evaluator about every typed valuation of what it reads; `expected` evaluates a predicate over named values.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from dio_mc.frontend.build import build
from dio_mc.ir.program import Program, Property
from dio_mc.semantics.evaluator import Decision
from dio_mc.semantics.layout import layout_of
from dio_mc.symbolic.crosscheck import domain_of
from dio_mc.symbolic.evaluator import EvaluatorReport, property_evaluator


def built(model: type, **params: int) -> Program:
    return build(model, params).program


def prop(program: Program, name: str) -> Property:
    return next(p for p in program.properties if p.name == name)


def judged(model: type, name: str, **options: Any) -> EvaluatorReport:
    program = built(model)
    return property_evaluator(program, prop(program, name), **options)


def table(program: Program, report: EvaluatorReport) -> dict[tuple[int, ...], Decision]:
    layout = layout_of(program)
    valuations = list(product(*(domain_of(p, layout) for p in report.evaluator.observations)))
    return dict(zip(valuations, report.evaluator.decide(valuations), strict=True))


def agrees(program: Program, name: str, predicate: Callable[..., bool]) -> EvaluatorReport:
    """The evaluator of a property decides as the predicate over the codes of the named observations (dots and brackets of names
    become underscores)."""
    report = property_evaluator(program, prop(program, name))
    names = ["".join(c if c.isalnum() else "_" for c in p.name).rstrip("_") for p in report.evaluator.observations]
    for valuation, decision in table(program, report).items():
        wanted = bool(predicate(**dict(zip(names, valuation, strict=True))))
        assert decision is (Decision.HOLDS if wanted else Decision.VIOLATED), (name, names, valuation)
    return report
