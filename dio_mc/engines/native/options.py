"""Grouping of the options of a `Choose`: a long arithmetic progression becomes one loop instead of
code per option."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dio_mc.ir.expr import Const
from dio_mc.ir.ops import Option

FEW: Final = 16
"""Runs of up to this many options are compiled one by one. Their values are then constants, which
are folded into the code that follows."""


def grouped(options: Sequence[Option]) -> list[Option | range]:
    """The options in order, with each run of more than `FEW` unconditional options whose constant
    values form an arithmetic progression replaced by the `range` of these values."""
    found: list[Option | range] = []
    at = 0
    while at < len(options):
        values = _counting(options, at)
        if values is not None and len(values) > FEW:
            found.append(values)
            at += len(values)
        else:
            taken = 1 if values is None else max(len(values) - 1, 1)  # the last one may begin the next progression
            found += options[at : at + taken]
            at += taken
    return found


def _counting(options: Sequence[Option], at: int) -> range | None:
    """The longest arithmetic progression that begins at option `at`; None if the first two options
    do not form one."""
    start, second = _number(options, at), _number(options, at + 1)
    if start is None or second is None or start == second:
        return None
    step, following = second - start, at + 2
    while _number(options, following) == start + (following - at) * step:
        following += 1
    return range(start, start + (following - at) * step, step)


def _number(options: Sequence[Option], at: int) -> int | None:
    """The constant value of an unconditional option; None for other options and beyond the last."""
    if at >= len(options):
        return None
    option = options[at]
    return option.value.value if option.when is None and isinstance(option.value, Const) else None
