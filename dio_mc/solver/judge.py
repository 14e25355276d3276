"""z3 as the judge of a property: two translations proved equal, then one decision per distinct valuation.

What is promised: a valuation is decided HOLDS only by the author's formula as z3 reads it, or by the compiled form
after z3 has proved for all typed values that both agree. The closures that evaluate the compiled form are our own
Python; each property's first `AUDITED` valuations are therefore decided by both ways, and a difference is an internal
error. `unknown` never holds. A formula with free symbols of its own (uninterpreted functions) holds when it is valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import z3

from dio_mc.errors import InternalError
from dio_mc.ir.expr import Expr, Implies, walk
from dio_mc.ir.program import Program, Property
from dio_mc.ir.types import show_value
from dio_mc.semantics.contract import Decision, Probe
from dio_mc.solver.encode import encode
from dio_mc.solver.evaluate import Compiled, Compiler, Valuation
from dio_mc.solver.formula import as_term
from dio_mc.solver.symbols import Symbol, Symbols
from dio_mc.source import Span

AUDITED = 256
"""Valuations per property that are decided by z3 as well as by the compiled form."""
PROOF_MS = 10_000
"""Milliseconds for proving the two translations equal."""
TRIVIAL_MS = 1_000
"""Milliseconds for each question about triviality; no answer is no finding."""
DECISION_MS = 2_000
"""Milliseconds for one valuation that only the solver can decide."""
SOLVER_LIMIT = 20_000
"""Valuations per property that are given to the solver; those beyond are unknown."""


class TranslationMismatch(InternalError):
    """The two translations of a property differ: a fault of dio-mc."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark on a property, with its code and place."""

    code: str
    message: str
    span: Span | None


@dataclass(slots=True)
class _Premise:
    """One implication in the source: what its premise is, over all instances, and whether it ever held."""

    span: Span | None
    tests: list[Compiled] = field(default_factory=list)
    held: bool = False


class PropertyJudge:
    """Decides one property; remembers which premises were ever true. Made by `judge_property`."""

    def __init__(
        self, property_: Property, symbols: tuple[Symbol, ...], formula: Any, compiled: Compiled | None,
        premises: list[_Premise], timeout_ms: int, limit: int,
    ) -> None:  # fmt: skip
        self._property = property_
        self._symbols = symbols
        self._formula = formula
        self._compiled = compiled
        self._premises = premises
        self._timeout_ms = timeout_ms
        self._limit = limit
        self._by_solver = 0
        self._probes = tuple(s.probe for s in symbols)

    @property
    def probes(self) -> tuple[Probe, ...]:
        """What the property reads."""
        return self._probes

    @property
    def compiled(self) -> bool:
        """Whether the compiled form decides (z3 has proved it equivalent)."""
        return self._compiled is not None

    def decide(self, valuations: Sequence[Valuation]) -> list[Decision]:
        """One decision per valuation. Raises `TranslationMismatch` when the compiled form and z3 disagree."""
        return [self._decide(v) for v in valuations]

    def premises(self) -> list[tuple[Span | None, bool]]:
        """Each implication of the property: its place, and whether its premise was true on any valuation decided."""
        return [(p.span, p.held) for p in self._premises]

    def findings_after(self) -> list[Finding]:
        """What can only be said after exploring: premises that never held."""
        text = f"{self._property.name}: the premise of this implication never held"
        return [Finding("DIO313", text, p.span) for p in self._premises if not p.held]

    def _decide(self, valuation: Valuation) -> Decision:
        for premise in self._premises:
            premise.held = premise.held or any(test(valuation) for test in premise.tests)
        if self._compiled is None:
            return self._solve(valuation)
        found = Decision.HOLDS if self._compiled(valuation) else Decision.VIOLATED
        if self._by_solver < AUDITED:
            judged = self._solve(valuation)
            if judged not in (found, Decision.UNKNOWN):
                raise TranslationMismatch(
                    f"{self._property.name}: the compiled form says {found.value}, z3 says {judged.value}",
                    [self._spell(valuation)],
                )
        return found

    def _solve(self, valuation: Valuation) -> Decision:
        """By substitution and simplification, and by the solver where that is not enough."""
        self._by_solver += 1
        if self._by_solver > self._limit:
            return Decision.UNKNOWN
        pairs = [(s.term, s.literal(v)) for s, v in zip(self._symbols, valuation, strict=True)]
        term = z3.simplify(z3.substitute(self._formula, *pairs)) if pairs else z3.simplify(self._formula)
        if z3.is_true(term):
            return Decision.HOLDS
        if z3.is_false(term):
            return Decision.VIOLATED
        answer = _check(self._timeout_ms, z3.Not(term))
        if answer == z3.unsat:
            return Decision.HOLDS
        return Decision.VIOLATED if answer == z3.sat else Decision.UNKNOWN

    def _spell(self, valuation: Valuation) -> str:
        pairs = zip(self._symbols, valuation, strict=True)
        return ", ".join(f"{s.probe.name} = {show_value(s.type, v)}" for s, v in pairs)

    @property
    def property(self) -> Property:
        """The property."""
        return self._property


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """A judge and what was found on the way."""

    judge: PropertyJudge
    findings: tuple[Finding, ...]


def judge_property(
    program: Program, property_: Property, *, timeout_ms: int = DECISION_MS, limit: int = SOLVER_LIMIT
) -> JudgeReport:
    """Translate a property twice, prove the translations equal, and ask whether it says anything at all.

    Raises `TranslationMismatch` when they differ, `ModelError` when the source has no meaning for z3.
    """
    symbols = Symbols(program)
    formula = as_term(property_, symbols)
    encoded = encode(property_.expr, symbols) if property_.expr is not None else None
    bounds = symbols.constraints()
    proved = encoded is not None and _prove_equal(property_, formula, encoded, symbols, bounds)
    support = symbols.support()
    findings = [] if proved else [_solver_alone(property_)]
    findings += _triviality(property_, formula, bounds)
    compiled = None
    premises: list[_Premise] = []
    if proved and property_.expr is not None:
        compiler = Compiler(program, symbols.layout, tuple(s.probe for s in support))
        compiled = compiler.compile(property_.expr)
        premises = _premises(property_.expr, compiler)
        findings += _impossible_premises(property_, symbols, bounds)
    judge = PropertyJudge(property_, support, formula, compiled, premises, timeout_ms, limit)
    return JudgeReport(judge, tuple(findings))


def _solver_alone(property_: Property) -> Finding:
    why = (
        "it uses what only z3 can say" if property_.expr is None else "z3 could not prove its compiled form equivalent"
    )
    return Finding("DIO314", f"{property_.name} is decided by the solver alone: {why}", property_.span)


def _prove_equal(property_: Property, formula: Any, encoded: Any, symbols: Symbols, bounds: list[Any]) -> bool:
    """True when z3 proves it, False when it does not know; a counterexample is our fault."""
    same = z3.simplify(formula == encoded)
    if z3.is_true(same):
        return True
    solver = z3.Solver()
    solver.set("timeout", PROOF_MS)
    solver.add(*bounds, z3.Not(same))
    answer = solver.check()
    if answer == z3.sat:
        model = solver.model()
        values = ", ".join(f"{s.probe.name} = {model.eval(s.term, model_completion=True)}" for s in symbols.support())
        raise TranslationMismatch(f"the two translations of {property_.name} differ", [values])
    return bool(answer == z3.unsat)


def _check(timeout_ms: int, *terms: Any) -> Any:
    solver = z3.Solver()
    solver.set("timeout", timeout_ms)
    solver.add(*terms)
    return solver.check()


def _triviality(property_: Property, formula: Any, bounds: list[Any]) -> list[Finding]:
    kind, name, span = property_.kind, property_.name, property_.span
    if kind == "reachable":
        never = _check(TRIVIAL_MS, *bounds, formula) == z3.unsat
        return [Finding("DIO311", f"{name} is false for every value of its variables", span)] if never else []
    if _check(TRIVIAL_MS, *bounds, z3.Not(formula)) == z3.unsat:
        return [Finding("DIO310", f"{name} is true for every value of its variables: it checks nothing", span)]
    if _check(TRIVIAL_MS, *bounds, formula) == z3.unsat:
        return [Finding("DIO311", f"{name} is false for every value of its variables", span)]
    return []


def _sites(expr: Expr) -> dict[Span | None, list[Expr]]:
    """The premises of all implications, by place: a quantifier makes several instances of one."""
    found: dict[Span | None, list[Expr]] = {}
    for part in walk(expr):
        if isinstance(part, Implies):
            found.setdefault(part.span, []).append(part.premise)
    return found


def _premises(expr: Expr, compiler: Compiler) -> list[_Premise]:
    return [_Premise(span, [compiler.compile(p) for p in premises]) for span, premises in _sites(expr).items()]


def _impossible_premises(property_: Property, symbols: Symbols, bounds: list[Any]) -> list[Finding]:
    assert property_.expr is not None
    found = []
    for span, premises in _sites(property_.expr).items():
        if _check(TRIVIAL_MS, *bounds, z3.Or(*[encode(p, symbols) for p in premises])) == z3.unsat:
            text = f"{property_.name}: the premise is false for every value of its variables"
            found.append(Finding("DIO312", text, span))
    return found
