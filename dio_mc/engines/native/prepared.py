"""A program in machine code, and by what a search of it is reduced."""

from __future__ import annotations

from dataclasses import dataclass

from dio_mc.analysis.partial_order.persistent import PersistentSets
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.engines.native.machine import Machine
from dio_mc.engines.native.module import Module
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import PARTIAL_ORDER, SYMMETRY


@dataclass(frozen=True, slots=True)
class Prepared:
    """A program in machine code, ready for any number of searches; with `representatives` or persistent `sets`,
    reduced ones too."""

    module: Module
    machine: Machine
    interpreter: Interpreter
    representatives: Representatives | None
    sets: PersistentSets | None

    @property
    def able(self) -> Reduced:
        """All that a search of it can be reduced by."""
        return Reduced(self.representatives is not None, self.sets is not None)


@dataclass(frozen=True, slots=True)
class Reduced:
    """By what a search is reduced: `symmetry` explores one state of each orbit, `order` takes the steps of persistent
    sets."""

    symmetry: bool = False
    order: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """As in an `Exploration`."""
        return (SYMMETRY,) * self.symmetry + (PARTIAL_ORDER,) * self.order


IN_FULL = Reduced()
