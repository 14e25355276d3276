"""The options of a `Choose`, those that count up or down taken together: many are a loop in the code, not code each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dio_mc.ir.expr import Const
from dio_mc.ir.ops import Option

FEW: Final = 16
"""Up to so many options in a row have code of their own: there their value is known, and what follows from it."""


def grouped(options: Sequence[Option]) -> list[Option | range]:
    """The options in their order. More than `FEW` in a row that are always open, and whose values are numbers at equal
    distances, are the range of those."""
    found: list[Option | range] = []
    at = 0
    while at < len(options):
        values = _counting(options, at)
        if values is not None and len(values) > FEW:
            found.append(values)
            at += len(values)
        else:
            taken = 1 if values is None else max(len(values) - 1, 1)  # the last may be the first of others
            found += options[at : at + taken]
            at += taken
    return found


def _counting(options: Sequence[Option], at: int) -> range | None:
    """The longest range from there on; None where even the first is none, or two are the same."""
    start, second = _number(options, at), _number(options, at + 1)
    if start is None or second is None or start == second:
        return None
    step, following = second - start, at + 2
    while _number(options, following) == start + (following - at) * step:
        following += 1
    return range(start, start + (following - at) * step, step)


def _number(options: Sequence[Option], at: int) -> int | None:
    """The value of an option that is always open, if it is a number."""
    if at >= len(options):
        return None
    option = options[at]
    return option.value.value if option.when is None and isinstance(option.value, Const) else None
