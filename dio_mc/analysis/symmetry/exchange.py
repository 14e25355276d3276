"""Exchanging two elements of a domain in the text of a program, and comparing texts up to irrelevant order.

`Exchange` rewrites the constants of an expression and returns a normal form, which is equal for expressions that differ
only in the order of operands that may be evaluated in any order. An exchange is an automorphism if it leaves the form
of every operation and condition unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from dio_mc.analysis.symmetry.domains import Domains, Slot
from dio_mc.ir.expr import (
    And,
    Arith,
    AtLocation,
    Compare,
    Const,
    Expr,
    Implies,
    Ite,
    Load,
    Local,
    LocalOf,
    Me,
    Not,
    Or,
    type_of,
    walk,
)
from dio_mc.ir.ops import Assign, Await, Check, Choose, Halt, LocalTo, Op, Spawn, Target
from dio_mc.ir.program import Program
from dio_mc.ir.types import bounds

Form = Any
"""A nested tuple that is only compared for equality."""

Element = tuple[Slot, int]
"""An element of a domain, by the domain's root, or a thread by its position."""
POSITIONS: Slot = ("positions",)
"""Stands for a root where the element is the position of a thread."""


class Exchange:
    """An exchange of elements. `moved` maps the elements of domains (by root) to their images, `threads` maps thread
    positions; both list only what moves."""

    def __init__(self, domains: Domains, moved: Mapping[Slot, Mapping[int, int]], threads: Mapping[int, int]) -> None:
        self._domains = domains
        self._moved = moved
        self._threads = threads
        self._program = domains.program

    def moves(self, slot: Slot) -> Mapping[int, int]:
        """The images of the elements of a slot's domain that move."""
        return self._moved.get(self._domains.root(slot), {})

    def value(self, slot: Slot | None, value: int) -> int:
        """The image of an element of a slot's domain."""
        return value if slot is None else self.moves(slot).get(value, value)

    def thread(self, position: int) -> int:
        """The image of a thread's position."""
        return self._threads.get(position, position)

    def elements(self) -> frozenset[Element]:
        """What moves."""
        of_domains = ((root, value) for root, moved in self._moved.items() for value in moved)
        return frozenset((*of_domains, *((POSITIONS, position) for position in self._threads)))

    def op(self, template: int, op: Op) -> Form:
        """The form of an operation of a template after the exchange."""
        match op:
            case Assign(targets, values):
                pairs = [
                    (self._target(template, t), self.expr(template, v, self._place(template, t)))
                    for t, v in zip(targets, values, strict=True)
                ]
                indices = [index for t in targets if not isinstance(t, LocalTo) for index in t.indices]
                apart = all(self._is_total(e) for e in (*values, *indices))
                return "assign", _any_order(pairs) if apart else tuple(pairs)
            case Await(condition):
                return "await", self.expr(template, condition, None)
            case Check(condition, kind):
                return "check", kind, self.expr(template, condition, None)
            case Choose(target, options):
                place = self._place(template, target)
                forms = [
                    (self.expr(template, o.value, place), o.when and self.expr(template, o.when, None)) for o in options
                ]
                return "choose", self._target(template, target), _any_order(forms)
            case Spawn(number, arguments):
                slots: list[Slot] = [("local", number, n) for n in range(len(arguments))]
                forms = [self.expr(template, a, s) for a, s in zip(arguments, slots, strict=True)]
                return "spawn", number, tuple(forms)
            case Halt():
                return ("halt",)
            case _:
                assert_never(op)

    def _place(self, template: int, target: Target) -> Slot:
        return ("local", template, target.index) if isinstance(target, LocalTo) else ("value", target.variable)

    def _target(self, template: int, target: Target) -> Form:
        if isinstance(target, LocalTo):
            return "own", target.index
        return "cell", target.variable, self._indices(template, target.variable, target.indices)

    def _indices(self, template: int | None, variable: int, indices: tuple[Expr, ...]) -> Form:
        return tuple(self.expr(template, e, ("index", variable, d)) for d, e in enumerate(indices))

    def _is_total(self, expr: Expr) -> bool:
        """`is_total`, cached: every exchange of a program asks about the same expressions."""
        known = self._domains.total.get(id(expr))
        if known is None:
            known = self._domains.total[id(expr)] = expr, is_total(self._program, expr)
        return known[1]

    def expr(self, template: int | None, expr: Expr, slot: Slot | None) -> Form:
        """The form of an expression after the exchange. `template` is None in a property; `slot` is where the value
        goes (None: it is a truth value or a plain number)."""
        match expr:
            case Const(value):
                return "const", self.value(slot, value)
            case Local(index):
                return "local", index
            case Load(variable, indices, total=total, after=after):
                return "load", variable, total, after, self._indices(template, variable, indices)
            case Me():
                return ("me",)
            case Not(operand):
                return "not", self.expr(template, operand, None)
            case And(operands) | Or(operands):
                forms = [self.expr(template, o, None) for o in operands]
                apart = all(self._is_total(o) for o in operands)
                return type(expr).__name__, _any_order(forms, once=True) if apart else tuple(forms)
            case Implies(premise, conclusion):
                return "implies", self.expr(template, premise, None), self.expr(template, conclusion, None)
            case Ite(condition, then, orelse):
                sides = self.expr(template, then, slot), self.expr(template, orelse, slot)
                return "ite", self.expr(template, condition, None), *sides
            case Compare(op, left, right):
                between = self._domains.slot_of(template, left) or self._domains.slot_of(template, right)
                forms = [self.expr(template, left, between), self.expr(template, right, between)]
                apart = op in ("==", "!=") and self._is_total(expr)
                return "compare", op, _any_order(forms) if apart else tuple(forms)
            case Arith("+" | "*" as op) if self._is_total(expr):
                return "arith", op, _any_order([self.expr(template, term, None) for term in _terms(op, expr)])
            case Arith(op, left, right):
                return "arith", op, (self.expr(template, left, None), self.expr(template, right, None))
            case AtLocation(thread, locations, after):
                return "at", self.thread(thread), tuple(sorted(locations)), after
            case LocalOf(thread, index, _, after):
                return "local of", self.thread(thread), index, after
            case _:
                assert_never(expr)


class Identity(Exchange):
    """The exchange that moves nothing. `named` collects the elements that it has been asked about: the form of an
    expression is the same after every exchange that moves none of those that it names."""

    def __init__(self, domains: Domains) -> None:
        super().__init__(domains, {}, {})
        self.named: set[Element] = set()

    def value(self, slot: Slot | None, value: int) -> int:
        """The value itself."""
        if slot is not None:
            self.named.add((self._domains.root(slot), value))
        return value

    def thread(self, position: int) -> int:
        """The position itself."""
        self.named.add((POSITIONS, position))
        return position


def _any_order(forms: list[Form], *, once: bool = False) -> Form:
    ordered = sorted(forms, key=repr)
    return ("any order", *dict.fromkeys(ordered)) if once else ("any order", *ordered)


def _terms(op: str, expr: Expr) -> list[Expr]:
    """The terms of nested sums (or the factors of nested products). There may be thousands of them, so each is visited
    once."""
    found: list[Expr] = []
    waiting = [expr]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Arith) and part.op == op:
            waiting += (part.right, part.left)
        else:
            found.append(part)
    return found


def is_total(program: Program, expr: Expr) -> bool:
    """Whether evaluating the expression can never fault, so that it may be evaluated in any order."""
    return all(_safe(program, part) for part in walk(expr))


def _safe(program: Program, part: Expr) -> bool:
    match part:
        case Load(variable, indices, total=False):
            ranges = zip((_range(i) for i in indices), program.variables[variable].shape, strict=True)
            return all(low >= 0 and high < extent for (low, high), extent in ranges)
        case Arith("//" | "%", _, right):
            return isinstance(right, Const) and right.value > 0
        case _:
            return True


def _range(expr: Expr) -> tuple[int, int]:
    return (expr.value, expr.value) if isinstance(expr, Const) else bounds(type_of(expr))
