"""Terms over the cells of a state, of which guards and updates consist. The constructors fold constants."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Operator = Literal["and", "or", "not", "ite", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "//", "%"]


@dataclass(frozen=True, slots=True)
class Read:
    """The value of a cell before the step."""

    cell: int


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator and its operands; ``//`` and ``%`` round down and have a positive constant on the right."""

    operator: Operator
    operands: tuple[Term, ...]


Term = int | Read | Apply
"""Truth values are 0 and 1."""

_FOLD: Final = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip
_OPPOSITE: Final[dict[Operator, Operator]] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def conj(parts: Sequence[Term]) -> Term:
    """The conjunction."""
    flat: list[Term] = []
    for part in parts:
        for one in part.operands if isinstance(part, Apply) and part.operator == "and" else (part,):
            if one == 0:
                return 0
            if one != 1 and one not in flat:
                flat.append(one)
    if any(neg(one) in flat for one in flat):
        return 0
    return 1 if not flat else flat[0] if len(flat) == 1 else Apply("and", tuple(flat))


def disj(parts: Sequence[Term]) -> Term:
    """The disjunction."""
    return neg(conj([neg(part) for part in parts]))


def neg(term: Term) -> Term:
    """The negation."""
    match term:
        case int():
            return 0 if term else 1
        case Apply("not", (inner,)):
            return inner
        case Apply("==" | "!=" | "<" | "<=" | ">" | ">=" as op, operands):
            return Apply(_OPPOSITE[op], operands)
        case Apply("and", operands):
            return Apply("or", tuple(neg(one) for one in operands))
        case Apply("or", operands):
            return conj([neg(one) for one in operands])
        case _:
            return Apply("not", (term,))


def select(condition: Term, then: Term, orelse: Term) -> Term:
    """``then if condition else orelse``."""
    if isinstance(condition, int):
        return then if condition else orelse
    if then == orelse:
        return then
    return condition if (then, orelse) == (1, 0) else Apply("ite", (condition, then, orelse))


def combine(op: Operator, left: Term, right: Term) -> Term:
    """A comparison or an arithmetic operation."""
    if isinstance(left, int) and isinstance(right, int) and not (op in ("//", "%") and right == 0):
        return int(_FOLD[op](left, right))
    if left == right and op in ("==", "<=", ">="):
        return 1
    match op, left, right:
        case (("==" | "!=" | "<" | "<=" | ">" | ">="), Apply("+", (inner, int(added))), int(bound)):
            return combine(op, inner, bound - added)
        case (("==" | "!=" | "<" | "<=" | ">" | ">="), Apply("-", (inner, int(taken))), int(bound)):
            return combine(op, inner, bound + taken)
    return Apply(op, (left, right))


def reads(term: Term) -> frozenset[int]:
    """The cells that a term depends on."""
    match term:
        case int():
            return frozenset()
        case Read(cell):
            return frozenset({cell})
        case Apply(_, operands):
            return frozenset().union(*map(reads, operands))


Known = dict[int, tuple[int, int]]
"""Intervals of terms by identity, valid as long as the terms exist."""


def interval(term: Term, bounds: Sequence[tuple[int, int]], known: Known | None = None) -> tuple[int, int]:
    """The interval of a term's values, given the `bounds` of the cells. A caller that also asks about subterms passes a
    cache `known`: terms can be nested thousands deep."""
    if isinstance(term, int):
        return term, term
    if isinstance(term, Read):
        return bounds[term.cell]
    found = known.get(id(term)) if known is not None else None
    if found is None:
        found = _applied(term, bounds, known)
        if known is not None:
            known[id(term)] = found
    return found


def _applied(term: Apply, bounds: Sequence[tuple[int, int]], known: Known | None) -> tuple[int, int]:
    match term:
        case Apply("ite", (_, then, orelse)):
            (a, b), (c, d) = interval(then, bounds, known), interval(orelse, bounds, known)
            return min(a, c), max(b, d)
        case Apply("+" | "-" | "*" | "//" | "%" as op, (left, right)):
            return _arithmetic(op, interval(left, bounds, known), interval(right, bounds, known))
        case _:
            return 0, 1


def _arithmetic(op: Operator, left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    if op == "%":
        return 0, right[1] - 1
    if op == "//" and right[0] < 1:
        return min(left[0], -left[1]), max(left[1], -left[0])
    corners = [int(_FOLD[op](a, b)) for a in left for b in right]
    return min(corners), max(corners)
