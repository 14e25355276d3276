"""Vacuity: whether the premise of an implication can hold, and whether it ever did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import z3

from dio_mc.ir.program import Property
from dio_mc.source import Span
from dio_mc.symbolic.solver import satisfiable
from dio_mc.symbolic.terms import disj


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a property's quality."""

    code: str
    message: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Premises:
    """The premises of a property by place: one ``Implies`` in an ``all(...)`` has one per instance."""

    property: Property
    groups: tuple[tuple[Span, tuple[Any, ...]], ...]

    @staticmethod
    def of(listed: list[tuple[Span, Any]], property_: Property) -> Premises:
        """Group by place, in order."""
        groups: dict[Span, list[Any]] = {}
        for span, premise in listed:
            groups.setdefault(span, []).append(premise)
        return Premises(property_, tuple((span, tuple(found)) for span, found in groups.items()))

    def impossible(self, facts: list[Any], budget_ms: int) -> list[Finding]:
        """Premises that no typed valuation makes true."""
        found: list[Finding] = []
        for span, premises in self.groups:
            some = disj(premises)
            formula = z3.BoolVal(some) if isinstance(some, bool) else some
            if satisfiable([*facts, formula], budget_ms) is False:
                message = f"the premise of {_which(span, self.property.span)} in `{self.property.name}` can never hold"
                found.append(Finding("DIO312", message, span))
        return found


class Watched:
    """Which premises have held so far. `tests` pairs a place with a function that says whether its premise is true on
    a valuation; `told` are places already reported as impossible."""

    def __init__(
        self,
        property_: Property,
        tests: list[tuple[Span, Callable[[tuple[int, ...]], Any]]],
        told: frozenset[Span | None],
    ) -> None:
        self._name, self._span = property_.name, property_.span
        self._held: dict[Span, bool] = {span: False for span, _ in tests}
        self._open = tests
        self._told = told

    def see(self, valuation: tuple[int, ...]) -> None:
        """A valuation that is decided."""
        if not self._open:
            return
        for span, test in self._open:
            if not self._held[span] and test(valuation):
                self._held[span] = True
        self._open = [(span, test) for span, test in self._open if not self._held[span]]

    def premises(self) -> list[tuple[Span, bool]]:
        """Each place with whether a premise there has ever held."""
        return list(self._held.items())

    def findings(self) -> list[Finding]:
        """Places where none has, though it could."""
        return [
            Finding(
                "DIO313",
                f"the premise of {_which(span, self._span)} in `{self._name}` never held: nothing was checked by it",
                span,
            )
            for span, held in self._held.items()
            if not held and span not in self._told
        ]


def _which(span: Span, whole: Span | None) -> str:
    """Disjunctions are told at the property: a formula does not say where they stand."""
    return "each `not ... or ...`" if span == whole else "this implication"
