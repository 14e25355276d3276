"""Vacuity: whether the premise of an implication can hold, and whether it ever held."""

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
    """A finding about a property's quality."""

    code: str
    message: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Premises:
    """The premises of a property grouped by source position: one ``Implies`` in an ``all(...)`` has one per
    instance."""

    property: Property
    groups: tuple[tuple[Span, tuple[Any, ...]], ...]

    @staticmethod
    def of(listed: list[tuple[Span, Any]], property_: Property) -> Premises:
        """Group premises by position, in order."""
        groups: dict[Span, list[Any]] = {}
        for span, premise in listed:
            groups.setdefault(span, []).append(premise)
        return Premises(property_, tuple((span, tuple(found)) for span, found in groups.items()))

    def impossible(self, facts: list[Any], budget_ms: int) -> list[Finding]:
        """A finding for each position whose premises are false on every typed valuation."""
        found: list[Finding] = []
        for span, premises in self.groups:
            some = disj(premises)
            formula = z3.BoolVal(some) if isinstance(some, bool) else some
            if satisfiable([*facts, formula], budget_ms) is False:
                message = f"the premise of {_which(span, self.property.span)} in `{self.property.name}` can never hold"
                found.append(Finding("DIO312", message, span))
        return found


class Watched:
    """Records which premises have held so far. `tests` pairs a position with a function that evaluates its premise on a
    valuation; `reported` are positions already reported as impossible."""

    def __init__(
        self,
        property_: Property,
        tests: list[tuple[Span, Callable[[tuple[int, ...]], Any]]],
        reported: frozenset[Span | None],
    ) -> None:
        self._name, self._span = property_.name, property_.span
        self._held: dict[Span, bool] = {span: False for span, _ in tests}
        self._open = tests
        self._reported = reported

    def see(self, valuation: tuple[int, ...]) -> None:
        """Evaluate the premises on a valuation that is decided."""
        if not self._open:
            return
        for span, test in self._open:
            if not self._held[span] and test(valuation):
                self._held[span] = True
        self._open = [(span, test) for span, test in self._open if not self._held[span]]

    def premises(self) -> list[tuple[Span, bool]]:
        """Each position, and whether a premise there has held."""
        return list(self._held.items())

    def findings(self) -> list[Finding]:
        """A finding for each position where no premise held, although one could."""
        return [
            Finding(
                "DIO313",
                f"the premise of {_which(span, self._span)} in `{self._name}` never held: nothing was checked by it",
                span,
            )
            for span, held in self._held.items()
            if not held and span not in self._reported
        ]


def _which(span: Span, whole: Span | None) -> str:
    """The words by which a message refers to a premise. Disjunctions are reported at the property, because a formula
    has no positions for them."""
    return "each `not ... or ...`" if span == whole else "this implication"
