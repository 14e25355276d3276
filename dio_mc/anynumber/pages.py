"""Identifies the pages of a program: the arrays with one element per page, the locals that name a page, those of them
that iterate over all pages, and the templates with one thread per page.

The program is built for two numbers of pages. The dimensions of arrays whose sizes are these numbers are dimensions of
pages, and a local that may hold an index of such a dimension names a page (`analysis.symmetry.domains`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dio_mc.analysis.symmetry.domains import THREADS, Domains, Slot
from dio_mc.anynumber.conditions import Refused, unmet
from dio_mc.anynumber.unchanging import constants
from dio_mc.errors import Diagnostic
from dio_mc.ir.expr import Arith, Const, Load, Local, walk
from dio_mc.ir.ops import Assign, Branch, Choose, LocalTo, Op, StoreTo, op_expressions
from dio_mc.ir.program import Program, Template
from dio_mc.ir.types import OptionType, bounds


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of a program; there are `count` of them. `dimensions` maps a variable to its dimension of pages.
    `locals` are the locals that name a page, as pairs of template and local; `counters` are those of them that iterate
    over all pages. `templates` have one thread per page, which receives its page as an argument; `crowds` have as many
    threads as there are pages, without this argument."""

    count: int
    dimensions: dict[int, int]
    locals: frozenset[tuple[int, int]]
    counters: frozenset[tuple[int, int]]
    templates: frozenset[int]
    crowds: frozenset[int]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The unknown parts of a program with one tracked page (`tracked`). `dimensions` maps a variable to its dimension
    of pages, in which element 1 stands for the other pages and has an arbitrary value in every step; `anything` are the
    variables that have an arbitrary value in every step; `optional` are the templates that may have no thread."""

    dimensions: dict[int, int]
    anything: frozenset[int]
    optional: frozenset[int]


NOWHERE: Final = Elsewhere({}, frozenset(), frozenset())
"""The value for a program without a tracked page: nothing is unknown."""


def pages_of(program: Program, other: Program, counts: tuple[int, int]) -> Pages:
    """The pages of `program`, found by comparing it with `other`; `counts` are the numbers of pages of the two
    programs. Raises `Refused` (DIO262, DIO264, DIO265) if pages are used as more than names."""
    return _Finding(program, other, counts).found()


class _Finding:
    def __init__(self, program: Program, other: Program, counts: tuple[int, int]) -> None:
        self.program, self.other, self.counts = program, other, counts
        self.domains = Domains(program)
        self.grown = set(self._grown())
        self.each = frozenset(t for t in range(len(program.templates)) if self._numbers(t) == counts)
        self.roots = {self.domains.root(("index", v, d)) for v, d in self.grown}
        self.roots |= {self.domains.root(("number", t)) for t in self.each if program.templates[t].parameters}
        self.roots |= {self.domains.root(("local", t, n)) for t, n in self._bounded()}

    def found(self) -> Pages:
        problems = [*self._arrays(), *self._data(), *self._types(), *self._templates()]
        if problems:
            raise Refused(problems)
        named = frozenset(
            (t, n)
            for t, template in enumerate(self.program.templates)
            for n in range(len(template.locals))
            if self._is_page(("local", t, n))
        )
        counters = frozenset((t, n) for t, n in named if _counts(self.program.templates[t], n))
        crowds = frozenset(t for t in self.each if not self.program.templates[t].parameters)
        return Pages(self.counts[0], dict(self.grown), named, counters, self.each - crowds, crowds)

    def _is_page(self, slot: Slot) -> bool:
        return self.domains.root(slot) in self.roots

    def _grown(self) -> Iterator[tuple[int, int]]:
        """The dimensions whose sizes are the numbers of pages, apart from those of threads."""
        threads = self.domains.root(THREADS)
        as_many = (len(self.program.threads), len(self.other.threads)) == self.counts
        for v, (one, other) in enumerate(zip(self.program.variables, self.other.variables, strict=True)):
            for d, sizes in enumerate(zip(one.shape, other.shape, strict=True)):
                slot: Slot = ("index", v, d)
                named = any(member[0] == "local" for member in self.domains.members(slot))
                if sizes == self.counts and self.domains.root(slot) != threads and (named or not as_many):
                    yield v, d

    def _arrays(self) -> Iterator[Diagnostic]:
        unchanging = constants(self.program)  # neither its size nor its indexes affect a step
        for v, (one, other) in enumerate(zip(self.program.variables, self.other.variables, strict=True)):
            dimensions = [d for d in range(len(one.shape)) if self._is_page(("index", v, d))]
            if len(dimensions) > 1:
                yield unmet("DIO265", f"`{one.name}` is indexed by two pages at once", one.span)
            elif any((v, d) not in self.grown for d in dimensions):
                yield unmet(
                    "DIO265", f"`{one.name}` is indexed by pages, but does not have one element per page", one.span
                )
            elif dimensions and not _alike(one.shape, one.init, dimensions[0]):
                yield unmet("DIO265", f"`{one.name}` starts with different values for different pages", one.span)
            elif v not in unchanging and any(
                a != b and d not in dimensions and self.domains.root(("index", v, d)) != self.domains.root(THREADS)
                for d, (a, b) in enumerate(zip(one.shape, other.shape, strict=True))
                if not self._is_number(v, d)
            ):
                yield unmet("DIO265", f"`{one.name}` has a size that is computed from the number of pages", one.span)

    def _is_number(self, variable: int, dimension: int) -> bool:
        root = self.domains.root(("index", variable, dimension))
        return any(self.domains.root(("number", t)) == root for t in range(len(self.program.templates)))

    def _numbers(self, template: int) -> tuple[int, int]:
        """The number of threads of a template in each of the two programs."""
        one, other = (sum(t.template == template for t in p.threads) for p in (self.program, self.other))
        return one, other

    def _bounded(self) -> Iterator[tuple[int, int]]:
        """The locals whose upper bound is the number of pages, or the highest page index, in both programs."""
        one, other = self.counts
        for t, (template, grown) in enumerate(zip(self.program.templates, self.other.templates, strict=True)):
            for n, (local, further) in enumerate(zip(template.locals, grown.locals, strict=True)):
                if (bounds(local.type)[1], bounds(further.type)[1]) in ((one, other), (one - 1, other - 1)):
                    yield t, n

    def _templates(self) -> Iterator[Diagnostic]:
        for t, template in enumerate(self.program.templates):
            if self._is_page(("number", t)) and t not in self.each:
                message = f"the numbers of `{template.name}` are used as pages, but there is not one thread per page"
                yield unmet("DIO262", message, template.span)

    def _data(self) -> Iterator[Diagnostic]:
        for v, variable in enumerate(self.program.variables):
            if self._is_page(("value", v)):
                yield unmet("DIO264", f"`{variable.name}` holds the number of a page", variable.span)

    def _types(self) -> Iterator[Diagnostic]:
        """A local that names pages must have a range that grows with the number of pages."""
        for t, template in enumerate(self.program.templates):
            for n, local in enumerate(template.locals):
                if not self._is_page(("local", t, n)):
                    continue
                high = bounds(local.type)[1]
                grown = bounds(self.other.templates[t].locals[n].type)[1] - high
                if isinstance(local.type, OptionType) or grown != self.counts[1] - self.counts[0]:
                    message = (
                        f"`{local.name}` of `{template.name}` names a page, but its range is not that of the pages"
                    )
                    yield unmet("DIO262", message, template.span)


def _counts(template: Template, local: int) -> bool:
    return any(_is_next(op, local) for block in template.blocks for op in block.ops)


def _is_next(op: Op, local: int) -> bool:
    return isinstance(op, Assign) and any(
        isinstance(target, LocalTo) and target.index == local and is_next(value, local)
        for target, value in zip(op.targets, op.values, strict=True)
    )


def is_next(value: object, local: int) -> bool:
    """Return whether a value is the local plus one."""
    return isinstance(value, Arith) and (
        value.op == "+"
        and isinstance(value.left, Local)
        and value.left.index == local
        and isinstance(value.right, Const)
        and value.right.value == 1
    )


def _alike(shape: tuple[int, ...], init: tuple[int, ...], dimension: int) -> bool:
    """Return whether all slices of an array along a dimension have the same initial values."""
    return len({slice_of(shape, init, dimension, n) for n in range(shape[dimension])}) == 1


def slice_of(shape: tuple[int, ...], init: tuple[int, ...], dimension: int, number: int) -> tuple[int, ...]:
    """The elements of a row-major array at index `number` of a dimension."""
    inner = 1
    for extent in shape[dimension + 1 :]:
        inner *= extent
    return tuple(value for n, value in enumerate(init) if n // inner % shape[dimension] == number)


def uses_of_pages(op: Op | Branch, pages: Pages) -> set[int | None]:
    """The locals by which a statement indexes arrays of pages; None stands for an index that is not a local."""
    expressions = [op.condition] if isinstance(op, Branch) else op_expressions(op)
    found: set[int | None] = set()
    for expr in expressions:
        for part in walk(expr):
            if isinstance(part, Load) and part.variable in pages.dimensions:
                found.add(_reached(part.indices[pages.dimensions[part.variable]]))
    targets = op.targets if isinstance(op, Assign) else (op.target,) if isinstance(op, Choose) else ()
    for target in targets:
        if isinstance(target, StoreTo) and target.variable in pages.dimensions:
            found.add(_reached(target.indices[pages.dimensions[target.variable]]))
    return found


def _reached(index: object) -> int | None:
    return index.index if isinstance(index, Local) else None
