"""Assigns the cells of a state to threads: each cell belongs to one thread of a kind, or to the common cells.

A *kind* is a template with any number of instances; a spawned operation is always one (an idle slot is a thread that
has not begun). All other threads are *fixed*. The *row* of a thread consists of its location, its locals, and its
elements of every array that is indexed by threads or by the instance numbers of its kind. All other cells are *common*,
including those of fixed threads; they are the same for any number of threads. A cell that holds a thread id is common
too. If it holds the id of a thread of a kind, only the kind is recorded there; each thread has a flag for each such
cell, which is set if the cell holds this thread's id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Literal

from dio_mc.analysis.symmetry.automorphism import Automorphisms
from dio_mc.analysis.symmetry.domains import THREADS, Domains, Slot
from dio_mc.analysis.symmetry.exchange import Exchange
from dio_mc.analysis.symmetry.unset import shared_start
from dio_mc.anynumber.conditions import Refused, unmet
from dio_mc.anynumber.pages import NOWHERE, Elsewhere
from dio_mc.anynumber.unchanging import constants
from dio_mc.errors import Diagnostic
from dio_mc.ir.program import LIVENESS, Program, Variable
from dio_mc.ir.types import bounds
from dio_mc.semantics.layout import Layout, layout_of

INSTANCES = 3
"""The number of threads of each kind in the program that is analysed: one that steps, one that it starts, and one that
stands for all others."""

Dimension = Literal["threads", "plain"] | int
"""The meaning of an array index: a thread id (``"threads"``), the instance number of a thread of a kind (the index of
the kind), or anything else (``"plain"``)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A template with any number of instances. `members` are the positions of its threads in the program; `numbered` is
    true if its threads receive their instance number as an argument; `optional` is true if there may be no such
    thread."""

    name: str
    template: int
    members: tuple[int, ...]
    spawned: bool
    daemon: bool
    numbered: bool
    optional: bool = False


class Places:
    """The kinds and fixed threads of a program with at least `INSTANCES` threads of each kind, and the meaning of array
    dimensions. `elsewhere` has the data of other pages if one page is tracked. The constructor raises `Refused` (DIO253
    to DIO257) with all violated conditions on data."""

    def __init__(self, program: Program, threads: Sequence[str], elsewhere: Elsewhere = NOWHERE) -> None:
        self.program, self.elsewhere = program, elsewhere
        self.domains = Domains(program)
        self.kinds = tuple(_kinds(program, threads, elsewhere))
        self.kind_of: dict[int, int] = {t: k for k, kind in enumerate(self.kinds) for t in kind.members}
        self.fixed = tuple(t for t in range(len(program.threads)) if t not in self.kind_of)
        self._numbers = self._number_roots()
        self.dimensions: tuple[tuple[Dimension, ...], ...] = tuple(
            tuple(self._dimension(v, d) for d in range(len(variable.shape)))
            for v, variable in enumerate(program.variables)
        )
        self.holds_thread: tuple[bool, ...] = tuple(
            self._is_threads(("value", v)) for v in range(len(program.variables))
        )
        problems = self._sizes() or self._problems()
        if problems:
            raise Refused(problems)

    # -- dimensions ----------------------------------------------------------------------------------------------------

    def _is_threads(self, slot: Slot) -> bool:
        return self.domains.root(slot) == self.domains.root(THREADS)

    def _number_roots(self) -> dict[Slot, int]:
        """The kinds whose threads know their numbers, by the domain of these numbers."""
        return {self.domains.root(("number", kind.template)): k for k, kind in enumerate(self.kinds) if kind.numbered}

    def _dimension(self, variable: int, dimension: int) -> Dimension:
        slot: Slot = ("index", variable, dimension)
        if self._is_threads(slot):
            return "threads"
        return self._numbers.get(self.domains.root(slot), "plain")

    def thread_at(self, dimension: Dimension, index: int) -> int | None:
        """The position of the thread of a kind that an index refers to in a dimension, or None if it refers to none."""
        if dimension == "plain":
            return None
        thread = index if dimension == "threads" else self.kinds[dimension].members[index]
        return thread if thread in self.kind_of else None

    # -- conditions on data --------------------------------------------------------------------------------------------

    def _problems(self) -> list[Diagnostic]:
        problems = [*self._ids(), *self._numbered(), *self._starts(), *self._data(), *self._locals()]
        return problems or self._apart()

    def _apart(self) -> list[Diagnostic]:
        """The violations of symmetry: exchanging two threads of a kind must leave every statement and property
        unchanged."""
        judged = tuple(p for p in self.program.properties if p.expr is not None and p.kind not in LIVENESS)
        domains = self.domains
        if judged != self.program.properties:
            domains = Domains(replace(self.program, properties=judged))
        automorphisms = Automorphisms(domains)
        found = []
        for kind in self.kinds:
            for one, other in pairwise(range(len(kind.members))):
                threads = {kind.members[one]: kind.members[other], kind.members[other]: kind.members[one]}
                moved = {domains.root(THREADS): threads}
                if kind.numbered:
                    moved[domains.root(("number", kind.template))] = {one: other, other: one}
                broken = automorphisms.against(Exchange(domains, moved, threads))
                if broken is not None:
                    code = "DIO254" if kind.numbered else "DIO257"
                    found.append(
                        unmet(code, f"one `{kind.name}` is distinguished from another: {broken.reason}", broken.span)
                    )
        return found

    def _ids(self) -> list[Diagnostic]:
        broken = self.domains.broken(THREADS)
        if broken is None:
            return []
        return [unmet("DIO253", f"thread ids are used as numbers: {broken.reason}", broken.span)]

    def _numbered(self) -> list[Diagnostic]:
        found = []
        for kind in self.kinds:
            if not kind.numbered:
                continue
            slot: Slot = ("number", kind.template)
            template = self.program.templates[kind.template]
            broken = self.domains.broken(slot)
            if broken is not None:
                message = f"the numbers of `{kind.name}` are used as more than indexes: {broken.reason}"
                found.append(unmet("DIO254", message, broken.span))
            members = self.domains.members(slot)
            others = [m for m in members if m[0] == "number" and m[1] != kind.template]
            stored = [m for m in members if m[0] == "value"]
            passed = [m for m in members if m[0] == "local" and m[1] != kind.template]
            if others or stored or passed or self._is_threads(slot):
                message = f"the number of `{kind.name}` is stored, passed on or compared with other data"
                found.append(unmet("DIO254", message, template.span))
        return found

    def _starts(self) -> list[Diagnostic]:
        return [
            unmet("DIO255", f"`{kind.name}` changes shared data before its first step", template.span)
            for kind in self.kinds
            if shared_start(template := self.program.templates[kind.template])
        ]

    def _sizes(self) -> list[Diagnostic]:
        found = []
        for number, variable in enumerate(self.program.variables):
            for dimension, extent in zip(self.dimensions[number], variable.shape, strict=True):
                if dimension == "plain":
                    continue
                named = self.program.threads if dimension == "threads" else self.kinds[dimension].members
                if extent != len(named):
                    what = f"`{variable.name}` is indexed by a thread's number"
                    message = f"{what} and has {extent} elements, not one per thread"
                    found.append(unmet("DIO254", message, variable.span))
        return found

    def _data(self) -> list[Diagnostic]:
        found = []
        for number, variable in enumerate(self.program.variables):
            owned = [d for d in self.dimensions[number] if d != "plain"]
            if len(owned) > 1:
                message = f"`{variable.name}` is indexed by two threads at once"
                found.append(unmet("DIO256", message, variable.span))
            elif owned and self.holds_thread[number]:
                message = f"`{variable.name}` has a thread id for each thread; ids are allowed in global variables only"
                found.append(unmet("DIO256", message, variable.span))
            elif self.holds_thread[number] and (variable.any_init or self.kind_of.keys() & set(variable.init)):
                message = f"`{variable.name}` starts with the id of one of the threads"
                found.append(unmet("DIO255", message, variable.span))
            elif owned and not _alike(self, number, variable):
                message = f"`{variable.name}` starts with different values for different threads"
                found.append(unmet("DIO255", message, variable.span))
        return found

    def _locals(self) -> list[Diagnostic]:
        found = []
        for number, template in enumerate(self.program.templates):
            for index, local in enumerate(template.locals):
                if self._is_threads(("local", number, index)):
                    message = f"`{template.name}` keeps a thread id in its local `{local.name}`"
                    found.append(unmet("DIO256", message, template.span))
        return found


class Cells:
    """The owner of each cell in the layout of `program`, which is that of `places` with additional variables. Of these,
    the variables in `further` are common cells and the others are left out.

    `common` are the common cells that may change. `rows` has, for each thread of a kind, its own cells in the same
    order for all threads of the kind: the location first, the instance number left out. `own_numbers` are the positions
    in a row of copies of the instance number. `ids` are the common cells that hold thread ids. `elsewhere` maps a
    variable to its cells with arbitrary content: those of other pages, and those of variables that are always
    arbitrary.
    """

    def __init__(self, places: Places, program: Program, further: Collection[int] = ()) -> None:
        self.places = places
        self.layout: Layout = layout_of(program)
        self._owner = self._owners()
        unchanging = constants(places.program, places.elsewhere.anything)
        self.elsewhere = {
            v: tuple(cells)
            for v in range(len(places.program.variables))
            if v not in unchanging and (cells := list(self._of_elsewhere(v)))
        }
        nowhere = {c for v in range(len(places.program.variables)) for c in self._of_elsewhere(v)}
        self._hidden = frozenset(nowhere)
        self.rows = {thread: self._row(thread) for thread in places.kind_of}
        self.own_numbers = {thread: self._own_numbers(thread) for thread in places.kind_of}
        left_out = {
            c
            for v in range(len(program.variables))
            if (v not in range(len(places.program.variables)) and v not in further) or v in unchanging
            for c in self.cells_of(v, program)
        }
        left_out |= self._hidden
        self.common = tuple(c for c, whose in enumerate(self._owner) if whose is None and c not in left_out)
        self.ids = frozenset(
            c
            for v, held in enumerate(places.holds_thread)
            if held and v not in unchanging
            for c in self.cells_of(v, program)
            if c not in self._hidden
        )

    def _of_elsewhere(self, variable: int) -> Iterator[int]:
        declared, elsewhere = self.places.program.variables[variable], self.places.elsewhere
        cells = range(base := self.layout.variable_base[variable], base + declared.size)
        dimension = elsewhere.dimensions.get(variable)
        if variable in elsewhere.anything:
            yield from cells
        elif dimension is not None:
            places = product(*map(range, declared.shape))
            yield from (cell for cell, indices in zip(cells, places, strict=True) if indices[dimension] > 0)

    def may_hold(self, cell: int, variable: int, position: int) -> list[int]:
        """The possible values of a cell with arbitrary content when the thread at `position` reads it. Of the ids of
        threads of kinds, only its own and one other per kind are included, since all others behave alike."""
        low, high = bounds(self.layout.types[cell])
        if not self.places.holds_thread[variable]:
            return list(range(low, high + 1))
        known = {position, *self.places.fixed, *(kind.members[-1] for kind in self.places.kinds)}
        return [value for value in range(low, high + 1) if value < 0 or value in known]

    def owner(self, cell: int) -> int | None:
        """The position of the thread of a kind that a cell belongs to, or None for other cells."""
        return self._owner[cell]

    def cells_of(self, variable: int, program: Program) -> range:
        """The cells of a variable in the layout of `program`."""
        base = self.layout.variable_base[variable]
        return range(base, base + program.variables[variable].size)

    def _owners(self) -> tuple[int | None, ...]:
        """For each cell, the position of the thread of a kind that it belongs to, or None."""
        places, layout = self.places, self.layout
        owner: list[int | None] = [None] * layout.size
        for number, variable in enumerate(places.program.variables):
            base = layout.variable_base[number]
            for cell, indices in enumerate(product(*map(range, variable.shape))):
                pairs = zip(places.dimensions[number], indices, strict=True)
                named = [t for d, i in pairs if (t := places.thread_at(d, i)) is not None]
                owner[base + cell] = named[0] if named else None
        for thread in places.kind_of:
            owner[layout.pc[thread]] = thread
            for index in range(len(places.program.template_of(thread).locals)):
                owner[layout.local_base[thread] + index] = thread
        return tuple(owner)

    def _row(self, thread: int) -> tuple[int, ...]:
        kind = self.places.kinds[self.places.kind_of[thread]]
        pc, number = self.layout.pc[thread], self.layout.local_base[thread] if kind.numbered else -1
        mine = [
            cell
            for cell, whose in enumerate(self._owner)
            if whose == thread and cell not in (pc, number) and cell not in self._hidden
        ]
        return (pc, *mine)

    def _own_numbers(self, thread: int) -> tuple[int, ...]:
        places = self.places
        kind, base = places.kinds[places.kind_of[thread]], self.layout.local_base[thread]
        if not kind.numbered:
            return ()
        root = places.domains.root(("number", kind.template))
        locals_ = range(len(places.program.templates[kind.template].locals))
        copies = {base + n for n in locals_ if places.domains.root(("local", kind.template, n)) == root}
        return tuple(n for n, cell in enumerate(self.rows[thread]) if cell in copies)


def _kinds(program: Program, threads: Sequence[str], elsewhere: Elsewhere) -> list[Kind]:
    found = []
    for number, template in enumerate(program.templates):
        optional = number in elsewhere.optional
        if template.name not in threads and not template.spawned and not optional:
            continue
        members = tuple(t for t, thread in enumerate(program.threads) if thread.template == number)
        numbered = template.parameters > 0 and not template.spawned
        found.append(Kind(template.name, number, members, template.spawned, template.daemon, numbered, optional))
    return found


def _alike(places: Places, number: int, variable: Variable) -> bool:
    """Return whether all threads of a kind have the same initial values in an array."""
    rows: dict[tuple[int, tuple[int, ...]], set[int]] = {}
    for indices, value in zip(product(*map(range, variable.shape)), variable.init, strict=True):
        pairs = list(zip(places.dimensions[number], indices, strict=True))
        named = [t for d, i in pairs if (t := places.thread_at(d, i)) is not None]
        if named:
            others = tuple(i for d, i in pairs if d == "plain")
            rows.setdefault((places.kind_of[named[0]], others), set()).add(value)
    return all(len(values) == 1 for values in rows.values())
