"""Python expressions -> values (IR expressions, compile-time objects, places). Shared by thread bodies and properties.

Leaves statements to `statements`, and what only a property may say to `propositions`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from enum import Enum
from typing import Any

from dio_mc.errors import did_you_mean
from dio_mc.frontend import arithmetic, calls
from dio_mc.frontend.context import Scope, find_method
from dio_mc.frontend.values import (
    Bound,
    Items,
    Mismatch,
    Place,
    RecordValue,
    Scalar,
    Static,
    Super,
    Value,
    coerce,
    coerce_scalar,
    describe,
    element_of,
    field_of,
    load,
    place_name,
    scalar_of,
)
from dio_mc.ir.expr import FALSE, TRUE, And, Compare, Const, Expr, Implies, Ite, Load, Not, Or, type_of
from dio_mc.ir.program import ArrayShape, RecordShape, ScalarShape
from dio_mc.ir.types import BOOL, OptionType, RangeType, ScalarType, ThreadIdType, bounds, show_type


def value_of(node: ast.expr, scope: Scope) -> Value:
    """The meaning of an expression; a place of scalar shape is read."""
    found = reference(node, scope)
    if isinstance(found, Place) and isinstance(found.shape, ScalarShape):
        return load(found, scope.context.variables, scope.span(node))
    return found


def reference(node: ast.expr, scope: Scope) -> Value:
    """The meaning of an expression, places kept as places."""
    match node:
        case ast.Constant(value=value):
            if isinstance(value, float | complex | bytes) or value is ...:
                raise scope.fail("DIO102", node, f"{value!r} is no value of the modelling language")
            return Static(value)
        case ast.Name():
            return _name(node, scope)
        case ast.Attribute():
            return _attribute(node, scope)
        case ast.Subscript():
            return _subscript(node, scope)
        case ast.BoolOp(op=op, values=values):
            parts = tuple(truth(v, scope) for v in values)
            return Scalar(conjunction(parts) if isinstance(op, ast.And) else disjunction(parts))
        case ast.UnaryOp():
            return _unary(node, scope)
        case ast.BinOp():
            return arithmetic.binary(node, value_of(node.left, scope), value_of(node.right, scope), scope)
        case ast.Compare():
            return _compare(node, scope)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return conditional(node, truth(test, scope), value_of(body, scope), value_of(orelse, scope), scope)
        case ast.Call():
            return calls.call(node, scope)
        case ast.Tuple(elts=elts) | ast.List(elts=elts) | ast.Set(elts=elts):
            return Items(tuple(value_of(e, scope) for e in elts))
        case ast.NamedExpr():
            raise scope.fail("DIO102", node, "`:=` is not supported", "assign in a statement of its own")
        case ast.Lambda():
            raise scope.fail("DIO102", node, "a lambda is not supported", "write a method with one return")
        case _:
            raise scope.fail("DIO102", node, f"{_construct(node)} is not supported in an expression")


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
    """A value as a condition; anything but a bool is an error, since its truth would be a guess."""
    scalar = scalar_of(value)
    if scalar is None or scalar.type != BOOL:
        raise scope.fail("DIO103", node, f"a condition is a bool, not {describe(value)}", "compare it with something")
    return scalar.expr


def conjunction(parts: Sequence[Expr]) -> Expr:
    """``and`` with constants folded."""
    flat = [p for part in parts for p in (part.operands if isinstance(part, And) else (part,)) if p != TRUE]
    if FALSE in flat:
        flat = flat[: flat.index(FALSE) + 1]
        if len(flat) == 1:
            return FALSE
    return TRUE if not flat else flat[0] if len(flat) == 1 else And(tuple(flat))


def disjunction(parts: Sequence[Expr]) -> Expr:
    """``or`` with constants folded."""
    flat = [p for part in parts for p in (part.operands if isinstance(part, Or) else (part,)) if p != FALSE]
    if TRUE in flat:
        flat = flat[: flat.index(TRUE) + 1]
        if len(flat) == 1:
            return TRUE
    return FALSE if not flat else flat[0] if len(flat) == 1 else Or(tuple(flat))


def negation(expr: Expr) -> Expr:
    """``not`` with constants folded."""
    if isinstance(expr, Const):
        return FALSE if expr.value else TRUE
    return expr.operand if isinstance(expr, Not) else Not(expr)


def implication(premise: Expr, conclusion: Expr, node: ast.AST, scope: Scope) -> Expr:
    """``Implies``, never folded away: its premise is watched."""
    return Implies(premise, conclusion, scope.span(node))


def _name(node: ast.Name, scope: Scope) -> Value:
    from dio_mc.lang.statements import me

    found = scope.lookup(node)
    if isinstance(found, Static) and found.value is me:
        if scope.in_property:
            raise scope.fail("DIO113", node, "`me` has no meaning in a property: no thread is running it")
        from dio_mc.ir.expr import Me

        return Scalar(Me(scope.context.thread_id))
    return found


def _attribute(node: ast.Attribute, scope: Scope) -> Value:
    base = reference(node.value, scope)
    match base:
        case Place():
            return place_attribute(base, node, scope)
        case RecordValue():
            return _record_attribute(base, node, scope)
        case Super(receiver, owner):
            return _super_attribute(receiver, owner, node, scope)
        case Static(value):
            return _static_attribute(value, node, scope)
        case _:
            raise scope.fail("DIO103", node, f"{describe(base)} has no attribute `{node.attr}`")


def _static_attribute(value: Any, node: ast.Attribute, scope: Scope) -> Value:
    if isinstance(value, type) and issubclass(value, Enum) and node.attr not in value.__members__:
        hint = did_you_mean(node.attr, value.__members__)
        raise scope.fail("DIO104", node, f"enum {value.__name__} has no member `{node.attr}`", hint)
    try:
        return Static(getattr(value, node.attr))
    except Exception:
        raise scope.fail("DIO104", node, f"{value!r} has no attribute `{node.attr}`") from None


def place_attribute(place: Place, node: ast.Attribute, scope: Scope) -> Value:
    """An attribute of shared data: a field, a parameter or constant, a method."""
    name = node.attr
    assert isinstance(place.shape, RecordShape | ArrayShape | ScalarShape)
    if isinstance(place.shape, RecordShape):
        if name in dict(place.shape.fields):
            found = field_of(place, name)
            if place.model:
                found = Place(
                    found.shape, name, found.indices, scope.context.parts.get(name), False, place.total, place.after
                )
            return found
        if place.model and name in scope.context.params:
            return Static(scope.context.params[name])
        if place.part is not None and not callable(getattr(place.part, name, None)) and hasattr(place.part, name):
            return Static(_option(place.part, name, scope))
        method = _method_of(place, name, scope)
        if method is not None:
            return method
    hint = did_you_mean(name, names_of(place, scope))
    raise scope.fail("DIO104", node, f"{_owner_name(place, scope)} has no attribute `{name}`", hint)


def _option(part: Any, name: str, scope: Scope) -> Any:
    from dio_mc.frontend.declare import resolver

    return resolver(scope.context.model, scope.context.params)(getattr(part, name))


def _method_of(place: Place, name: str, scope: Scope) -> Value | None:
    cls = scope.context.model if place.model else type(place.part) if place.part is not None else None
    cls = cls or (place.shape.python_class if isinstance(place.shape, RecordShape) else None)
    found = find_method(cls, name) if cls is not None else None
    if found is None:
        return None
    function, owner = found
    return Bound(place, name, function, owner) if callable(function) else Static(function)


def _owner_name(place: Place, scope: Scope) -> str:
    return f"{scope.context.model.__name__}" if place.model else f"`{place_name(place)}`"


def names_of(place: Place, scope: Scope) -> list[str]:
    """What could follow the dot, for did-you-mean."""
    if not isinstance(place.shape, RecordShape):
        return []
    names = [n for n, _ in place.shape.fields]
    cls = scope.context.model if place.model else type(place.part) if place.part else place.shape.python_class
    if cls is not None:
        names += [n for n in dir(cls) if not n.startswith("_")]
    return names + (list(scope.context.params) if place.model else [])


def _record_attribute(record: RecordValue, node: ast.Attribute, scope: Scope) -> Value:
    fields = dict(record.fields)
    if node.attr in fields:
        return fields[node.attr]
    found = find_method(record.tree.cls, node.attr) if record.tree.cls is not None else None
    if found is not None and callable(found[0]):
        return Bound(record, node.attr, *found)
    hint = did_you_mean(node.attr, fields)
    raise scope.fail("DIO104", node, f"{describe(record)} has no field `{node.attr}`", hint)


def _super_attribute(receiver: Place, owner: type, node: ast.Attribute, scope: Scope) -> Value:
    cls = scope.context.model if receiver.model else type(receiver.part)
    order = cls.__mro__
    for base in order[order.index(owner) + 1 :]:
        if node.attr in vars(base):
            return Bound(receiver, node.attr, vars(base)[node.attr], base)
    raise scope.fail("DIO104", node, f"no class above {owner.__name__} has `{node.attr}`")


def _subscript(node: ast.Subscript, scope: Scope) -> Value:
    if isinstance(node.slice, ast.Slice):
        raise scope.fail("DIO102", node, "a slice is not supported", "index one element at a time")
    base = reference(node.value, scope)
    indexes = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for one in indexes:
        base = _index(base, one, node, scope)
    return base


def _index(base: Value, node: ast.expr, whole: ast.Subscript, scope: Scope) -> Value:
    index = value_of(node, scope)
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
    if isinstance(index, Static) and (high < 0 or low >= size):  # anything else is a fault when it happens
        raise scope.fail("DIO103", node, f"index {_range_text(low, high)} is outside 0..{size - 1}")
    if isinstance(scalar.type, OptionType) and low >= 0 and not scope.in_property:  # None is no index: its code is one
        minus = Const(-1, RangeType(-1, -1))
        return Ite(Compare("==", scalar.expr, Const(low, scalar.type)), minus, scalar.expr, RangeType(-1, high))
    return scalar.expr


def _range_text(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}..{high}"


def _plain(type_: ScalarType) -> ScalarType:
    from dio_mc.ir.types import OptionType

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
    if not scope.in_property and (low < 0 or high >= len(values)):  # there is no fault for it: this is no variable
        hint = "take it `% n`, or index the variable itself"
        raise scope.fail("DIO103", node, f"index {_range_text(low, high)} may be outside 0..{len(values) - 1}", hint)
    found = values[-1]
    for position in range(len(values) - 2, -1, -1):
        test = arithmetic.compare("==", scalar, Static(position), node, scope)
        found = conditional(node, test, values[position], found, scope)
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
    """The elements of something of known length: a range, a tuple, an enum class, an array."""
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
    from dio_mc.frontend.values import join
    from dio_mc.ir.types import OptionType

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


__all__ = ["Load", "value_of"]
