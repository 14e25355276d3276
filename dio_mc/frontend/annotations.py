"""Annotations of locals: the syntax of a type -> its tree."""

from __future__ import annotations

import ast
from typing import Any, Optional, Union

from dio_mc.frontend import expressions
from dio_mc.frontend.context import Scope
from dio_mc.frontend.shapes import DeclarationError, TypeTree, type_tree
from dio_mc.frontend.values import Static
from dio_mc.lang.declarations import Choice, Range


def annotated_tree(node: ast.expr, scope: Scope) -> TypeTree:
    """The type that an annotation denotes. Reports an error at the annotation if it denotes none."""
    from dio_mc.frontend.declare import resolver

    try:
        resolve = resolver(scope.context.model, scope.context.params)
        return type_tree(_type_object(node, scope), resolve, scope.context.thread_names)
    except DeclarationError as error:
        code = "DIO105" if "no bounds" in str(error) else "DIO109"
        raise scope.fail(code, node, str(error), error.hint) from None


def _type_object(node: ast.expr, scope: Scope) -> Any:
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return Choice((_type_object(left, scope), _type_object(right, scope)))
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str() as text):
            return _type_object(ast.copy_location(ast.parse(text, mode="eval").body, node), scope)
        case ast.Subscript(value=base, slice=inner):
            outer = expressions.value_of(base, scope)
            if isinstance(outer, Static) and outer.value in (Optional, Union):
                members = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                extra: tuple[Any, ...] = (None,) if outer.value is Optional else ()
                return Choice((*(_type_object(m, scope) for m in members), *extra))
        case ast.Call(func=function, args=args, keywords=[]):
            outer = expressions.value_of(function, scope)
            bounds = [expressions.value_of(a, scope) for a in args]
            if (
                isinstance(outer, Static)
                and outer.value in (Range, range)
                and all(isinstance(b, Static) for b in bounds)
            ):
                return outer.value(*[b.value for b in bounds if isinstance(b, Static)])
    found = expressions.value_of(node, scope)
    if not isinstance(found, Static):
        raise DeclarationError(f"`{ast.unparse(node)}` is not a type")
    return found.value
