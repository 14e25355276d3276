"""Pages named by expressions, and the restriction of properties to the tracked page.

A property about all pages is evaluated on the tracked page, which may be any page. This suffices if the property in
prenex form relates only one page at a time. An existential quantifier over pages must be witnessed by the tracked page,
which is stronger than the property.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dio_mc.anynumber.conditions import refusal
from dio_mc.anynumber.naming import in_any_order, is_id
from dio_mc.anynumber.pages import Pages
from dio_mc.frontend import logic
from dio_mc.ir.expr import (
    And,
    AtLocation,
    Compare,
    Const,
    Expr,
    Implies,
    Ite,
    Load,
    LocalOf,
    Not,
    Or,
    children,
)
from dio_mc.ir.program import Program, Property
from dio_mc.ir.rebuild import rebuilt
from dio_mc.ir.types import RangeType
from dio_mc.source import Span


@dataclass(frozen=True, slots=True)
class Operands:
    """The operands of a conjunction or disjunction, by the pages they name: `plain` name no page; `asked` are those
    about the first page, of operands that are the same for every page; `single` are about single pages."""

    plain: tuple[Expr, ...]
    asked: tuple[Expr, ...]
    single: tuple[Expr, ...]


class Naming:
    """Determines the pages that the expressions of a program name."""

    def __init__(self, program: Program, pages: Pages) -> None:
        self.program, self.pages = program, pages
        each = pages.templates
        self._of_page = {(t.template, t.number): n for n, t in enumerate(program.threads) if t.template in each}

    def names(self, expr: Expr) -> frozenset[int]:
        """The pages that an expression names by constants: in an index, or in a comparison with a local that names a
        page. Naming a thread that belongs to a page does not count."""
        match expr:
            case Load(variable, indices) if variable in self.pages.dimensions:
                dimension = self.pages.dimensions[variable]
                own = indices[dimension]
                found = frozenset({own.value}) if isinstance(own, Const) else self.names(own)
                return found.union(*(self.names(i) for d, i in enumerate(indices) if d != dimension))
            case Compare(_, left, right) if (page := self.compared_page(left, right)) is not None:
                return frozenset({page})
            case _:
                return frozenset[int]().union(*(self.names(part) for part in children(expr)))

    def compared_page(self, left: Expr, right: Expr) -> int | None:
        """The page in a comparison of a local that names a page with a constant, or None for any other comparison."""
        for one, other in ((left, right), (right, left)):
            if self.is_page(one) and isinstance(other, Const):
                return other.value
        return None

    def is_page(self, expr: Expr) -> bool:
        """Return whether the expression is a local of some thread that names a page."""
        return (
            isinstance(expr, LocalOf) and (self.program.threads[expr.thread].template, expr.index) in self.pages.locals
        )

    def singly(self, expr: Expr) -> frozenset[int]:
        """The pages that an expression names outside of any question to all pages."""
        if not self.names(expr):
            return frozenset()
        match expr:
            case And(operands) | Or(operands):
                return frozenset[int]().union(*(self.singly(part) for part in self.sorted(operands).single))
            case Load() | Compare():
                return self.names(expr)
            case _:
                return frozenset[int]().union(*(self.singly(part) for part in children(expr)))

    def sorted(self, operands: Sequence[Expr]) -> Operands:
        """Classify operands by the pages they name."""
        plain: list[Expr] = []
        several: list[Expr] = []
        about: dict[int, list[Expr]] = {}
        for operand in operands:
            match sorted(self.singly(operand)):
                case []:
                    plain.append(operand)
                case [page]:
                    about.setdefault(page, []).append(operand)
                case _:
                    several.append(operand)
        if not several and self._same_of_all(about):
            return Operands(tuple(plain), tuple(about.get(0, ())), ())
        return Operands(tuple(plain), (), (*several, *(part for parts in about.values() for part in parts)))

    def _same_of_all(self, about: dict[int, list[Expr]]) -> bool:
        if not about:
            return True
        if set(about) != set(range(self.pages.count)):
            return False
        wanted = self._forms(about[0])
        return all(self._forms([self._exchanged(part, page) for part in about[page]]) == wanted for page in about)

    def _forms(self, parts: Sequence[Expr]) -> list[str]:
        return sorted(repr(in_any_order(part)) for part in parts)

    def _exchanged(self, expr: Expr, page: int) -> Expr:
        """The expression with this page and the first page exchanged, and also the threads of these pages."""
        pages = {page: 0, 0: page}
        threads = {n: self._of_page[t, pages[k]] for (t, k), n in self._of_page.items() if k in pages}

        def change(part: Expr) -> Expr:
            match part:
                case Load(variable, indices) if variable in self.pages.dimensions:
                    own = self.pages.dimensions[variable]
                    return replace(
                        part, indices=tuple(_moved(i, pages) if d == own else change(i) for d, i in enumerate(indices))
                    )
                case AtLocation(thread) | LocalOf(thread):
                    return replace(part, thread=threads.get(thread, thread))
                case Const(value, type_) if is_id(type_):
                    return replace(part, value=threads.get(value, value))
                case Compare(op, left, right) if self.compared_page(left, right) is not None:
                    return Compare(
                        op, *(_moved(s, pages) if isinstance(s, Const) else change(s) for s in (left, right))
                    )
                case _:
                    return rebuilt(part, change)

        return change(expr)


def _moved(expr: Expr, pages: dict[int, int]) -> Expr:
    if not isinstance(expr, Const):
        return expr
    value = pages.get(expr.value, expr.value)
    return Const(value, RangeType(value, value) if isinstance(expr.type, RangeType) else expr.type)


# -- properties --------------------------------------------------------------------------------------------------------


def of_one_page(naming: Naming, property_: Property) -> Property:
    """The property restricted to the tracked page, which is the first. Raises `Refused` (DIO266) if the property
    relates two pages or names one by its number."""
    if property_.expr is None:
        return property_
    judged = _Judged(naming, property_.span)
    if judged.rank(property_.expr, positive=True) > 1:
        message = f"`{property_.name}` relates two pages; a property may relate one at a time"
        raise refusal("DIO266", message, property_.span)
    return replace(property_, expr=judged.restricted(property_.expr), atoms=())


class _Judged:
    def __init__(self, naming: Naming, span: Span) -> None:
        self.naming, self.span = naming, span

    def _operands(self, operands: Sequence[Expr]) -> Operands:
        found = self.naming.sorted(operands)
        if any(len(self.naming.singly(part)) != 1 for part in found.single):
            raise refusal("DIO266", "a property relates two pages", self.span)
        return found

    def rank(self, expr: Expr, *, positive: bool, inside: bool = False) -> int:
        """The number of pages that the property relates when its quantifiers are moved to the front; `inside` is true
        within a quantifier over pages."""
        if not self.naming.names(expr):
            return 0
        match expr:
            case And(operands) | Or(operands):
                return self._rank_of(operands, isinstance(expr, And) == positive, positive, inside)
            case Not(operand):
                return self.rank(operand, positive=not positive, inside=inside)
            case Implies(premise, conclusion):
                parts = [
                    self.rank(premise, positive=not positive, inside=inside),
                    self.rank(conclusion, positive=positive, inside=inside),
                ]
                return sum(parts) if positive else max(parts)
            case Ite(condition, then, orelse) if not self.naming.names(condition):
                return max(self.rank(part, positive=positive, inside=inside) for part in (then, orelse))
            case _ if inside and len(self.naming.singly(expr)) == 1:
                return 0
            case _:
                raise refusal("DIO266", "a property names one page by its number", self.span)

    def _rank_of(self, operands: Sequence[Expr], universal: bool, positive: bool, inside: bool) -> int:
        found = self._operands(operands)
        if found.single and not inside:
            raise refusal("DIO266", "a property names one page by its number", self.span)
        ranks = [self.rank(part, positive=positive, inside=inside) for part in (*found.plain, *found.single)]
        if found.asked:
            inner = max(self.rank(part, positive=positive, inside=True) for part in found.asked)
            if not universal and inner:
                raise refusal("DIO266", "a property states that some page is related to all pages", self.span)
            ranks.append(inner + universal)
        return max(ranks, default=0) if universal else sum(ranks)

    def restricted(self, expr: Expr) -> Expr:
        """The expression with its quantifiers over pages restricted to the first page."""
        if not self.naming.names(expr):
            self._refuse_others(expr)
            return expr
        match expr:
            case And(operands) | Or(operands):
                found = self._operands(operands)
                parts = [self.restricted(part) for part in (*found.plain, *found.asked, *found.single)]
                return logic.conjunction(parts) if isinstance(expr, And) else logic.disjunction(parts)
            case Not(operand):
                return logic.negation(self.restricted(operand))
            case Compare("==" | "!=", left, right) if self.naming.compared_page(left, right) is not None:
                return expr
            case _:
                self._refuse_others(expr)
                return rebuilt(expr, self.restricted)

    def _refuse_others(self, expr: Expr) -> None:
        """Raises `Refused` if the expression reads an array at a page that a thread's local names, or uses such a local
        other than in a comparison with a constant."""
        match expr:
            case Load(variable, indices) if variable in self.naming.pages.dimensions:
                if not isinstance(indices[self.naming.pages.dimensions[variable]], Const):
                    raise refusal("DIO266", "a property reads the page that a thread is on", self.span)
            case Compare("==" | "!=", left, right) if self.naming.compared_page(left, right) is not None:
                return
            case LocalOf() if self.naming.is_page(expr):
                raise refusal("DIO266", "a property compares the pages of two threads", self.span)
            case _:
                pass
        for part in children(expr):
            self._refuse_others(part)
