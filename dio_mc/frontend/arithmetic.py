"""Arithmetic and comparisons, with interval types and constant folding."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from enum import Enum
from typing import Any

from dio_mc.frontend.context import Scope
from dio_mc.frontend.values import (
    Mismatch,
    Place,
    RecordValue,
    Scalar,
    Static,
    Value,
    coerce,
    compatible,
    describe,
    load,
    scalar_of,
)
from dio_mc.ir.expr import FALSE, TRUE, And, Arith, ArithOp, Compare, CompareOp, Const, Expr, Not
from dio_mc.ir.types import BoolType, OptionType, RangeType, none_value, show_type

SIGNS: dict[type[ast.cmpop], CompareOp] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], ArithOp] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%",
}  # fmt: skip
_PYTHON: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def binary(node: ast.BinOp, left: Value, right: Value, scope: Scope) -> Value:
    """``left op right`` for the supported operators."""
    sign = _OPERATORS.get(type(node.op))
    if sign is None:
        hint = "use // for whole numbers" if isinstance(node.op, ast.Div) else ""
        raise scope.fail("DIO102", node, f"the operator {_spelling(node.op)} is not supported", hint)
    return combine(sign, left, right, node, scope)


def _spelling(op: ast.operator) -> str:
    signs = {
        "Div": "/",
        "Pow": "**",
        "LShift": "<<",
        "RShift": ">>",
        "BitOr": "|",
        "BitAnd": "&",
        "BitXor": "^",
        "MatMult": "@",
    }
    return f"`{signs.get(type(op).__name__, type(op).__name__)}`"


def combine(sign: ArithOp, left: Value, right: Value, node: ast.AST, scope: Scope) -> Value:
    """Integer arithmetic on two values; the type of the result is the exact interval."""
    if isinstance(left, Static) and isinstance(right, Static) and _numbers(left.value, right.value):
        if sign in ("//", "%") and right.value == 0:
            raise scope.fail("DIO103", node, "division by zero")
        return Static(_PYTHON[sign](left.value, right.value))
    a, b = scalar_of(left), scalar_of(right)
    if a is None or b is None or not isinstance(a.type, RangeType) or not isinstance(b.type, RangeType):
        wrong = left if a is None or not isinstance(a.type, RangeType) else right
        hint = (
            "an optional number must be compared with None first and stored in a plain one" if _optional(wrong) else ""
        )
        raise scope.fail("DIO103", node, f"`{sign}` needs numbers, not {describe(wrong)}", hint)
    if sign in ("//", "%") and not (isinstance(b.expr, Const) and b.expr.value > 0):
        raise scope.fail("DIO103", node, f"the right side of `{sign}` must be a positive constant")
    return Scalar(Arith(sign, a.expr, b.expr, interval(sign, a.type, b.type)))


def _optional(value: Value) -> bool:
    return isinstance(value, Scalar) and isinstance(value.type, OptionType)


def _numbers(*values: Any) -> bool:
    return all(isinstance(v, int) and not isinstance(v, bool) for v in values)


def interval(sign: ArithOp, a: RangeType, b: RangeType) -> RangeType:
    """The smallest range that contains every result."""
    if sign == "%":
        return RangeType(0, b.low - 1)
    corners = [_PYTHON[sign](x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return RangeType(min(corners), max(corners))


def compare(sign: CompareOp, left: Value, right: Value, node: ast.AST, scope: Scope) -> Expr:
    """A comparison of two values of compatible types; records are compared field by field, with == and != only."""
    left, right = _by_value(left, node, scope), _by_value(right, node, scope)
    if isinstance(left, Static) and isinstance(right, Static):
        return _compare_static(sign, left.value, right.value, node, scope)
    if isinstance(left, RecordValue) or isinstance(right, RecordValue):
        return _compare_records(sign, left, right, node, scope)
    none = _compare_none(sign, left, right, node, scope)
    if none is not None:
        return none
    a, b = scalar_of(left), scalar_of(right)
    if a is None or b is None or not compatible(a.type, b.type):
        raise scope.fail("DIO103", node, f"{_show(left)} and {_show(right)} cannot be compared")
    _check_order(sign, a, b, node, scope)
    return _fold(Compare(sign, a.expr, b.expr), a, b)


def _show(value: Value) -> str:
    scalar = scalar_of(value)
    return show_type(scalar.type) if scalar is not None and not isinstance(value, Static) else describe(value)


def _by_value(value: Value, node: ast.AST, scope: Scope) -> Value:
    return load(value, scope.context.variables, scope.span(node)) if isinstance(value, Place) else value


def _check_order(sign: CompareOp, a: Scalar, b: Scalar, node: ast.AST, scope: Scope) -> None:
    if sign in ("==", "!="):
        return
    if isinstance(a.type, BoolType):
        raise scope.fail("DIO103", node, f"`{sign}` does not order truth values", "an implication is `not a or b`")
    if isinstance(a.type, OptionType) or isinstance(b.type, OptionType):
        raise scope.fail(
            "DIO103", node, f"`{sign}` does not order None", "compare with `is not None` first, then with =="
        )


def _fold(expr: Compare, a: Scalar, b: Scalar) -> Expr:
    """Evaluate a comparison of two constants. A comparison that reads a variable stays, even if the types decide it:
    what is a step must not depend on inferred types, and the read may be a fault."""
    if isinstance(a.expr, Const) and isinstance(b.expr, Const):
        return TRUE if _PYTHON[expr.op](a.expr.value, b.expr.value) else FALSE
    return expr


def _compare_static(sign: CompareOp, left: Any, right: Any, node: ast.AST, scope: Scope) -> Expr:
    if isinstance(left, Enum) and isinstance(right, Enum) and sign not in ("==", "!="):
        members = list(type(left).__members__)
        if type(left) is type(right):
            left, right = members.index(left.name), members.index(right.name)
    try:
        return TRUE if _PYTHON[sign](left, right) else FALSE
    except TypeError:
        raise scope.fail("DIO103", node, f"{left!r} and {right!r} cannot be compared") from None


def _compare_none(sign: CompareOp, left: Value, right: Value, node: ast.AST, scope: Scope) -> Expr | None:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Static) and one.value is None and isinstance(other, Scalar):
            if sign not in ("==", "!="):
                raise scope.fail("DIO103", node, f"`{sign}` does not order None")
            if not isinstance(other.type, OptionType):
                raise scope.fail("DIO103", node, f"a value of type {show_type(other.type)} is never None")
            return Compare(sign, other.expr, Const(none_value(other.type), other.type))
    return None


def _compare_records(sign: CompareOp, left: Value, right: Value, node: ast.AST, scope: Scope) -> Expr:
    if sign not in ("==", "!="):
        raise scope.fail("DIO103", node, f"`{sign}` does not order records")
    tree = (
        left.tree
        if isinstance(left, RecordValue) and (left.tree.variants or not isinstance(right, RecordValue))
        else None
    )
    if tree is None:
        tree = right.tree if isinstance(right, RecordValue) else left.tree  # type: ignore[union-attr]  # one of them is
    try:
        pairs = list(zip(coerce(left, tree), coerce(right, tree), strict=True))
    except Mismatch as error:
        raise scope.fail("DIO103", node, str(error)) from None
    equal: Expr = And(tuple(Compare("==", a, b) for a, b in pairs)) if pairs else TRUE
    return equal if sign == "==" else Not(equal)
