"""Sets of possible values: exact while they are small, an interval above that. They are sound over-approximations, not
necessarily tight. `Unsupported` is raised for what 62 bits cannot represent; the reference engine handles such
programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dio_mc.ir.expr import ArithOp, CompareOp

Values = frozenset[int] | range
"""Possible values. Empty: every way to compute the value is a fault."""

EXACT: Final = 40
"""The largest set that is stored value by value."""
WIDEST: Final = 1 << 62
PRODUCT: Final = 1024
NONE: Final[Values] = frozenset()
BOTH: Final[Values] = frozenset((0, 1))


class Unsupported(Exception):
    """Only the reference engine supports this program; the message gives the reason."""


def fitting(low: int, high: int) -> None:
    """Raise `Unsupported` if ``low..high`` does not fit into the integers of machine code."""
    if low < -WIDEST or high > WIDEST:
        raise Unsupported("a value needs more than 62 bits")


def one(value: int) -> Values:
    """The set of one value."""
    fitting(value, value)
    return frozenset((value,))


def normal(values: set[int] | frozenset[int]) -> Values:
    """The set itself, or the interval around it if it is large."""
    if len(values) > EXACT:
        return interval(min(values), max(values))
    if values:
        fitting(min(values), max(values))
    return frozenset(values)


def interval(low: int, high: int) -> Values:
    """All values ``low..high``."""
    fitting(low, high)
    if high - low < EXACT:
        return frozenset(range(low, high + 1))
    return range(low, high + 1)


def join(first: Values, second: Values) -> Values:
    """The union of two sets."""
    if not first:
        return second
    if not second or first == second:
        return first
    if isinstance(first, frozenset) and isinstance(second, frozenset):
        return normal(first | second)
    return interval(min(low(first), low(second)), max(high(first), high(second)))


def low(values: Values) -> int:
    """The least value."""
    return values[0] if isinstance(values, range) else min(values)


def high(values: Values) -> int:
    """The greatest value."""
    return values[-1] if isinstance(values, range) else max(values)


def within(values: Values, least: int, most: int) -> Values:
    """The values inside ``least..most``."""
    if isinstance(values, frozenset):
        return frozenset(v for v in values if least <= v <= most)
    if least > high(values) or most < low(values):
        return NONE
    return interval(max(least, low(values)), min(most, high(values)))


def truths(values: Values) -> tuple[bool, bool]:
    """Whether the value may be false, and whether it may be true."""
    if not values:
        return False, False
    false = 0 in values
    return false, len(values) > 1 or not false


_COMPARE: Final[dict[CompareOp, Callable[[int, int], bool]]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_ARITH: Final[dict[ArithOp, Callable[[int, int], int]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


def compared(op: CompareOp, first: Values, second: Values) -> Values:
    """The possible truth values of a comparison."""
    if not first or not second:
        return NONE
    if len(first) * len(second) <= PRODUCT:
        test = _COMPARE[op]
        return frozenset(int(test(a, b)) for a in first for b in second)
    if op in ("<", "<=", ">", ">="):
        test = _COMPARE[op]
        corners = {int(test(a, b)) for a in (low(first), high(first)) for b in (low(second), high(second))}
        return frozenset(corners)
    apart = high(first) < low(second) or high(second) < low(first)
    return frozenset((int(op == "!="),)) if apart else BOTH


def computed(op: ArithOp, first: Values, second: Values) -> Values:
    """The possible results of arithmetic; a division by zero has none."""
    if op in ("//", "%"):
        second = without_zero(second)
    if not first or not second:
        return NONE
    compute = _ARITH[op]
    if len(first) * len(second) <= PRODUCT:
        found = {compute(a, b) for a in first for b in second}
        return normal(found) if len(found) <= EXACT else interval(min(found), max(found))
    corners = [(a, b) for a in (low(first), high(first)) for b in (low(second), high(second))]
    if op in ("+", "-", "*"):
        found = {compute(a, b) for a, b in corners}
        return interval(min(found), max(found))
    if op == "%":
        return interval(min(0, low(second) + 1), max(0, high(second) - 1))
    most = max(abs(low(first)), abs(high(first)))
    return interval(-most - 1, most)


def without_zero(values: Values) -> Values:
    """The possible divisors: the values except zero."""
    if 0 not in values:
        return values
    if isinstance(values, frozenset):
        return values - {0}
    least, most = low(values), high(values)
    if least == 0:
        return interval(1, most)
    if most == 0:
        return interval(least, -1)
    return values
