"""Python's builtin functions in expressions: quantifiers, sums and extremes over sequences of fixed length."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from dio_mc.frontend import arithmetic, expressions, logic
from dio_mc.frontend.context import Scope
from dio_mc.frontend.values import (
    Items,
    Scalar,
    Static,
    Value,
    scalar_of,
    tag_test,
)
from dio_mc.ir.expr import FALSE, TRUE, Expr
from dio_mc.ir.types import BOOL


def _arguments(node: ast.Call, low: int, high: int, scope: Scope) -> list[Value]:
    if node.keywords or not low <= len(node.args) <= high:
        raise scope.fail("DIO111", node, f"`{ast.unparse(node.func)}` cannot be called this way in a model")
    return [expressions.value_of(a, scope) for a in node.args]


def iterate(node: ast.Call, scope: Scope) -> list[tuple[ast.expr | None, Value, Expr, Scope]]:
    """The elements that a quantifier ranges over, each with its syntax node, value, filter condition and scope."""
    if len(node.args) != 1 or node.keywords:
        raise scope.fail("DIO111", node, f"`{ast.unparse(node.func)}` takes one generator or array")
    body = node.args[0]
    if not isinstance(body, ast.GeneratorExp | ast.ListComp):
        values = expressions.elements(expressions.reference(body, scope), body, scope)
        return [(None, v, TRUE, scope) for v in values]
    return [
        (body.elt, expressions.value_of(body.elt, inner), condition, inner)
        for condition, inner in generator_scopes(body.generators, TRUE, scope)
    ]


def generator_scopes(
    generators: list[ast.comprehension], condition: Expr, scope: Scope
) -> Iterator[tuple[Expr, Scope]]:
    """One scope per combination of the loop variables, with the conjunction of the filters."""
    if not generators:
        yield condition, scope
        return
    first, rest = generators[0], generators[1:]
    if not isinstance(first.target, ast.Name):
        raise scope.fail("DIO102", first.target, "a quantifier binds one name per `for`")
    for value in expressions.elements(expressions.reference(first.iter, scope), first.iter, scope):
        inner = dataclasses.replace(scope, bindings={**scope.bindings, first.target.id: value})
        tests = [expressions.truth(test, inner) for test in first.ifs]
        combined = logic.conjunction([condition, *tests])
        if combined != FALSE:
            yield from generator_scopes(rest, combined, inner)


def _all(node: ast.Call, scope: Scope) -> Value:
    parts = []
    for element, value, condition, inner in iterate(node, scope):
        truth = expressions.condition_of(value, element or node, inner)
        parts.append(truth if condition == TRUE else logic.disjunction([logic.negation(condition), truth]))
    return Scalar(logic.conjunction(parts))


def _any(node: ast.Call, scope: Scope) -> Value:
    parts = []
    for element, value, condition, inner in iterate(node, scope):
        parts.append(logic.conjunction([condition, expressions.condition_of(value, element or node, inner)]))
    return Scalar(logic.disjunction(parts))


def _sum(node: ast.Call, scope: Scope) -> Value:
    total: Value = Static(0)
    for element, value, condition, inner in iterate(node, scope):
        number = _as_number(value, element or node, inner)
        if condition != TRUE:
            number = expressions.conditional(node, condition, number, Static(0), inner)
        total = arithmetic.combine("+", total, number, node, scope)
    return total


def _as_number(value: Value, node: ast.AST, scope: Scope) -> Value:
    """A boolean as 0 or 1, as in Python's ``sum``; other values unchanged."""
    scalar = scalar_of(value)
    if scalar is not None and scalar.type == BOOL:
        return expressions.conditional(node, scalar.expr, Static(1), Static(0), scope)
    return value


def _extreme(sign: Any) -> Callable[[ast.Call, Scope], Value]:
    def build(node: ast.Call, scope: Scope) -> Value:
        values = _plain_elements(node, scope) if len(node.args) == 1 else _arguments(node, 2, 99, scope)
        if not values:
            raise scope.fail("DIO111", node, "min and max need at least one value")
        best = values[-1]
        for position in range(len(values) - 2, -1, -1):  # the first that is best among all from it on: quadratic
            beats = [arithmetic.compare(sign, values[position], v, node, scope) for v in values[position + 1 :]]
            best = expressions.conditional(node, logic.conjunction(beats), values[position], best, scope)
        return best

    return build


def _abs(node: ast.Call, scope: Scope) -> Value:
    (value,) = _arguments(node, 1, 1, scope)
    minus = arithmetic.combine("-", Static(0), value, node, scope)
    return expressions.conditional(node, arithmetic.compare("<", value, Static(0), node, scope), minus, value, scope)


def _len(node: ast.Call, scope: Scope) -> Value:
    if len(node.args) != 1:
        raise scope.fail("DIO111", node, "`len` takes one argument")
    return Static(len(expressions.elements(expressions.reference(node.args[0], scope), node, scope)))


def _range(node: ast.Call, scope: Scope) -> Value:
    values = _arguments(node, 1, 3, scope)
    if not all(isinstance(v, Static) and isinstance(v.value, int) for v in values):
        raise scope.fail(
            "DIO103",
            node,
            "this range must have constant bounds",
            "filter inside: all(... or i >= n for i in range(MAX))",
        )
    try:
        return Static(range(*[v.value for v in values if isinstance(v, Static)]))
    except ValueError as error:
        raise scope.fail("DIO103", node, str(error)) from None


def _isinstance(node: ast.Call, scope: Scope) -> Value:
    if len(node.args) != 2 or node.keywords:
        raise scope.fail("DIO111", node, "isinstance takes a value and a class")
    value, cls = expressions.reference(node.args[0], scope), expressions.value_of(node.args[1], scope)
    found = tag_test(value, cls.value, scope.context.variables, scope.span(node)) if isinstance(cls, Static) else None
    if found is None:
        raise scope.fail("DIO103", node, "isinstance asks a tagged union for one of its classes")
    return Scalar(found)


def _bool(node: ast.Call, scope: Scope) -> Value:
    (value,) = _arguments(node, 1, 1, scope)
    return Scalar(expressions.condition_of(value, node, scope))


def _sequence(node: ast.Call, scope: Scope) -> Value:
    if len(node.args) != 1 or isinstance(node.args[0], ast.GeneratorExp):
        raise scope.fail("DIO102", node, f"`{ast.unparse(node.func)}` takes one fixed sequence")
    return Items(tuple(expressions.elements(expressions.reference(node.args[0], scope), node, scope)))


def _plain_elements(node: ast.Call, scope: Scope) -> list[Value]:
    """The elements of a quantifier whose filters are constant."""
    found = iterate(node, scope)
    if any(condition != TRUE for _, _, condition, _ in found):
        hint = "put the condition into the value: max(x if c else 0 for ...)"
        raise scope.fail("DIO102", node, "min and max cannot have a filter that depends on the state", hint)
    return [value for _, value, _, _ in found]


BUILTINS: dict[Any, Callable[[ast.Call, Scope], Value]] = {
    all: _all, any: _any, sum: _sum, min: _extreme("<="), max: _extreme(">="), abs: _abs, len: _len, range: _range,
    isinstance: _isinstance, bool: _bool, tuple: _sequence, list: _sequence,
}  # fmt: skip
"""The function that compiles a call, for each builtin."""
