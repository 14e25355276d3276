"""Subscripts: elements of arrays and of sequences of fixed length, and members of enums."""

from __future__ import annotations

import ast
from enum import Enum

from dio_mc.frontend import arithmetic, expressions
from dio_mc.frontend.context import Scope
from dio_mc.frontend.values import Items, Place, Static, Value, describe, element_of, scalar_of
from dio_mc.ir.expr import Compare, Const, Expr, Ite
from dio_mc.ir.program import ArrayShape
from dio_mc.ir.types import OptionType, RangeType, ScalarType, ThreadIdType, bounds


def subscript(node: ast.Subscript, scope: Scope) -> Value:
    """The value of ``base[index]`` or ``base[i, j]``."""
    if isinstance(node.slice, ast.Slice):
        raise scope.fail("DIO102", node, "a slice is not supported", "index one element at a time")
    base = expressions.reference(node.value, scope)
    indexes = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for one in indexes:
        base = _index(base, one, node, scope)
    return base


def _index(base: Value, node: ast.expr, whole: ast.Subscript, scope: Scope) -> Value:
    index = expressions.value_of(node, scope)
    match base:
        case Place(shape=ArrayShape(size, _)):
            return element_of(base, _index_expr(index, size, node, scope))
        case Items(values):
            return _index_items(values, index, node, scope)
        case Static(list() | tuple() as items):
            return _index_items(tuple(Static(i) for i in items), index, node, scope)
        case Static(type() as cls) if issubclass(cls, Enum) and isinstance(index, Static):
            if index.value in cls.__members__:
                return Static(cls[index.value])
    raise scope.fail("DIO103", whole, f"{describe(base)} cannot be indexed")


def _index_expr(index: Value, size: int, node: ast.expr, scope: Scope) -> Expr:
    scalar = scalar_of(index)
    if scalar is None or not isinstance(_plain(scalar.type), RangeType | ThreadIdType):
        raise scope.fail("DIO103", node, f"an index is a number or a ThreadId, not {describe(index)}")
    low, high = bounds(scalar.type)
    if isinstance(index, Static) and (high < 0 or low >= size):  # any other index out of range is a fault at run time
        raise scope.fail("DIO103", node, f"index {_range_text(low, high)} is outside 0..{size - 1}")
    if isinstance(scalar.type, OptionType) and low >= 0 and not scope.in_property:  # None is not an index
        minus = Const(-1, RangeType(-1, -1))
        return Ite(Compare("==", scalar.expr, Const(low, scalar.type)), minus, scalar.expr, RangeType(-1, high))
    return scalar.expr


def _range_text(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}..{high}"


def _plain(type_: ScalarType) -> ScalarType:

    return type_.element if isinstance(type_, OptionType) else type_


def _index_items(values: tuple[Value, ...], index: Value, node: ast.expr, scope: Scope) -> Value:
    if isinstance(index, Static) and isinstance(index.value, int):
        if -len(values) <= index.value < len(values):
            return values[index.value]
        raise scope.fail("DIO103", node, f"index {index.value} is outside 0..{len(values) - 1}")
    scalar = scalar_of(index)
    if scalar is None or not values:
        raise scope.fail("DIO103", node, f"an index is a number, not {describe(index)}")
    low, high = bounds(scalar.type)
    if not scope.in_property and (low < 0 or high >= len(values)):  # not a variable, so there is no run-time fault
        hint = "take it `% n`, or index the variable itself"
        raise scope.fail("DIO103", node, f"index {_range_text(low, high)} may be outside 0..{len(values) - 1}", hint)
    found = values[-1]
    for position in range(len(values) - 2, -1, -1):
        test = arithmetic.compare("==", scalar, Static(position), node, scope)
        found = expressions.conditional(node, test, values[position], found, scope)
    return found
