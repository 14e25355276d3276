"""The interface of property evaluators: the values they read, and what they decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from dio_mc.ir.expr import Expr
from dio_mc.ir.program import Property


class Decision(Enum):
    """The verdict for one property on one valuation."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Observation:
    """One value that a property reads: a cell of the state, or the truth of a control proposition. With `after` it is
    read in the successor state (step invariants)."""

    name: str
    cell: int | None
    proposition: Expr | None = None
    after: bool = False


class PropertyEvaluator(Protocol):
    """Decides one property. A valuation has its values in the order of `observations`."""

    @property
    def observations(self) -> tuple[Observation, ...]:
        """What the property reads, in the order of a valuation's values."""
        ...

    @property
    def formulas(self) -> tuple[Expr, ...]:
        """Formulas that determine the decision: valuations that agree on all of them get the same decision and have the
        same effect on the evaluator. Empty if that is not proved. For engines that cannot look at every valuation."""
        ...

    @property
    def property(self) -> Property:
        """The property that is decided."""
        ...

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        """One decision per valuation. Each distinct valuation is passed only once."""
        ...
