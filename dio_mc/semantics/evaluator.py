"""What decides one property: the values it is given, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from dio_mc.ir.expr import Expr
from dio_mc.ir.program import Property


class Decision(Enum):
    """What is known of one property on one valuation."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Observation:
    """One value that a property reads: a cell of the state, or the truth of a control proposition. With `after` it is
    read in the successor (step invariants)."""

    name: str
    cell: int | None
    proposition: Expr | None = None
    after: bool = False


class PropertyEvaluator(Protocol):
    """Decides one property. Values are handed over in the order of `observations`."""

    @property
    def observations(self) -> tuple[Observation, ...]:
        """What the property reads, in the order of a valuation's values."""
        ...

    @property
    def formulas(self) -> tuple[Expr, ...]:
        """Truths that stand for the valuations: those that agree on all of these are decided alike, and tell the
        evaluator the same. Empty where that is not proved. For whoever cannot look at every valuation."""
        ...

    @property
    def property(self) -> Property:
        """The property it decides."""
        ...

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        """One decision per valuation; called with each distinct valuation once."""
        ...
