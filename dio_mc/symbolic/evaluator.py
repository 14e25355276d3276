"""Choosing the evaluator of a property: its compiled form, if z3 proves it equivalent to the formula, otherwise z3
itself.

``property_evaluator(program, property)`` makes two translations of the property's source: (a) the IR that the frontend
compiled, (b) the formula that `formula` makes of the same Python function. z3 proves that they agree on every typed
valuation; if they do not, that is `TranslationMismatch`, a fault of dio-mc. After that, the Python function generated
from (a) decides; it is compared with z3 as well (`crosscheck`).

If (a) does not exist, or z3 gives up on the proof, z3 is queried for every distinct valuation, and the decision may be
``unknown``. Symbols that the author's z3py leaves free (a function, a constant of its own) are universally quantified:
the property holds if it holds for all of their interpretations.

Limits: the proof is about typed valuations of cells and thread locations, reachable or not. "Trivial" means trivial on
these. "A premise held" means that it held on some valuation that the evaluator decided.
"""

from __future__ import annotations

from dataclasses import dataclass

import z3

from dio_mc.ir.expr import Expr, Implies, Or, walk
from dio_mc.ir.program import Program, Property
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.source import Span
from dio_mc.symbolic.compiled import compile_node
from dio_mc.symbolic.crosscheck import Checked, Subject, cross_check
from dio_mc.symbolic.disjunctions import premises_of_disjunctions
from dio_mc.symbolic.evaluators import CompiledEvaluator, SolverEvaluator
from dio_mc.symbolic.outside import outside
from dio_mc.symbolic.premises import Finding, Premises
from dio_mc.symbolic.solver import satisfiable
from dio_mc.symbolic.translate import Translations, prove_equal, translate

BUDGET_MS = 500


@dataclass(frozen=True, slots=True)
class EvaluatorReport:
    """A property's evaluator and the findings before exploration. `proved`: z3 proved the compiled form equivalent;
    `checked`: how far it was compared on concrete values (None for a property that only the solver decides)."""

    evaluator: CompiledEvaluator | SolverEvaluator
    findings: tuple[Finding, ...]
    proved: bool
    checked: Checked | None

    @property
    def words(self) -> str:
        """The method by which the property is decided, in words."""
        if self.checked is None:
            return "decided by the solver, valuation by valuation"
        return f"compiled, proved equivalent, {self.checked}"


def property_evaluator(
    program: Program,
    property_: Property,
    *,
    budget_ms: int = BUDGET_MS,
    full: bool = False,
    max_questions: int | None = None,
    wall: float | None = None,
) -> EvaluatorReport:
    """Make the evaluator of a property.

    `budget_ms` bounds each query to z3, counted in z3's own steps. `full` compares the compiled form with z3 on up to
    2^16 valuations. A solver-only evaluator returns UNKNOWN after `max_questions` valuations that needed a z3 query, or
    after `wall` seconds. Raises `FormulaError` for a property that cannot be translated, `TranslationMismatch` if the
    translations differ.
    """
    both = translate(program, property_)
    proved = both.root is not None and prove_equal(both, budget_ms)
    facts = both.symbols.facts()
    compiled_premises = [(span, both.encoded(node)) for span, node in both.premises]
    premises = Premises.of(compiled_premises if proved else list(both.formula_premises), property_)
    impossible = premises.impossible(facts, budget_ms)
    findings = _trivial(both, facts, budget_ms) + impossible + _outside(both, budget_ms)
    reported = frozenset(f.span for f in impossible)
    if not proved:
        evaluator = SolverEvaluator(both, premises, reported, budget_ms, max_questions, wall)
        return EvaluatorReport(evaluator, (*findings, _solver_only(both, budget_ms)), False, None)
    compiled, checked = _compiled(both, premises, reported, budget_ms, full)
    return EvaluatorReport(compiled, tuple(findings), True, checked)


def evaluators_of(program: Program) -> list[PropertyEvaluator]:
    """The evaluators of all properties, in their order. Raises what `property_evaluator` raises."""
    return [property_evaluator(program, property_).evaluator for property_ in program.properties]


def _compiled(
    both: Translations, premises: Premises, reported: frozenset[Span | None], budget_ms: int, full: bool
) -> tuple[CompiledEvaluator, Checked]:
    assert both.root is not None
    observations = both.graph.observations([both.root, *(node for _, node in both.premises)])
    function = compile_node(both.graph, both.root, observations)
    subject = Subject(
        both.property.name, function, both.encoded(both.root), observations, both.symbols, both.graph.layout
    )
    checked = cross_check(subject, budget_ms, full=full)
    tests = [(span, compile_node(both.graph, node, observations)) for span, node in both.premises]
    return CompiledEvaluator(both.property, _formulas(both.property), observations, function, tests, reported), checked


def _formulas(property_: Property) -> tuple[Expr, ...]:
    """The compiled form, and for each implication in the source whether one of its premises holds."""
    assert property_.expr is not None
    places: dict[Span | None, list[Expr]] = {}
    for part in walk(property_.expr):
        if isinstance(part, Implies):
            places.setdefault(part.span, []).append(part.premise)
    if property_.kind in ("invariant", "step"):
        places.setdefault(property_.span, []).extend(premises_of_disjunctions(property_.expr))
    return property_.expr, *(Or(tuple(premises)) for premises in places.values() if premises)


def _trivial(both: Translations, facts: list[object], budget_ms: int) -> list[Finding]:
    """A finding if the property is false on every typed valuation, or true on every one."""
    property_, formula = both.property, both.quoted()
    states = "step" if property_.kind == "step" else "state"
    if satisfiable([*facts, formula], budget_ms) is False:
        return [Finding("DIO311", f"`{property_.name}` is false in every {states}, reachable or not", property_.span)]
    if satisfiable([*facts, z3.Not(formula)], budget_ms) is False:
        return [Finding("DIO310", f"`{property_.name}` is true in every {states}, reachable or not", property_.span)]
    return []


def _outside(both: Translations, budget_ms: int) -> list[Finding]:
    """A finding for each read whose index may be outside its array."""
    if both.property.expr is None:
        return []
    found: dict[tuple[int, Span | None], Finding] = {}
    for load, extent, condition in outside(both.property.expr, both.program):
        formula = both.encoded(both.graph.abstract(both.graph.lower(condition)))
        key = load.variable, load.span
        if key not in found and satisfiable([*both.symbols.facts(), formula], budget_ms) is True:
            name = both.program.variables[load.variable].name
            asked = f"an index of `{name}` in `{both.property.name}` may be outside of 0..{extent - 1}"
            found[key] = Finding("DIO331", f"{asked}: it reads the last element then", load.span or both.property.span)
    return list(found.values())


def _solver_only(both: Translations, budget_ms: int) -> Finding:
    used = ", ".join(f"`{name}`" for name in both.natives)
    if both.root is not None:
        reason = f"z3 could not prove its compiled form equivalent within its budget ({budget_ms} ms)"
    else:
        reason = f"it uses {used} of z3" if used else "it has no compiled form"
    return Finding("DIO314", f"`{both.property.name}` is decided by the solver alone: {reason}", both.property.span)
