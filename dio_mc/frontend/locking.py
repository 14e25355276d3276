"""The locks of a model during compilation: their places, and whether the running thread holds one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dio_mc.frontend import expressions, logic
from dio_mc.frontend.calls import inline
from dio_mc.frontend.context import Context, find_method
from dio_mc.frontend.frames import Frame
from dio_mc.frontend.values import Place, element_of, field_of
from dio_mc.ir.expr import Const, Expr
from dio_mc.ir.program import ArrayShape
from dio_mc.ir.types import RangeType
from dio_mc.lang.locks import Lock


def lock_places(context: Context) -> Iterator[tuple[str, Place]]:
    """Every lock of the model with its name; the elements of arrays are listed one by one."""
    model = context.receiver()
    for name, part in context.parts.items():
        if isinstance(part, Lock):
            place = field_of(model, name)
            yield from _elements(name, Place(place.shape, name, (), part))


def _elements(name: str, place: Place) -> Iterator[tuple[str, Place]]:
    if not isinstance(place.shape, ArrayShape):
        yield name, place
        return
    for i in range(place.shape.size):
        inner = element_of(place, Const(i, RangeType(i, i)))
        yield from _elements(f"{name}[{i}]", Place(inner.shape, f"{name}[{i}]", inner.indices, place.part))


def not_held(place: Place, frame: Frame) -> Expr:
    """The condition that the running thread does not hold this lock."""
    found = find_method(type(place.part), "held_by")
    assert found is not None
    function, owner = found
    call = ast.copy_location(ast.parse("held_by(me)", mode="eval").body, frame.tree)
    assert isinstance(call, ast.Call)
    for part in ast.walk(call):
        ast.copy_location(part, frame.tree)
    value = inline(function, owner, place, _with_me(call, frame), _me_scope(frame))
    return logic.negation(expressions.condition_of(value, frame.tree, frame.scope))


def _with_me(call: ast.Call, frame: Frame) -> ast.Call:
    call.args = [ast.copy_location(ast.Name("me", ast.Load()), frame.tree)]
    return call


def _me_scope(frame: Frame):  # type: ignore[no-untyped-def]  # a Scope that has `me` even if the model does not import it
    from dataclasses import replace

    return replace(frame.scope, bindings={**frame.scope.bindings, "me": frame.state.context.me}, locate=None)
