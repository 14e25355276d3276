"""A compiled program, and the reductions of a search of it."""

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
    """A compiled program, ready for any number of searches.

    With `representatives` searches can be reduced by symmetry, with persistent `sets` by partial
    order.
    """

    module: Module
    machine: Machine
    interpreter: Interpreter
    representatives: Representatives | None
    sets: PersistentSets | None

    @property
    def able(self) -> Reduced:
        """All reductions that a search of this program can use."""
        return Reduced(self.representatives is not None, self.sets is not None)


@dataclass(frozen=True, slots=True)
class Reduced:
    """The reductions of a search: `symmetry` explores one state of each orbit, `order` takes only
    the steps of persistent sets."""

    symmetry: bool = False
    order: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the reductions, as in an `Exploration`."""
        return (SYMMETRY,) * self.symmetry + (PARTIAL_ORDER,) * self.order


IN_FULL = Reduced()
"""No reduction."""
