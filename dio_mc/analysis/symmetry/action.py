"""The action of a permutation of threads and indices on states.

The cells of an exchanged array element or thread move as the permutation says; values that are elements or thread ids
are renamed. A dead local holds its default, which does not denote an element, and is not renamed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from operator import itemgetter
from typing import Final

from dio_mc.analysis.symmetry.proof import Domain, Symmetry
from dio_mc.ir.program import Program
from dio_mc.semantics.layout import Layout, State, layout_of

Permutation = tuple[tuple[int, ...], ...]
"""For each sort, the images of its elements."""

Renaming = Mapping[int, int]
"""Maps values to values; values that are not in it stay."""


MOST_KNOWN: Final = 1 << 12
"""The number of permutations cached in compiled form (40 threads have 40! of them)."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """`gather` permutes the cells; then the cells in `cells` are renamed, and the locals of each thread in `threads`
    according to the location it is at."""

    gather: Callable[[State], State]
    cells: tuple[tuple[int, Renaming], ...]
    threads: tuple[tuple[int, tuple[tuple[tuple[int, Renaming], ...], ...]], ...]


class Action:
    """The action of a program's symmetry on its states."""

    def __init__(self, program: Program, symmetry: Symmetry) -> None:
        self.program = program
        self.symmetry = symmetry
        self.layout: Layout = layout_of(program)
        self.identity: Permutation = tuple(tuple(range(sort.size)) for sort in symmetry.sorts)
        self._positions = {(t.template, t.number): p for p, t in enumerate(program.threads)}
        self._known: dict[Permutation, _Compiled] = {}

    def apply(self, permutation: Permutation, state: State) -> State:
        """The image of a state."""
        if permutation == self.identity:
            return state
        compiled = self._known.get(permutation)
        if compiled is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            compiled = self._known[permutation] = self._compile(permutation)
        moved = list(compiled.gather(state))
        for cell, renaming in compiled.cells:
            moved[cell] = renaming.get(moved[cell], moved[cell])
        for pc, places in compiled.threads:
            for cell, renaming in places[moved[pc]]:
                moved[cell] = renaming.get(moved[cell], moved[cell])
        return tuple(moved)

    def thread(self, permutation: Permutation, thread: int) -> int:
        """The image of a thread."""
        found = self.program.threads[thread]
        for sort, images in zip(self.symmetry.sorts, permutation, strict=True):
            if found.template in sort.templates:
                return self._positions[found.template, images[found.number]]
        return thread

    def renaming(self, permutation: Permutation, domain: Domain) -> Renaming:
        """The renaming of the values of a domain."""
        if domain is None:
            return {}
        if domain == "threads":
            images = {t: self.thread(permutation, t) for t in range(len(self.program.threads))}
        else:
            images = dict(enumerate(permutation[domain]))
        return {one: other for one, other in images.items() if one != other}

    def origins(self, permutation: Permutation) -> dict[int, tuple[int, Renaming]]:
        """For each cell of a variable in the image: the cell its value comes from, and the renaming of the value."""
        found: dict[int, tuple[int, Renaming]] = {}
        for number, variable in enumerate(self.program.variables):
            base, indices = self.layout.variable_base[number], self.symmetry.indices[number]
            renamings = [self.renaming(permutation, domain) for domain in indices]
            values = self.renaming(permutation, self.symmetry.values[number])
            places = {index: base + n for n, index in enumerate(product(*map(range, variable.shape)))}
            for index, cell in places.items():
                target = tuple(r.get(i, i) for r, i in zip(renamings, index, strict=True))
                found[places[target]] = cell, values
        return found

    def _compile(self, permutation: Permutation) -> _Compiled:
        source = list(range(self.layout.size))
        cells: list[tuple[int, Renaming]] = []
        for cell, (origin, renaming) in self.origins(permutation).items():
            source[cell] = origin
            cells += [(cell, renaming)] if renaming else []
        for thread in range(len(self.program.threads)):
            target_thread = self.thread(permutation, thread)
            source[self.layout.pc[target_thread]] = self.layout.pc[thread]
            for local in range(len(self.program.template_of(thread).locals)):
                source[self.layout.local_base[target_thread] + local] = self.layout.local_base[thread] + local
        threads = [(self.layout.pc[t], self._locals(permutation, t)) for t in range(len(self.program.threads))]
        renamed = tuple((pc, places) for pc, places in threads if any(places))
        return _Compiled(itemgetter(*source) if len(source) > 1 else tuple, tuple(cells), renamed)

    def _locals(self, permutation: Permutation, thread: int) -> tuple[tuple[tuple[int, Renaming], ...], ...]:
        """For each location, the live locals of a thread that are renamed."""
        template, number = self.program.template_of(thread), self.program.threads[thread].template
        base = self.layout.local_base[thread]
        renamings = [self.renaming(permutation, domain) for domain in self.symmetry.locals[number]]
        return tuple(
            tuple((base + i, r) for i, r in enumerate(renamings) if r and i not in location.kills)
            for location in template.locations
        )
