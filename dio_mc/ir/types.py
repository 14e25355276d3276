"""Scalar types of the IR. Every value is a small integer; its type gives the range and the spelling.

Records, arrays and tagged unions do not exist at this level: the frontend lays them out as scalar variables (struct of
arrays), see `program.Shape`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never


@dataclass(frozen=True, slots=True)
class BoolType:
    """0 is False, 1 is True."""


@dataclass(frozen=True, slots=True)
class RangeType:
    """The integers ``low..high``, both included; a value is its own code."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class EnumType:
    """The members of a Python `Enum` in definition order; the code is the position."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThreadIdType:
    """The thread instances of the program in their fixed order; the code is the position."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OptionType:
    """A scalar or None. The code of None is one below the element's lowest, so the range stays contiguous."""

    element: BoolType | RangeType | EnumType | ThreadIdType


ScalarType = BoolType | RangeType | EnumType | ThreadIdType | OptionType

BOOL = BoolType()


def bounds(type_: ScalarType) -> tuple[int, int]:
    """Lowest and highest value, both included."""
    match type_:
        case BoolType():
            return 0, 1
        case RangeType(low, high):
            return low, high
        case EnumType(_, members):
            return 0, len(members) - 1
        case ThreadIdType(names):
            return 0, len(names) - 1
        case OptionType(element):
            low, high = bounds(element)
            return low - 1, high
        case _:
            assert_never(type_)


def none_value(type_: OptionType) -> int:
    """The code of None."""
    return bounds(type_)[0]


def cardinality(type_: ScalarType) -> int:
    """The number of values of the type."""
    low, high = bounds(type_)
    return high - low + 1


def default_value(type_: ScalarType) -> int:
    """The value of an unset or dead variable: False, the first member, None, or the value of a range nearest to 0."""
    low, high = bounds(type_)
    if isinstance(type_, RangeType):
        return min(max(0, low), high)
    return low


def show_value(type_: ScalarType, value: int) -> str:
    """The value as a model author writes it: ``DIRTY``, ``reader[1]``, ``3``, ``True``, ``None``."""
    low, high = bounds(type_)
    if not low <= value <= high:
        return str(value)
    match type_:
        case BoolType():
            return "True" if value else "False"
        case RangeType():
            return str(value)
        case EnumType(_, members):
            return members[value]
        case ThreadIdType(names):
            return names[value]
        case OptionType(element):
            return "None" if value == low else show_value(element, value)
        case _:
            assert_never(type_)


def show_type(type_: ScalarType) -> str:
    """The type as error messages and the IR text spell it."""
    match type_:
        case BoolType():
            return "bool"
        case RangeType(low, high):
            return f"{low}..{high}"
        case EnumType(name, _):
            return name
        case ThreadIdType():
            return "ThreadId"
        case OptionType(element):
            return f"{show_type(element)}?"
        case _:
            assert_never(type_)
