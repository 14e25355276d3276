"""The reductions of a search that are proved sound for its program and properties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import PARTIAL_ORDER, SYMMETRY, SearchRequest

if TYPE_CHECKING:
    from dio_mc.analysis.partial_order.persistent import PersistentSets
    from dio_mc.analysis.symmetry.representatives import Representatives
    from dio_mc.analysis.values.facts import Facts
    from dio_mc.ir.program import Program


@dataclass(frozen=True, slots=True)
class Reducers:
    """The reductions of a search; None for those that are not requested or have no effect."""

    representatives: Representatives | None
    selection: PersistentSets | None

    def __bool__(self) -> bool:
        return self.representatives is not None or self.selection is not None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the reductions, as in an `Exploration`."""
        return (SYMMETRY,) * (self.representatives is not None) + (PARTIAL_ORDER,) * (self.selection is not None)


UNREDUCED: Final = Reducers(None, None)
"""No reduction."""


def representatives_of(program: Program) -> Representatives | None:
    """The canonical representatives under the symmetry of a program, or None if it has none."""
    from dio_mc.analysis.symmetry.proof import find_symmetry
    from dio_mc.analysis.symmetry.representatives import Representatives

    symmetry = find_symmetry(program)
    found = Representatives(program, symmetry) if symmetry else None
    return found if found is not None and found.plan.symmetry else None


def persistent_sets_of(request: SearchRequest, facts: Facts | None, *, always: bool) -> PersistentSets | None:
    """The persistent sets, or None if partial order is not sound for the request, or, unless `always`, not likely to
    pay."""
    from dio_mc.analysis.partial_order.persistent import Refused, find_persistent_sets, pays

    try:
        sets = find_persistent_sets(request.program, request.evaluators, facts)
    except Refused:
        return None
    return sets if always or pays(sets, Interpreter(request.program)) else None
