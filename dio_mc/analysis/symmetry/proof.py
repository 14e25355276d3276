"""Finding and proving symmetry: which threads and which array indices may be exchanged without changing the program.

It works on the IR. `domains` finds the integers that number the same things. A domain that is neither ordered nor used
in arithmetic is a candidate (a *sort*), and so are the instances of each template. Two elements of a sort may be
exchanged if the exchange maps every operation, initial value, visible default and property to itself (`automorphism`).
This relation is transitive, so the elements fall into blocks, and the group consists of all permutations within blocks.
By Ip and Dill ("Better verification through symmetry", 1993) every such permutation maps initial states to initial
states, steps to steps and violations to violations; `action` applies it to states.

Refused, each with its reason: sorts whose elements are ordered or used in arithmetic, instances of spawned templates (a
spawn takes the first idle one), and all sorts if a property is decided only by the solver or is about runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import factorial, prod
from typing import Literal

from dio_mc.analysis.symmetry.automorphism import Automorphisms
from dio_mc.analysis.symmetry.domains import THREADS, Break, Domains, Slot
from dio_mc.analysis.symmetry.exchange import Exchange
from dio_mc.analysis.symmetry.unset import shared_start
from dio_mc.ir.ops import Assign, Choose, StoreTo
from dio_mc.ir.program import LIVENESS, Program
from dio_mc.source import Span

Domain = int | Literal["threads"] | None
"""The content of a place: elements of a sort (its position), thread ids, or plain values."""


@dataclass(frozen=True, slots=True)
class Sort:
    """Elements ``0..size-1`` and the blocks of those that may be exchanged (each of two or more). With `templates`,
    element n is also the instance number n of each of them."""

    name: str
    size: int
    templates: tuple[int, ...]
    blocks: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sort that is not exchanged, wholly or in part, the reason, and where the reason is written."""

    name: str
    reason: str
    span: Span | None = field(default=None, compare=False)

    def __str__(self) -> str:
        place = f" ({self.span.file.rsplit('/', 1)[-1]}:{self.span.line})" if self.span is not None else ""
        return f"{self.name}: {self.reason}{place}"


@dataclass(frozen=True, slots=True)
class Symmetry:
    """The exchanges that leave a program unchanged. `values[variable]`, `indices[variable][dimension]` and
    `locals[template][local]` give the content of each place."""

    sorts: tuple[Sort, ...]
    refusals: tuple[Refusal, ...]
    values: tuple[Domain, ...]
    indices: tuple[tuple[Domain, ...], ...]
    locals: tuple[tuple[Domain, ...], ...]

    def __bool__(self) -> bool:
        return bool(self.sorts)

    @property
    def order(self) -> int:
        """The number of permutations in the group."""
        return prod(factorial(len(block)) for sort in self.sorts for block in sort.blocks)


def find_symmetry(program: Program) -> Symmetry:
    """The symmetry of a program with its properties."""
    return _Proof(program).symmetry()


@dataclass(frozen=True, slots=True)
class _Candidate:
    name: str
    size: int
    templates: tuple[int, ...]
    root: Slot


class _Proof:
    """The search for the symmetry of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.domains = Domains(program)
        self._automorphisms = Automorphisms(self.domains)
        self.refusals: list[Refusal] = []
        self._instances = [
            [p for p, thread in enumerate(program.threads) if thread.template == t]
            for t in range(len(program.templates))
        ]

    def symmetry(self) -> Symmetry:
        candidates = self._candidates()
        sorts: list[Sort] = []
        roots: dict[Slot, int] = {}
        for candidate in candidates:
            blocks = self._blocks(candidate)
            if blocks:
                roots[candidate.root] = len(sorts)
                sorts.append(Sort(candidate.name, candidate.size, candidate.templates, blocks))
        return Symmetry(tuple(sorts), tuple(self.refusals), *self._places(roots, sorts))

    # -- candidates ----------------------------------------------------------------------------------------------------

    def _candidates(self) -> list[_Candidate]:
        for property_ in self.program.properties:
            if property_.expr is None:
                text = f"`{property_.name}` is decided by the solver alone"
                self.refusals.append(Refusal("all threads and indices", text, property_.span))
                return []
            if property_.kind in LIVENESS:
                text = f"`{property_.name}` is decided on the graph of all states"
                self.refusals.append(Refusal("all threads and indices", text, property_.span))
                return []
        found = [self._candidate(root) for root in self._roots()]
        return [candidate for candidate in found if candidate is not None]

    def _roots(self) -> list[Slot]:
        """The domains that have instances or indices to exchange."""
        slots: list[Slot] = [("number", t) for t, ids in enumerate(self._instances) if len(ids) > 1]
        for number in sorted(_stored(self.program)):
            slots += [("index", number, d) for d, n in enumerate(self.program.variables[number].shape) if n > 1]
        roots = dict.fromkeys(self.domains.root(slot) for slot in slots)
        return [root for root in roots if root != self.domains.root(THREADS) or self._numbers_of(root)]

    def _numbers_of(self, root: Slot) -> list[int]:
        members = self.domains.members(root)
        return [int(m[1]) for m in members if m[0] == "number" and len(self._instances[int(m[1])]) > 1]

    def _candidate(self, root: Slot) -> _Candidate | None:
        templates = self._numbers_of(root)
        name = self._name(root, templates)
        sizes = {len(self._instances[t]) for t in templates} | self._extents(root)
        broken = self.domains.broken(root)
        if broken is None and templates:
            broken = self._thread_break(root, templates)
        if broken is None and len(sizes) > 1:
            broken = Break(f"their number differs between places: {' and '.join(map(str, sorted(sizes)))}")
        if broken is not None:
            self.refusals.append(Refusal(name, broken.reason, broken.span))
            return None
        return _Candidate(name, sizes.pop(), tuple(templates), root)

    def _extents(self, root: Slot) -> set[int]:
        members = self.domains.members(root)
        return {self.program.variables[int(m[1])].shape[int(m[2])] for m in members if m[0] == "index"}

    def _thread_break(self, root: Slot, templates: Sequence[int]) -> Break | None:
        """The reason why threads of these templates cannot be exchanged at all, or None."""
        if self.domains.root(THREADS) == root:
            return Break("their numbers and their thread ids are mixed")
        broken = self.domains.broken(THREADS)
        if broken is not None:
            return Break(f"thread ids are used as numbers: {broken.reason}", broken.span)
        for number in templates:
            template = self.program.templates[number]
            if template.spawned:
                return Break("a spawn starts the first one that is idle", template.span)
            if shared_start(template):
                return Break("they change shared data before their first step", template.span)
        return None

    def _name(self, root: Slot, templates: Sequence[int]) -> str:
        if templates:
            return " and ".join(f"instances of {self.program.templates[t].name}" for t in templates)
        arrays = [self.program.variables[int(m[1])].name for m in self.domains.members(root) if m[0] == "index"]
        return "indices of " + ", ".join(dict.fromkeys(arrays))

    # -- blocks --------------------------------------------------------------------------------------------------------

    def _blocks(self, candidate: _Candidate) -> tuple[tuple[int, ...], ...]:
        """The blocks of elements that may be exchanged with each other. The first reason against others is recorded as
        a refusal."""
        blocks = [[n] for n in range(candidate.size)]
        refused: Refusal | None = None
        for first, second in combinations(range(candidate.size), 2):
            one, other = (next(b for b in blocks if n in b) for n in (first, second))
            if one is other:
                continue
            reason = self._automorphisms.against(self._exchange(candidate, first, second))
            if reason is None:
                one += other
                blocks.remove(other)
            elif refused is None:
                refused = Refusal(candidate.name, f"{first} and {second} differ: {reason.reason}", reason.span)
        if refused is not None:
            self.refusals.append(refused)
        return tuple(tuple(sorted(b)) for b in blocks if len(b) > 1)

    def _exchange(self, candidate: _Candidate, first: int, second: int) -> Exchange:
        moved: dict[Slot, dict[int, int]] = {candidate.root: {first: second, second: first}}
        threads: dict[int, int] = {}
        for template in candidate.templates:
            one, other = self._instances[template][first], self._instances[template][second]
            threads |= {one: other, other: one}
        if threads:
            moved[self.domains.root(THREADS)] = threads
        return Exchange(self.domains, moved, threads)

    # -- result --------------------------------------------------------------------------------------------------------

    def _places(
        self, roots: dict[Slot, int], sorts: Sequence[Sort]
    ) -> tuple[tuple[Domain, ...], tuple[tuple[Domain, ...], ...], tuple[tuple[Domain, ...], ...]]:
        moving = any(sort.templates for sort in sorts)

        def domain(slot: Slot) -> Domain:
            root = self.domains.root(slot)
            return "threads" if moving and root == self.domains.root(THREADS) else roots.get(root)

        variables, templates = enumerate(self.program.variables), enumerate(self.program.templates)
        values = tuple(domain(("value", v)) for v in range(len(self.program.variables)))
        indices = tuple(tuple(domain(("index", v, d)) for d in range(len(x.shape))) for v, x in variables)
        locals_ = tuple(tuple(domain(("local", t, i)) for i in range(len(x.locals))) for t, x in templates)
        return values, indices, locals_


def _stored(program: Program) -> set[int]:
    """The variables that are written; exchanging elements of constant arrays saves nothing."""
    found: set[int] = set()
    for template in program.templates:
        for op in (op for block in template.blocks for op in block.ops):
            targets = op.targets if isinstance(op, Assign) else (op.target,) if isinstance(op, Choose) else ()
            found |= {target.variable for target in targets if isinstance(target, StoreTo)}
    return found
