"""Python expressions -> values (IR expressions, compile-time objects, places). Shared by thread bodies and properties.

Statements are in `statements`, propositions that only properties may use in `propositions`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from dio_mc.frontend import arithmetic, attributes, calls, indexing
from dio_mc.frontend.context import Scope
from dio_mc.frontend.logic import conjunction, disjunction, negation
from dio_mc.frontend.values import (
    Bound,
    Items,
    Mismatch,
    Place,
    RecordValue,
    Scalar,
    Static,
    Value,
    coerce,
    coerce_scalar,
    describe,
    element_of,
    join,
    load,
    scalar_of,
)
from dio_mc.ir.expr import Const, Expr, Ite, type_of
from dio_mc.ir.program import ArrayShape, ScalarShape
from dio_mc.ir.types import BOOL, OptionType, RangeType, ScalarType, show_type
from dio_mc.lang.statements import me


def value_of(node: ast.expr, scope: Scope) -> Value:
    """The value of an expression; a place of scalar shape is read."""
    found = reference(node, scope)
    if type(found) is Place and type(found.shape) is ScalarShape:
        return load(found, scope.context.variables, scope.span(node))
    return found


def reference(node: ast.expr, scope: Scope) -> Value:
    """The value of an expression; places are not read."""
    form = _FORMS.get(type(node))
    if form is None:
        raise scope.fail("DIO102", node, f"{_construct(node)} is not supported in an expression")
    return form(node, scope)


def _constant(node: ast.Constant, scope: Scope) -> Value:
    if isinstance(node.value, float | complex | bytes) or node.value is ...:
        raise scope.fail("DIO102", node, f"{node.value!r} is not a value of the modelling language")
    return Static(node.value)


def _bool_op(node: ast.BoolOp, scope: Scope) -> Value:
    parts = [truth(v, scope) for v in node.values]
    return Scalar(conjunction(parts) if isinstance(node.op, ast.And) else disjunction(parts))


def _binary(node: ast.BinOp, scope: Scope) -> Value:
    return arithmetic.binary(node, value_of(node.left, scope), value_of(node.right, scope), scope)


def _if_expression(node: ast.IfExp, scope: Scope) -> Value:
    test = truth(node.test, scope)
    return conditional(node, test, value_of(node.body, scope), value_of(node.orelse, scope), scope)


def _listed(node: ast.Tuple | ast.List | ast.Set, scope: Scope) -> Value:
    return Items(tuple([value_of(e, scope) for e in node.elts]))


def _named(node: ast.NamedExpr, scope: Scope) -> Value:
    raise scope.fail("DIO102", node, "`:=` is not supported", "assign in a statement of its own")


def _lambda(node: ast.Lambda, scope: Scope) -> Value:
    raise scope.fail("DIO102", node, "a lambda is not supported", "write a method with one return")


def _construct(node: ast.AST) -> str:
    names = {
        "ListComp": "a list comprehension", "SetComp": "a set comprehension", "DictComp": "a dict comprehension",
        "GeneratorExp": "a generator outside all(), any(), sum()", "JoinedStr": "an f-string", "Await": "`await`",
        "Yield": "`yield`", "YieldFrom": "`yield from`", "Dict": "a dict", "Starred": "`*`", "Slice": "a slice",
    }  # fmt: skip
    return names.get(type(node).__name__, f"`{type(node).__name__}`")


def truth(node: ast.expr, scope: Scope) -> Expr:
    """A condition: an expression of type bool."""
    value = value_of(node, scope)
    return condition_of(value, node, scope)


def condition_of(value: Value, node: ast.AST, scope: Scope) -> Expr:
    """A value as a condition. Anything but a bool is an error, because its truth value would be a guess."""
    scalar = scalar_of(value)
    if scalar is None or scalar.type != BOOL:
        hint = f"call it: `{value.name}()`" if isinstance(value, Bound) else "compare it with something"
        raise scope.fail("DIO103", node, f"a condition is a bool, not {describe(value)}", hint)
    return scalar.expr


def _name(node: ast.Name, scope: Scope) -> Value:
    found = scope.lookup(node)
    if type(found) is Static and found.value is me:
        if scope.in_property:
            raise scope.fail("DIO113", node, "`me` has no meaning in a property: no thread is running it")
        return scope.context.me
    return found


def _unary(node: ast.UnaryOp, scope: Scope) -> Value:
    match node.op:
        case ast.Not():
            return Scalar(negation(truth(node.operand, scope)))
        case ast.USub():
            zero = Static(0)
            return arithmetic.combine("-", zero, value_of(node.operand, scope), node, scope)
        case ast.UAdd():
            return arithmetic.combine("+", Static(0), value_of(node.operand, scope), node, scope)
        case _:
            raise scope.fail("DIO102", node, "`~` is not supported")


def _compare(node: ast.Compare, scope: Scope) -> Value:
    parts: list[Expr] = []
    left = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        parts.append(_one_comparison(op, left, right, node, scope))
        left = right
    return Scalar(conjunction(parts))


def _one_comparison(op: ast.cmpop, left: ast.expr, right: ast.expr, node: ast.Compare, scope: Scope) -> Expr:
    a = value_of(left, scope)
    match op:
        case ast.In() | ast.NotIn():
            found = membership(a, value_of(right, scope), node, scope)
            return found if isinstance(op, ast.In) else negation(found)
        case ast.Is() | ast.IsNot():
            b = value_of(right, scope)
            if not (isinstance(b, Static) and (b.value is None or isinstance(b.value, bool | Enum))):
                raise scope.fail("DIO102", node, "`is` compares with None, True, False or an enum member", "use ==")
            return arithmetic.compare("==" if isinstance(op, ast.Is) else "!=", a, b, node, scope)
        case _:
            return arithmetic.compare(arithmetic.SIGNS[type(op)], a, value_of(right, scope), node, scope)


def membership(value: Value, container: Value, node: ast.AST, scope: Scope) -> Expr:
    """``value in container`` for a tuple, a range, an enum class, or an array."""
    if isinstance(container, Static) and isinstance(container.value, range) and container.value.step == 1:
        low = arithmetic.compare(">=", value, Static(container.value.start), node, scope)
        return conjunction([low, arithmetic.compare("<", value, Static(container.value.stop), node, scope)])
    parts = [arithmetic.compare("==", value, v, node, scope) for v in elements(container, node, scope)]
    return disjunction(parts)


def elements(value: Value, node: ast.AST, scope: Scope) -> list[Value]:
    """The elements of a value of fixed length: a range, a tuple, an enum class, an array."""
    match value:
        case Items(values):
            return list(values)
        case Static(range() | tuple() | list() | frozenset() | set() as items):
            ordered = sorted(items, key=repr) if isinstance(items, set | frozenset) else items
            return [Static(i) for i in ordered]
        case Static(type() as cls) if issubclass(cls, Enum):
            return [Static(m) for m in cls]
        case Place(shape=ArrayShape(size, _)):
            places = [element_of(value, Const(i, RangeType(i, i))) for i in range(size)]
            return [_read(p, node, scope) for p in places]
        case _:
            raise scope.fail("DIO103", node, f"{describe(value)} has no fixed sequence of elements")


def _read(place: Place, node: ast.AST, scope: Scope) -> Value:
    if isinstance(place.shape, ScalarShape):
        return load(place, scope.context.variables, scope.span(node))
    return place


def conditional(node: ast.AST, test: Expr, then: Value, orelse: Value, scope: Scope) -> Value:
    """``then if test else orelse``; both sides must have a common type."""
    if isinstance(test, Const):
        return then if test.value else orelse
    then, orelse = _by_value(then, node, scope), _by_value(orelse, node, scope)
    if isinstance(then, RecordValue) or isinstance(orelse, RecordValue):
        return _conditional_record(node, test, then, orelse, scope)
    type_ = common_type(then, orelse)
    if type_ is None:
        raise scope.fail("DIO103", node, f"the two sides have no common type: {describe(then)} and {describe(orelse)}")
    return Scalar(Ite(test, coerce_scalar(then, type_), coerce_scalar(orelse, type_), type_))


def _by_value(value: Value, node: ast.AST, scope: Scope) -> Value:
    return load(value, scope.context.variables, scope.span(node)) if isinstance(value, Place) else value


def _conditional_record(node: ast.AST, test: Expr, then: Value, orelse: Value, scope: Scope) -> Value:
    tree = then.tree if isinstance(then, RecordValue) else orelse.tree  # type: ignore[union-attr]  # one of them is
    try:
        pairs = list(zip(coerce(then, tree), coerce(orelse, tree), strict=True))
    except Mismatch as error:
        raise scope.fail("DIO103", node, str(error)) from None
    leaves = iter([Scalar(Ite(test, a, b, type_of(a))) for a, b in pairs])
    from dio_mc.frontend.records import rebuild

    return rebuild(tree, leaves)


def common_type(left: Value, right: Value) -> ScalarType | None:
    """The smallest scalar type that holds both values, None included."""
    a, b = scalar_of(left), scalar_of(right)
    for one, other in ((a, right), (b, left)):
        if one is not None and isinstance(other, Static) and other.value is None:
            return one.type if isinstance(one.type, OptionType) else OptionType(one.type)
    if a is None or b is None:
        return None
    return join(a.type, b.type)


def show(value: Value) -> str:
    """The type of a value, for messages."""
    scalar = scalar_of(value)
    return show_type(scalar.type) if scalar is not None else describe(value)


_FORMS: Final[dict[type[ast.expr], Callable[[Any, Scope], Value]]] = {
    ast.Constant: _constant, ast.Name: _name, ast.Attribute: lambda node, scope: attributes.attribute(node, scope),
    ast.Subscript: lambda node, scope: indexing.subscript(node, scope), ast.BoolOp: _bool_op, ast.UnaryOp: _unary,
    ast.BinOp: _binary, ast.Compare: _compare, ast.IfExp: _if_expression,
    ast.Call: lambda node, scope: calls.call(node, scope), ast.Tuple: _listed, ast.List: _listed, ast.Set: _listed,
    ast.NamedExpr: _named, ast.Lambda: _lambda,
}  # fmt: skip
"""What compiles an expression, by the form of its syntax. The functions of other modules, which import this one, are
looked up when they are called."""
