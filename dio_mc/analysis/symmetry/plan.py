"""Plans the computation of representatives: which sorts are sorted by key, and for which every permutation is tried.

The elements of a sort can be *sorted* if all that a state says about an element is in its own row (the cells of arrays
at its index, its threads) and in cells that name it; then the row together with the cells that name it is a total key.
This fails if a cell is in the rows of two elements, if a row names elements, or if a thread's local does. Sorts
connected in this way are *tied*: at most one of each tie is sorted, and the others are tried in all permutations. If
there are too many permutations, sorts are left out of the symmetry one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import factorial, prod
from typing import Final

from dio_mc.analysis.symmetry.proof import Domain, Refusal, Symmetry
from dio_mc.ir.ops import Assign, Choose, LocalTo
from dio_mc.ir.program import Program
from dio_mc.semantics.layout import layout_of

MOST_TRIED: Final = 24
"""The largest number of permutations that are tried for each state."""


@dataclass(frozen=True, slots=True)
class Key:
    """The content of a state that concerns one element: its threads, the other cells in its row, and the cells that may
    name it, as (cell, values): the n-th of `values` denotes the element's n-th thread, or the element itself. The keys
    of one block have the same structure, so they can be compared and exchanged part by part."""

    threads: tuple[int, ...]
    cells: tuple[int, ...]
    names: tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`symmetry` is the symmetry that is used, with what was left out as refusals. `sorted` and `tried` are positions
    of its sorts. `blocks` has (sort, elements, keys) for each block of a sorted sort."""

    symmetry: Symmetry
    sorted: tuple[int, ...]
    tried: tuple[int, ...]
    blocks: tuple[tuple[int, tuple[int, ...], tuple[Key, ...]], ...]


def make_plan(program: Program, symmetry: Symmetry) -> Plan:
    """The plan with the fewest permutations to try."""
    while True:
        cells = _Cells(program, symmetry)
        chosen = _independent(cells, symmetry)
        tried = tuple(s for s in range(len(symmetry.sorts)) if s not in chosen)
        if prod(_order(symmetry, s) for s in tried) <= MOST_TRIED:
            blocks = [(s, block) for s in chosen for block in symmetry.sorts[s].blocks]
            keyed = tuple((s, block, tuple(cells.key(s, e) for e in block)) for s, block in blocks)
            return Plan(symmetry, chosen, tried, keyed)
        symmetry = _without(symmetry, max(tried, key=lambda s: (_order(symmetry, s), s)))


def _order(symmetry: Symmetry, sort: int) -> int:
    return prod(factorial(len(block)) for block in symmetry.sorts[sort].blocks)


def _without(symmetry: Symmetry, sort: int) -> Symmetry:
    """The symmetry without one sort."""
    dropped = symmetry.sorts[sort]
    left = [s for s in range(len(symmetry.sorts)) if s != sort]
    places = {old: new for new, old in enumerate(left)}
    threads = any(symmetry.sorts[s].templates for s in left)

    def domain(found: Domain) -> Domain:
        if found == "threads":
            return found if threads else None
        return None if found is None else places.get(found)

    return Symmetry(
        tuple(symmetry.sorts[s] for s in left),
        (*symmetry.refusals, Refusal(dropped.name, "there are too many permutations to try")),
        tuple(map(domain, symmetry.values)),
        tuple(tuple(map(domain, found)) for found in symmetry.indices),
        tuple(tuple(map(domain, found)) for found in symmetry.locals),
    )


def _independent(cells: _Cells, symmetry: Symmetry) -> tuple[int, ...]:
    """The sorts to sort: no two of them tied, and with as many permutations as possible."""
    ties = cells.ties()
    able = [s for s in range(len(symmetry.sorts)) if (s, s) not in ties]
    best: tuple[int, ...] = ()
    for size in range(1, len(able) + 1):
        for chosen in combinations(able, size):
            free = not any((a, b) in ties for a in chosen for b in chosen)
            if free and _gain(symmetry, chosen) > _gain(symmetry, best):
                best = chosen
    return best


def _gain(symmetry: Symmetry, sorts: Sequence[int]) -> int:
    return prod(_order(symmetry, s) for s in sorts)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell: the (sort, element) pairs whose rows it is in, the domain of its value, its thread, and whether it is a
    thread's own number."""

    number: int
    rows: tuple[tuple[int, int], ...]
    domain: Domain
    thread: int | None = None
    own: bool = False


class _Cells:
    """The cells of a program under a symmetry."""

    def __init__(self, program: Program, symmetry: Symmetry) -> None:
        self._program = program
        self._symmetry = symmetry
        self._layout = layout_of(program)
        self._all = [*self._shared(), *self._private()]

    def _of_thread(self, thread: int) -> tuple[int, int] | None:
        """The (sort, element) of a thread, or None."""
        found = self._program.threads[thread]
        sorts = (s for s, sort in enumerate(self._symmetry.sorts) if found.template in sort.templates)
        return next(((s, found.number) for s in sorts), None)

    def _shared(self) -> Iterator[_Cell]:
        for number, variable in enumerate(self._program.variables):
            domains = self._symmetry.indices[number]
            for offset, index in enumerate(product(*map(range, variable.shape))):
                rows = [self._row(domain, i) for domain, i in zip(domains, index, strict=True)]
                cell = self._layout.variable_base[number] + offset
                yield _Cell(cell, tuple(row for row in rows if row is not None), self._symmetry.values[number])

    def _row(self, domain: Domain, index: int) -> tuple[int, int] | None:
        if domain is None:
            return None
        if domain != "threads":
            return domain, index
        return self._of_thread(index) if index < len(self._program.threads) else None

    def _private(self) -> Iterator[_Cell]:
        for thread, found in enumerate(self._program.threads):
            row = self._of_thread(thread)
            rows = () if row is None else (row,)
            yield _Cell(self._layout.pc[thread], rows, None, thread)
            template = self._program.templates[found.template]
            numbered = template.parameters > 0 and not template.spawned and not _assigned(self._program, found.template)
            for index in range(len(template.locals)):
                own = index == 0 and numbered and row is not None
                domain = self._symmetry.locals[found.template][index]
                yield _Cell(self._layout.local_base[thread] + index, rows, domain, thread, own)

    def _named(self, cell: _Cell) -> list[int]:
        """The sorts whose elements the cell's value may name."""
        if cell.domain is None or cell.own:
            return []
        if cell.domain == "threads":
            return [s for s, sort in enumerate(self._symmetry.sorts) if sort.templates]
        return [cell.domain]

    def ties(self) -> set[tuple[int, int]]:
        """Pairs of sorts that cannot both be sorted; (s, s) if sort s cannot be sorted at all."""
        found: set[tuple[int, int]] = set()
        for cell in self._all:
            rows = [sort for sort, _ in cell.rows]
            named = self._named(cell)
            pairs = [*combinations(rows, 2), *product(rows, named)]
            pairs += [(sort, sort) for sort in named if cell.thread is not None]
            found |= {pair for one, other in pairs for pair in ((one, other), (other, one))}
        return found

    def key(self, sort: int, element: int) -> Key:
        """The key of an element."""
        threads = [t for t in range(len(self._program.threads)) if self._of_thread(t) == (sort, element)]
        mine = [cell for cell in self._all if (sort, element) in cell.rows and cell.thread is None]
        names = [
            (cell.number, tuple(threads) if cell.domain == "threads" else (element,))
            for cell in self._all
            if sort in self._named(cell)
        ]
        return Key(tuple(threads), tuple(cell.number for cell in mine), tuple(names))


def _assigned(program: Program, template: int) -> bool:
    """Whether the first local of a template is ever assigned."""
    ops = (op for block in program.templates[template].blocks for op in block.ops)
    targets = (op.targets if isinstance(op, Assign) else (op.target,) if isinstance(op, Choose) else () for op in ops)
    return any(isinstance(t, LocalTo) and t.index == 0 for found in targets for t in found)
