"""Reads of a property whose index may be outside its array. Such a read yields the last element, so that a formula has
a value everywhere, but the author may have meant something else.

A read counts only where it is evaluated: ``self.n < 2 and self.a[self.n]`` tests the index first. The result is about
typed valuations, reachable or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

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
)
from dio_mc.ir.program import Program
from dio_mc.ir.types import bounds


def outside(expr: Expr, program: Program) -> Iterator[tuple[Load, int, Expr]]:
    """Each read whose index may be outside its dimension: the load, the extent of the dimension, and the condition
    under which it is."""
    for load, path in _reads(expr, ()):
        for extent, index in zip(program.variables[load.variable].shape, load.indices, strict=True):
            low, high = (index.value,) * 2 if isinstance(index, Const) else bounds(type_of(index))
            if low < 0 or high >= extent:
                type_ = type_of(index)
                beyond = [Compare("<", index, Const(0, type_)), Compare(">=", index, Const(extent, type_))]
                yield load, extent, And((*path, Or(tuple(beyond))))


def _reads(expr: Expr, path: tuple[Expr, ...]) -> Iterator[tuple[Load, tuple[Expr, ...]]]:
    """Every read in an expression, with the conditions under which it is evaluated."""
    match expr:
        case And(operands):
            yield from _in_turn(operands, path, taken=True)
        case Or(operands):
            yield from _in_turn(operands, path, taken=False)
        case Implies(premise, conclusion):
            yield from _reads(premise, path)
            yield from _reads(conclusion, (*path, premise))
        case Ite(condition, then, orelse):
            yield from _reads(condition, path)
            yield from _reads(then, (*path, condition))
            yield from _reads(orelse, (*path, Not(condition)))
        case Not(operand):
            yield from _reads(operand, path)
        case Compare(_, left, right) | Arith(_, left, right):
            yield from _reads(left, path)
            yield from _reads(right, path)
        case Load(_, indices):
            yield expr, path
            for index in indices:
                yield from _reads(index, path)
        case Const() | Local() | Me() | AtLocation() | LocalOf():
            pass
        case _:
            assert_never(expr)


def _in_turn(
    operands: Sequence[Expr], path: tuple[Expr, ...], *, taken: bool
) -> Iterator[tuple[Load, tuple[Expr, ...]]]:
    for operand in operands:
        yield from _reads(operand, path)
        path = (*path, operand if taken else Not(operand))
