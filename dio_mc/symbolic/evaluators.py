"""The two evaluators (`semantics.evaluator.PropertyEvaluator`): the compiled form, and the solver."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import z3

from dio_mc.ir.expr import Expr
from dio_mc.ir.program import Property
from dio_mc.semantics.evaluator import Decision, Observation
from dio_mc.source import Span
from dio_mc.symbolic.compiled import Compiled
from dio_mc.symbolic.premises import Finding, Premises, Watched
from dio_mc.symbolic.solver import satisfiable, valid
from dio_mc.symbolic.terms import known_truth
from dio_mc.symbolic.translate import Translations


class CompiledEvaluator:
    """Decides by the compiled form. `formulas` holds that form in IR, and for each implication whether a premise of it
    holds."""

    def __init__(
        self,
        property_: Property,
        formulas: tuple[Expr, ...],
        observations: tuple[Observation, ...],
        compiled: Compiled,
        premises: list[tuple[Span, Compiled]],
        reported: frozenset[Span | None],
    ) -> None:
        self.property = property_
        self.formulas = formulas
        self.observations = observations
        self.compiled = compiled
        self._watched = Watched(property_, list(premises), reported)

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        """One decision per valuation."""
        for valuation in valuations:
            self._watched.see(valuation)
        holds, violated, compiled = Decision.HOLDS, Decision.VIOLATED, self.compiled
        return [holds if compiled(valuation) else violated for valuation in valuations]

    def premises(self) -> list[tuple[Span, bool]]:
        """For each ``Implies`` in the source: whether its premise was true on some valuation."""
        return self._watched.premises()

    def findings_after(self) -> list[Finding]:
        """Findings after the exploration: premises that never held."""
        return self._watched.findings()


class SolverEvaluator:
    """Substitutes each valuation into the formula and simplifies; if that does not decide it, z3 solves it.

    `max_questions` and `wall` (seconds) bound the solver queries; beyond them the decision is UNKNOWN. A run that
    `wall` cut is not repeatable.
    """

    def __init__(
        self,
        both: Translations,
        premises: Premises,
        reported: frozenset[Span | None],
        budget_ms: int,
        max_questions: int | None,
        wall: float | None,
    ) -> None:
        self.property = both.property
        self.formulas: tuple[Expr, ...] = ()
        self.observations = both.support()
        self.questions = 0
        self._formula = z3.simplify(both.quoted())
        self._constants = [both.symbols.constant(observation) for observation in self.observations]
        self._symbols = both.symbols
        self._values: dict[tuple[int, int], Any] = {}
        self._budget_ms, self._max_questions, self._wall = budget_ms, max_questions, wall
        self._spent = 0.0
        tests = [(span, self._test(premise)) for span, group in premises.groups for premise in group]
        self._watched = Watched(both.property, tests, reported)

    def _test(self, premise: Any) -> Callable[[tuple[int, ...]], bool]:
        def held(valuation: tuple[int, ...]) -> bool:
            if isinstance(premise, bool):
                return premise
            found = self._put(premise, valuation)
            known = known_truth(found)
            return known if known is not None else satisfiable([found], self._budget_ms) is not False

        return held

    def _put(self, formula: Any, valuation: tuple[int, ...]) -> Any:
        """The formula with a valuation's values substituted for the constants."""
        pairs = []
        for position, value in enumerate(valuation):
            key = position, value
            if key not in self._values:
                self._values[key] = self._symbols.value(self.observations[position], value)
            pairs.append((self._constants[position], self._values[key]))
        return z3.substitute(formula, *pairs) if pairs else formula

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        """One decision per valuation."""
        for valuation in valuations:
            self._watched.see(valuation)
        return [self._decide(valuation) for valuation in valuations]

    def _decide(self, valuation: tuple[int, ...]) -> Decision:
        started = time.perf_counter()
        put = self._put(self._formula, valuation)
        answer = known_truth(put)
        if answer is None and not self._exhausted():
            self.questions += 1
            answer = valid(put, self._budget_ms)
        self._spent += time.perf_counter() - started
        if answer is None:
            return Decision.UNKNOWN
        return Decision.HOLDS if answer else Decision.VIOLATED

    def _exhausted(self) -> bool:
        too_many = self._max_questions is not None and self.questions >= self._max_questions
        return too_many or (self._wall is not None and self._spent >= self._wall)

    def premises(self) -> list[tuple[Span, bool]]:
        """For each ``Implies`` in the source: whether its premise was true on some valuation."""
        return self._watched.premises()

    def findings_after(self) -> list[Finding]:
        """Findings after the exploration: premises that never held."""
        return self._watched.findings()
