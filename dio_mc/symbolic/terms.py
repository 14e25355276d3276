"""Terms: a Python bool or int if the value is known, otherwise a z3 expression. Operations fold known values.

All modules above this one build formulas from terms, so the same code runs on z3 constants (to make a formula) and on
the values of one state (to explain it); in the latter case no z3 object is created.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any, Final

import z3

Term = Any
"""bool, int or z3.ExprRef."""


class TermError(Exception):
    """An operation that has no meaning on these values; the message says why."""


ORDERS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def is_symbolic(value: object) -> bool:
    """Whether a value is a z3 expression."""
    return isinstance(value, z3.ExprRef)


def is_number(value: object) -> bool:
    """Whether a value is an integer, known or unknown."""
    return isinstance(value, z3.ArithRef) or (isinstance(value, int) and not isinstance(value, bool))


def is_truth(value: object) -> bool:
    """Whether a value is a truth value, known or unknown."""
    return isinstance(value, bool | z3.BoolRef)


def truth(value: Any) -> Term:
    """The value as a condition. Raises `TermError` for anything other than a bool."""
    if not is_truth(value):
        raise TermError(f"a condition is a bool, not {value}")
    return value


def conj(parts: Iterable[Any]) -> Term:
    """The conjunction."""
    kept = [part for part in map(truth, parts) if part is not True]
    if any(part is False for part in kept):
        return False
    return True if not kept else kept[0] if len(kept) == 1 else z3.And(kept)


def disj(parts: Iterable[Any]) -> Term:
    """The disjunction."""
    kept = [part for part in map(truth, parts) if part is not False]
    if any(part is True for part in kept):
        return True
    return False if not kept else kept[0] if len(kept) == 1 else z3.Or(kept)


def neg(value: Any) -> Term:
    """The negation."""
    return not value if isinstance(value, bool) else z3.Not(truth(value))


def implies(premise: Any, conclusion: Any) -> Term:
    """Material implication."""
    if isinstance(premise, bool) or isinstance(conclusion, bool):
        return disj([neg(premise), conclusion])
    return z3.Implies(truth(premise), truth(conclusion))


def select(condition: Any, then: Term, orelse: Term) -> Term:
    """``then if condition else orelse`` on two terms of one sort."""
    if isinstance(truth(condition), bool):
        return then if condition else orelse
    if is_truth(then) != is_truth(orelse):
        raise TermError("the two sides have no common type")
    if then is orelse or (not is_symbolic(then) and not is_symbolic(orelse) and then == orelse):
        return then
    return z3.If(condition, then, orelse)


def same(left: Term, right: Term) -> Term:
    """Equality of two terms of one sort."""
    if is_truth(left) != is_truth(right):
        raise TermError(f"{left} and {right} cannot be compared")
    if is_symbolic(left) or is_symbolic(right):
        return left == right
    return bool(left == right)


def order(op: str, left: Term, right: Term) -> Term:
    """``<``, ``<=``, ``>``, ``>=`` on numbers (and on other terms that z3 can order)."""
    if is_truth(left) or is_truth(right):
        raise TermError(f"`{op}` does not order truth values")
    return ORDERS[op](left, right)


def arithmetic(op: str, left: Any, right: Any) -> Term:
    """``+ - * // %`` on integers; ``//`` and ``%`` round down as in Python and need a known, non-zero divisor."""
    if op in ("//", "%") and is_number(left) and is_number(right):
        return _divide(op, left, right)
    function = _OPERATORS.get(op)
    if function is None:
        raise TermError(f"`{op}` is not supported here")
    return function(left, right)


_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "%": operator.mod, "/": operator.truediv,
    "**": operator.pow, "<<": operator.lshift, ">>": operator.rshift, "&": operator.and_, "|": operator.or_,
    "^": operator.xor,
}  # fmt: skip


def _divide(op: str, left: Term, right: Term) -> Term:
    """z3 rounds so that the remainder is never negative; for a positive divisor that is Python's floor."""
    if is_symbolic(right):
        raise TermError(f"the right side of `{op}` must be a constant")
    if right == 0:
        raise TermError("division by zero")
    if not is_symbolic(left):
        return left // right if op == "//" else left % right
    quotient = left / right if right > 0 else -left / -right
    if op == "//":
        return quotient
    return left % right if right > 0 else left - right * quotient


def as_number(value: Any) -> Term:
    """The value as a number: True counts as 1 in a sum."""
    if isinstance(value, bool):
        return int(value)
    return z3.If(value, 1, 0) if isinstance(value, z3.BoolRef) else value


def at_index(items: list[Any], index: Term, pick: Callable[[Any, Any, Any], Any]) -> Any:
    """The element at an index; an index outside (also a negative one) yields the last. `pick` chooses between two
    elements."""
    if not is_symbolic(index):
        return items[index] if 0 <= index < len(items) else items[-1]
    found = items[-1]
    for position in range(len(items) - 2, -1, -1):
        found = pick(index == position, items[position], found)
    return found


def known_truth(value: Any) -> bool | None:
    """The truth of a condition if simplification determines it, otherwise None."""
    if isinstance(value, bool):
        return value
    simple = z3.simplify(value)
    return True if z3.is_true(simple) else False if z3.is_false(simple) else None
