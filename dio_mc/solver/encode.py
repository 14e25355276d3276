"""Translation (a): a property's IR expression -> z3, over the constants of `symbols`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, assert_never

import z3

from dio_mc.errors import InternalError
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
)
from dio_mc.ir.types import BoolType
from dio_mc.solver.symbols import Symbols


def encode(expr: Expr, symbols: Symbols) -> Any:
    """The z3 term of a property expression."""
    match expr:
        case Const(value, type_):
            return z3.BoolVal(bool(value)) if isinstance(type_, BoolType) else z3.IntVal(value)
        case Load(variable, indices, _, _, after):
            terms = [encode(i, symbols) for i in indices]
            return select(symbols, variable, terms, after)
        case Not(operand):
            return z3.Not(encode(operand, symbols))
        case And(operands):
            return z3.And(*[encode(o, symbols) for o in operands])
        case Or(operands):
            return z3.Or(*[encode(o, symbols) for o in operands])
        case Implies(premise, conclusion):
            return z3.Implies(encode(premise, symbols), encode(conclusion, symbols))
        case Ite(condition, then, orelse):
            return z3.If(encode(condition, symbols), encode(then, symbols), encode(orelse, symbols))
        case Compare(op, left, right):
            return _compare(op, encode(left, symbols), encode(right, symbols))
        case Arith(op, left, right):
            return _arith(op, encode(left, symbols), encode(right, symbols))
        case AtLocation(thread, locations, after):
            return symbols.at(thread, locations, after)
        case LocalOf(thread, index, _, after):
            return symbols.local(thread, index, after)
        case Local() | Me():
            raise InternalError("a property reads a running thread")
        case _:
            assert_never(expr)


def select(symbols: Symbols, variable: int, indices: Sequence[Any], after: bool) -> Any:
    """A cell of an array; an index outside reads the last element of its dimension."""
    shape = symbols.program.variables[variable].shape
    ranges = [_positions(term, extent) for term, extent in zip(indices, shape, strict=True)]
    found: Any = None
    for position in reversed(list(product(*ranges))):
        flat = 0
        for number, extent in zip(position, shape, strict=True):
            flat = flat * extent + number
        term = symbols.cell(variable, flat, after)
        tests = [i == n for i, n, e in zip(indices, position, shape, strict=True) if not _literal(i) and n < e - 1]
        found = term if found is None or not tests else z3.If(z3.And(*tests), term, found)
    return found


def _literal(term: Any) -> bool:
    return isinstance(term, int) or z3.is_int_value(term)


def _positions(term: Any, extent: int) -> list[int]:
    if not _literal(term):
        return list(range(extent))
    value = term if isinstance(term, int) else term.as_long()
    return [value if 0 <= value < extent else extent - 1]


def _compare(op: str, left: Any, right: Any) -> Any:
    match op:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def _arith(op: str, left: Any, right: Any) -> Any:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "//":  # Python's, since the right side is positive
            return left / right
        case _:
            return left % right
