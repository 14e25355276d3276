"""Ensures that every step accesses at most one page, so that the data it reads of other pages belongs to a single
page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dio_mc.anynumber.conditions import refusal
from dio_mc.anynumber.pages import Pages, is_next, uses_of_pages
from dio_mc.ir.expr import Local
from dio_mc.ir.ops import Assign, Branch, Choose, LocalTo, Op, successors
from dio_mc.ir.program import Program, Template
from dio_mc.source import Span

Page = tuple[str, int, int]
"""A symbolic page within a step: ``("start", local, 0)`` is the page that a local named when the step began, and
``("chosen", block, position)`` is the page assigned by an operation."""
_Known = Mapping[int, Page]
_MESSAGE: Final = "a step accesses two pages"


def refuse_two_pages(program: Program, pages: Pages) -> None:
    """Raises `Refused` (DIO263) if a step accesses pages through two locals that may name different pages, or iterates
    over pages."""
    for number, template in enumerate(program.templates):
        alike = _alike_at(template, number, pages)
        starts = {template.entry, *(location.block for location in template.locations[1:])}
        for start in sorted(starts):
            _Walk(template, number, pages, alike.get(start, {})).run(start)


class _Walk:
    """Traverses all paths of one step."""

    def __init__(self, template: Template, number: int, pages: Pages, alike: Mapping[int, int]) -> None:
        self.template, self.number, self.pages = template, number, pages
        self._alike = alike
        self._seen: set[tuple[int, frozenset[tuple[int, Page]], Page | None]] = set()

    def run(self, start: int) -> None:
        self._block(start, {}, None, ())

    def _page(self, known: _Known, local: int | None) -> Page | None:
        if local is None:
            return None  # a question to all pages; other such indexes are refused by `tracked`
        return known.get(local, ("start", self._alike.get(local, local), 0))

    def _block(self, block: int, known: _Known, on: Page | None, way: tuple[int, ...]) -> None:
        if block in way and self._goes_on(way[way.index(block) :]):
            spans = (op.span for number in way[way.index(block) :] for op in self.template.blocks[number].ops)
            raise refusal("DIO263", "a step iterates over pages", next(spans, self.template.span))
        key = (block, frozenset(known.items()), on)
        if key in self._seen:
            return
        self._seen.add(key)
        here = self.template.blocks[block]
        for position, op in enumerate(here.ops):
            on = self._used(op, known, on, op.span)
            known = self._after(op, known, (block, position))
        if isinstance(here.terminator, Branch):
            on = self._used(here.terminator, known, on, here.terminator.span)
        for target in successors(here):
            if self.template.blocks[target].location is None:
                self._block(target, known, on, (*way, block))

    def _goes_on(self, blocks: tuple[int, ...]) -> bool:
        """Return whether a loop of these blocks accesses pages or advances a page counter."""
        for block in blocks:
            here = self.template.blocks[block]
            statements = [*here.ops, *([here.terminator] if isinstance(here.terminator, Branch) else [])]
            if any(uses_of_pages(statement, self.pages) for statement in statements):
                return True
            counted = ((local, value) for op in here.ops for local, value in _assigned(op))
            if any((self.number, local) in self.pages.counters and is_next(value, local) for local, value in counted):
                return True
        return False

    def _used(self, op: Op | Branch, known: _Known, on: Page | None, span: Span | None) -> Page | None:
        for local in sorted(uses_of_pages(op, self.pages), key=lambda n: -1 if n is None else n):
            page = self._page(known, local)
            if on is not None and page is not None and page != on:
                raise refusal("DIO263", _MESSAGE, span)
            on = on or page
        return on

    def _after(self, op: Op, known: _Known, place: tuple[int, int]) -> _Known:
        changed = dict(known)
        for local, value in _assigned(op):
            if (self.number, local) not in self.pages.locals:
                continue
            page = self._page(known, value.index) if isinstance(value, Local) else None
            changed[local] = page or ("chosen", *place)
        return changed


def _assigned(op: Op) -> list[tuple[int, object]]:
    match op:
        case Assign(targets, values):
            return [(t.index, v) for t, v in zip(targets, values, strict=True) if isinstance(t, LocalTo)]
        case Choose(LocalTo(index)):
            return [(index, None)]
        case _:
            return []


def _alike_at(template: Template, number: int, pages: Pages) -> dict[int, dict[int, int]]:
    """For each block, a partition of the locals that name pages: each local is mapped to the lowest local that names
    the same page on every path to the block."""
    locals_ = sorted(n for t, n in pages.locals if t == number)
    together = {b: frozenset((a, b_) for a in locals_ for b_ in locals_) for b in range(len(template.blocks))}
    together[template.entry] = frozenset((n, n) for n in locals_)
    changed = True
    while changed:
        changed = False
        for number_, block in enumerate(template.blocks):
            pairs = together[number_]
            for op in block.ops:
                pairs = _pairs_after(op, pairs)
            for target in successors(block):
                if not together[target] <= pairs:
                    together[target] &= pairs
                    changed = True
    return {
        block: {n: min(a for a, b in pairs if b == n) for n in locals_ if any(b == n for _, b in pairs)}
        for block, pairs in together.items()
    }


def _pairs_after(op: Op, pairs: frozenset[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    assigned = _assigned(op)
    written = {local for local, _ in assigned}
    sources: dict[int, set[int]] = {}
    for local, value in assigned:
        source = value.index if isinstance(value, Local) else None
        sources[local] = {local} | {b for a, b in pairs if a == source and b not in written}
        sources[local] |= {n for n, v in assigned if source is not None and isinstance(v, Local) and v.index == source}
    fresh = {p for n in written for same in sources[n] for p in ((n, same), (same, n))}
    return frozenset({(a, b) for a, b in pairs if not written & {a, b}} | fresh)
