"""Calls inside expressions: Python's builtin functions, pure methods, constructors, z3's connectives.

A call that takes steps (an operation, a lock) is a statement; see `statements`.
"""

from __future__ import annotations

import ast
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

from dio_mc import lang
from dio_mc.errors import Diagnostic, did_you_mean
from dio_mc.frontend import expressions, fences, propositions
from dio_mc.frontend.builtins import BUILTINS
from dio_mc.frontend.connectives import call_z3
from dio_mc.frontend.context import Abort, Scope
from dio_mc.frontend.inlined import Inlined
from dio_mc.frontend.shapes import DeclarationError, RecordTree, type_tree
from dio_mc.frontend.values import (
    Bound,
    Mismatch,
    Place,
    RecordValue,
    Scalar,
    Static,
    Super,
    Value,
    coerce,
    default_of,
    describe,
)
from dio_mc.lang.declarations import MISSING
from dio_mc.lang.model import ROLE, Model
from dio_mc.source import Span, display_path, function_tree, source_lines, span_of

MAX_INLINE = 40
CHOOSE_FIRST = "choose in a statement of its own: `got = choose(...)`, or `if choose(True, False):` inside the `if`"


def call(node: ast.Call, scope: Scope) -> Value:
    """The value of a call expression."""
    callee = expressions.reference(node.func, scope)
    match callee:
        case Bound():
            return _call_bound(callee, node, scope)
        case Static(value) if callable(value):
            return _call_static(value, node, scope)
        case _:
            raise scope.fail("DIO103", node, f"{describe(callee)} cannot be called")


def _call_bound(bound: Bound, node: ast.Call, scope: Scope) -> Value:
    if bound.owner is Model:
        return propositions.proposition(bound.name, node, scope)
    if getattr(bound.function, ROLE, None) is not None or not is_pure(bound.function):
        if scope.in_property:
            hint = "a property reads the data; a method with one return and no decorator may say how"
            raise scope.fail("DIO110", node, f"`{bound.name}` takes steps, and a property takes none", hint)
        raise scope.fail(
            "DIO110", node, f"`{bound.name}` takes steps, so its call cannot be part of a larger expression",
            "assign its result to a local first: what is one step stays visible",
        )  # fmt: skip
    return inline(bound.function, bound.owner, bound.receiver, without_self(bound, node, scope), scope)


def without_self(bound: Bound, node: ast.Call, scope: Scope) -> ast.Call:
    """The call with `self` removed if the method was named through its class: ``Base.op(self, i)`` becomes
    ``op(i)``."""
    if not bound.explicit:
        return node
    if not node.args or expressions.reference(node.args[0], scope) != bound.receiver:
        called = ast.unparse(node.func)
        raise scope.fail("DIO111", node, f"`{called}` is called on a class: its first argument is `self`")
    return ast.copy_location(ast.Call(node.func, node.args[1:], node.keywords), node)


def _call_static(function: Any, node: ast.Call, scope: Scope) -> Value:
    if function is super and not node.args and isinstance(scope.receiver, Place):
        return Super(scope.receiver, scope.owner)
    if function in BUILTINS:
        return BUILTINS[function](node, scope)
    module = getattr(function, "__module__", "") or ""
    if module == "z3" or module.startswith("z3."):
        return call_z3(function.__name__, node, scope)
    if function is lang.threads:
        return propositions.threads_value(node, scope)
    if function is lang.smp_load_acquire and not scope.in_property:
        return fences.acquired(node, scope)
    if module.startswith("dio_mc.lang") and not isinstance(function, type):
        where = "a property" if scope.in_property else "an expression"
        hint = CHOOSE_FIRST if function is lang.choose and not scope.in_property else ""
        raise scope.fail("DIO114", node, f"`{function.__name__}` cannot stand in {where}", hint)
    if isinstance(function, type) and dataclasses.is_dataclass(function):
        return _construct(function, node, scope)
    if isinstance(function, FunctionType) and is_pure(function):
        return inline(function, scope.owner, None, node, scope)
    name = getattr(function, "__name__", repr(function))
    hint = "a function with one return is compiled; anything else is not" if isinstance(function, FunctionType) else ""
    raise scope.fail("DIO102", node, f"`{name}` cannot be called in a model", hint)


def is_pure(function: Any) -> bool:
    """Whether a function is undecorated and its body, except for the docstring, is one ``return``."""
    if getattr(function, ROLE, None) is not None or getattr(function, "__dio_atomic__", False):
        return False
    tree = function_tree(function)
    return tree is not None and len(body_of(tree)) == 1 and isinstance(body_of(tree)[0], ast.Return)


def body_of(tree: ast.FunctionDef) -> list[ast.stmt]:
    """The statements of a function without its docstring."""
    first = tree.body[0]
    has_doc = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return tree.body[1:] if has_doc else tree.body


def inline(function: Any, owner: type, receiver: Value | None, node: ast.Call, scope: Scope) -> Value:
    """The value of a pure function's ``return``, with the arguments substituted for the parameters."""
    if scope.inline_depth >= MAX_INLINE:
        raise scope.fail("DIO106", node, f"`{function.__name__}` calls itself without end")
    tree = function_tree(function)
    assert tree is not None
    if receiver is not None and not tree.args.args:
        raise wrong_call(function, tree, node, scope, "does not take `self`")
    bindings = bind_arguments(function, tree, receiver is not None, node, scope)
    if receiver is not None:
        bindings[tree.args.args[0].arg] = receiver
    site = scope.span(node) if owner.__module__.startswith("dio_mc.lang") else scope.call_site
    inner = Scope(
        scope.context, function, owner, bindings, receiver, None, scope.in_property, scope.inline_depth + 1, site,
        scope.call_from(node, owner),
    )  # fmt: skip
    known: Inlined = scope.context.inlined
    return known.value(inner, tuple(bindings.values()), lambda: _returned(tree, inner))


def _returned(tree: ast.FunctionDef, scope: Scope) -> Value:
    returned = body_of(tree)[0]
    assert isinstance(returned, ast.Return)
    return Static(None) if returned.value is None else expressions.value_of(returned.value, scope)


def bind_arguments(
    function: Any, tree: ast.FunctionDef, method: bool, node: ast.Call, scope: Scope
) -> dict[str, Value]:
    """The values of the parameters by name, including defaults. Reports an error if the call does not match the
    function."""
    parameters = [a.arg for a in [*tree.args.posonlyargs, *tree.args.args]][1 if method else 0 :]
    name = tree.name
    if tree.args.vararg or tree.args.kwarg or tree.args.kwonlyargs:
        raise scope.fail("DIO102", node, f"`{name}` has * or ** parameters, which are not supported")
    if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
        raise scope.fail("DIO102", node, "* and ** arguments are not supported")
    if len(node.args) > len(parameters):
        raise wrong_call(function, tree, node, scope, f"takes {_count(len(parameters))}, not {len(node.args)}")
    given: dict[str, Value] = {p: argument(a, scope) for p, a in zip(parameters, node.args, strict=False)}
    for keyword in node.keywords:
        assert keyword.arg is not None
        if keyword.arg not in parameters or keyword.arg in given:
            hint = did_you_mean(keyword.arg, parameters)
            raise wrong_call(function, tree, node, scope, f"has no free parameter `{keyword.arg}`", hint)
        given[keyword.arg] = argument(keyword.value, scope)
    defaults = dict(zip(parameters[::-1], (function.__defaults__ or ())[::-1], strict=False))
    missing = [p for p in parameters if p not in given and p not in defaults]
    if missing:
        raise wrong_call(function, tree, node, scope, f"needs an argument for `{missing[0]}`")
    return {p: given.get(p, Static(defaults.get(p))) for p in parameters}


def wrong_call(
    function: Any, tree: ast.FunctionDef, node: ast.AST, scope: Scope, problem: str, hint: str = ""
) -> Abort:
    """Record that a call and its function do not fit; raise what this returns.

    If the function overrides another, and the call is in another file than the override, the call was written for the
    overridden function: the error is reported at the override.
    """
    base = _overridden(function, scope)
    if base is None or function.__code__.co_filename == scope.file:
        return scope.fail("DIO111", node, f"`{tree.name}` {problem}", hint)
    told = f"`{tree.name}` takes {_signature(tree)}, and what it overrides takes {_signature(base)}"
    span = span_of(tree, function.__code__.co_filename)
    line = source_lines(span.file)[span.line - 1]
    head = Span(span.file, span.line, span.column, span.line, len(line.rstrip()) + 1)
    shown = display_path(scope.file)
    caller = Path(shown).name if os.path.isabs(shown) else shown
    called = f"it is called at {caller}:{getattr(node, 'lineno', 0)}"
    scope.context.diagnostics.add(Diagnostic("DIO111", told, head, called))
    return Abort()


def _overridden(function: Any, scope: Scope) -> ast.FunctionDef | None:
    """The function that a method of the model overrides, if there is one."""
    owners = [cls for cls in scope.context.model.__mro__ if function.__name__ in vars(cls)]
    found = [vars(cls)[function.__name__] for cls in owners]
    later = found[found.index(function) + 1 :] if function in found else []
    return next((tree for tree in map(function_tree, later) if tree is not None), None)


def _signature(tree: ast.FunctionDef) -> str:
    return f"({', '.join(a.arg for a in [*tree.args.posonlyargs, *tree.args.args])})"


def _count(number: int) -> str:
    return "no arguments" if number == 0 else "one argument" if number == 1 else f"{number} arguments"


def argument(node: ast.expr, scope: Scope) -> Value:
    """The value of an argument: scalars by value, places by reference."""
    return expressions.value_of(node, scope)


def _construct(cls: type, node: ast.Call, scope: Scope) -> Value:
    from dio_mc.frontend.declare import resolver

    try:
        resolve = resolver(scope.context.model, scope.context.params)
        tree = type_tree(cls, resolve, scope.context.thread_names)
    except DeclarationError as error:
        raise scope.fail("DIO109", node, str(error)) from None
    assert isinstance(tree, RecordTree)
    names = [n for n, _, _ in tree.fields]
    if len(node.args) > len(names):
        raise scope.fail("DIO111", node, f"{cls.__name__} has {len(names)} fields, not {len(node.args)}")
    given = dict(zip(names, (argument(a, scope) for a in node.args), strict=False))
    for keyword in node.keywords:
        if keyword.arg not in names or keyword.arg in given:
            hint = did_you_mean(keyword.arg or "", names)
            raise scope.fail("DIO111", node, f"{cls.__name__} has no free field `{keyword.arg}`", hint)
        given[keyword.arg] = argument(keyword.value, scope)
    return _fill(tree, given, node, scope)


def _fill(tree: RecordTree, given: dict[str, Value], node: ast.Call, scope: Scope) -> Value:
    from dio_mc.frontend.records import rebuild

    fields: list[tuple[str, Value]] = []
    for name, field_tree, default in tree.fields:
        if name not in given and default is MISSING:
            raise scope.fail("DIO111", node, f"{tree.cls.__name__} needs a value for `{name}`")
        value = given[name] if name in given else default_of(field_tree, default)
        try:
            leaves: Iterator[Scalar] = iter([Scalar(e) for e in coerce(value, field_tree)])
        except Mismatch as error:
            raise scope.fail("DIO103", node, f"field `{name}`: {error}") from None
        fields.append((name, rebuild(field_tree, leaves)))
    return RecordValue(tree, tuple(fields))
