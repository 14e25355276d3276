"""Attribute access: fields, parameters, options and methods of shared data, records, enums and ``super()``."""

from __future__ import annotations

import ast
from enum import Enum
from types import FunctionType
from typing import Any

from dio_mc.errors import did_you_mean
from dio_mc.frontend import expressions
from dio_mc.frontend.context import Abort, Scope, above, ancestor, find_method
from dio_mc.frontend.values import Bound, Place, RecordValue, Static, Super, Value, describe, field_of, place_name
from dio_mc.ir.program import ArrayShape, RecordShape, ScalarShape
from dio_mc.lang.declarations import VarDeclaration
from dio_mc.lang.model import Part


def attribute(node: ast.Attribute, scope: Scope) -> Value:
    """The value of ``base.name``."""
    base = expressions.reference(node.value, scope)
    match base:
        case Place():
            return place_attribute(base, node, scope)
        case RecordValue():
            return _record_attribute(base, node, scope)
        case Super(receiver, owner):
            return super_attribute(receiver, owner, node, scope)
        case Static(value):
            return _static_attribute(value, node, scope)
        case _:
            raise scope.fail("DIO103", node, f"{describe(base)} has no attribute `{node.attr}`")


def _static_attribute(value: Any, node: ast.Attribute, scope: Scope) -> Value:
    ancestor = _ancestor_method(value, node, scope)
    if ancestor is not None:
        return ancestor
    if isinstance(value, type) and issubclass(value, Enum) and node.attr not in value.__members__:
        hint = did_you_mean(node.attr, value.__members__)
        raise scope.fail("DIO104", node, f"enum {value.__name__} has no member `{node.attr}`", hint)
    try:
        return Static(getattr(value, node.attr))
    except Exception:
        raise scope.fail("DIO104", node, f"{value!r} has no attribute `{node.attr}`") from None


def _ancestor_method(value: Any, node: ast.Attribute, scope: Scope) -> Value | None:
    """``Base.op``, where Base is a class that the model derives from: the method of Base, bound to this model's
    data."""
    receiver = scope.receiver
    if scope.in_property or not isinstance(value, type) or not isinstance(receiver, Place) or not receiver.model:
        return None
    base = _ancestor(value, scope)
    found = find_method(base, node.attr) if base is not None else None
    return Bound(receiver, node.attr, *found, explicit=True) if found is not None and callable(found[0]) else None


def _ancestor(named: type, scope: Scope) -> type | None:
    """The base class of the model that a name denotes. It may be a different class object: if several files are
    checked, a module that other files import may have been loaded again since they imported it."""
    found: type | None = scope.context.ask(ancestor, named.__module__, named.__qualname__)
    return found


def place_attribute(place: Place, node: ast.Attribute, scope: Scope) -> Value:
    """An attribute of shared data: a field, a parameter or constant, or a method."""
    name = node.attr
    assert isinstance(place.shape, RecordShape | ArrayShape | ScalarShape)
    if isinstance(place.shape, RecordShape):
        if place.model:
            if name in scope.context.fields:
                shape, part = scope.context.fields[name], scope.context.parts.get(name)
                return Place(shape, name, place.indices, part, False, place.total, place.after)
        elif place.shape.field(name) is not None:
            return field_of(place, name)
        if place.model and name in scope.context.params:
            return Static(scope.context.params[name])
        if place.part is not None and not callable(getattr(place.part, name, None)) and hasattr(place.part, name):
            return Static(_option(place.part, name, scope))
        method = _method_of(place, name, scope)
        if method is not None:
            return method
    hint = did_you_mean(name, names_of(place, scope)) if place.part is None else _methods(place.part)
    raise scope.fail("DIO104", node, f"{_owner_name(place, scope)} has no attribute `{name}`", hint)


def _methods(part: Any) -> str:
    """A hint that lists the methods of a lock or other part, without those for its own use (`*_blocked`)."""
    cls = type(part)
    named = [name for base in cls.__mro__ if issubclass(base, Part) for name in vars(base)]
    told = [n for n in dict.fromkeys(named) if not n.startswith("_") and not n.endswith("_blocked")]
    methods = [n for n in told if isinstance(getattr(cls, n), FunctionType) and n not in vars(Part)]
    return f"`{cls.__name__}` has {', '.join(f'`{n}`' for n in methods)}"


def _option(part: Any, name: str, scope: Scope) -> Any:
    from dio_mc.frontend.declare import resolver

    return resolver(scope.context.model, scope.context.params)(getattr(part, name))


def _method_of(place: Place, name: str, scope: Scope) -> Value | None:
    if place.model:
        found = scope.context.ask(find_method, name)
    else:
        shaped = place.shape.python_class if isinstance(place.shape, RecordShape) else None
        cls = type(place.part) if place.part is not None else shaped
        found = find_method(cls, name) if cls is not None else None
    if found is None:
        return None
    function, owner = found
    if isinstance(function, VarDeclaration):  # its declaration is wrong, which has been reported
        raise Abort
    return Bound(place, name, function, owner) if callable(function) else Static(function)


def _owner_name(place: Place, scope: Scope) -> str:
    return f"{scope.context.model.__name__}" if place.model else f"`{place_name(place)}`"


def names_of(place: Place, scope: Scope) -> list[str]:
    """The names that may follow the dot, for suggestions."""
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


def super_attribute(receiver: Place, owner: type, node: ast.Attribute, scope: Scope) -> Value:
    """``super().name``: the attribute of the next class above `owner` that has one."""
    about = owner, node.attr
    found = scope.context.ask(above, *about) if receiver.model else above(type(receiver.part), *about)
    if found is not None:
        return Bound(receiver, node.attr, *found)
    raise scope.fail("DIO104", node, f"no class above {owner.__name__} has `{node.attr}`")
