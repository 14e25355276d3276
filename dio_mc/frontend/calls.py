"""Calls inside expressions: Python's own functions, pure methods, constructors, z3's connectives.

A call that takes steps (an operation, a lock) is a statement; see `statements`.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from dio_mc import lang
from dio_mc.errors import did_you_mean
from dio_mc.frontend import arithmetic, expressions, logic, propositions
from dio_mc.frontend.context import Scope
from dio_mc.frontend.shapes import DeclarationError, RecordTree, type_tree
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
    default_of,
    describe,
    scalar_of,
    tag_test,
)
from dio_mc.ir.expr import FALSE, TRUE, Compare, Expr
from dio_mc.ir.types import BOOL
from dio_mc.lang.declarations import MISSING
from dio_mc.lang.model import ROLE, Model
from dio_mc.source import function_tree

MAX_INLINE = 40


class SolverOnly(Exception):
    """A property uses something that only z3 can say; the text names it."""


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
        raise scope.fail(
            "DIO110", node, f"`{bound.name}` takes steps, so its call cannot be part of a larger expression",
            "assign its result to a local first: what is one step stays visible",
        )  # fmt: skip
    return inline(bound.function, bound.owner, bound.receiver, node, scope)


def _call_static(function: Any, node: ast.Call, scope: Scope) -> Value:
    if function is super and not node.args and isinstance(scope.receiver, Place):
        return Super(scope.receiver, scope.owner)
    if function in _BUILTINS:
        return _BUILTINS[function](node, scope)
    module = getattr(function, "__module__", "") or ""
    if module == "z3" or module.startswith("z3."):
        return _call_z3(function.__name__, node, scope)
    if function is lang.threads:
        return propositions.threads_value(node, scope)
    if module.startswith("dio_mc.lang") and not isinstance(function, type):
        where = "a property" if scope.in_property else "an expression"
        raise scope.fail("DIO114", node, f"`{function.__name__}` cannot stand in {where}")
    if isinstance(function, type) and dataclasses.is_dataclass(function):
        return _construct(function, node, scope)
    if isinstance(function, FunctionType) and is_pure(function):
        return inline(function, scope.owner, None, node, scope)
    name = getattr(function, "__name__", repr(function))
    hint = "a function with one return is compiled; anything else is not" if isinstance(function, FunctionType) else ""
    raise scope.fail("DIO102", node, f"`{name}` cannot be called in a model", hint)


def is_pure(function: Any) -> bool:
    """An undecorated function whose body, docstring aside, is one ``return``."""
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
    """The value of a pure function's ``return`` with the arguments in place of its parameters."""
    if scope.inline_depth >= MAX_INLINE:
        raise scope.fail("DIO106", node, f"`{function.__name__}` calls itself without end")
    tree = function_tree(function)
    assert tree is not None
    if receiver is not None and not tree.args.args:
        raise scope.fail("DIO111", node, f"`{function.__name__}` does not take `self`")
    bindings = bind_arguments(function, tree, receiver is not None, node, scope)
    if receiver is not None:
        bindings[tree.args.args[0].arg] = receiver
    site = scope.span(node) if owner.__module__.startswith("dio_mc.lang") else scope.call_site
    inner = Scope(
        scope.context, function, owner, bindings, receiver, None, scope.in_property, scope.inline_depth + 1, site
    )
    returned = body_of(tree)[0]
    assert isinstance(returned, ast.Return)
    return Static(None) if returned.value is None else expressions.value_of(returned.value, inner)


def bind_arguments(
    function: Any, tree: ast.FunctionDef, method: bool, node: ast.Call, scope: Scope
) -> dict[str, Value]:
    """Parameter names with the values of the arguments, defaults filled in; wrong calls are errors."""
    parameters = [a.arg for a in [*tree.args.posonlyargs, *tree.args.args]][1 if method else 0 :]
    name = tree.name
    if tree.args.vararg or tree.args.kwarg or tree.args.kwonlyargs:
        raise scope.fail("DIO102", node, f"`{name}` has * or ** parameters, which are not supported")
    if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
        raise scope.fail("DIO102", node, "* and ** arguments are not supported")
    if len(node.args) > len(parameters):
        raise scope.fail("DIO111", node, f"`{name}` takes {_count(len(parameters))}, not {len(node.args)}")
    given: dict[str, Value] = {p: argument(a, scope) for p, a in zip(parameters, node.args, strict=False)}
    for keyword in node.keywords:
        assert keyword.arg is not None
        if keyword.arg not in parameters or keyword.arg in given:
            hint = did_you_mean(keyword.arg, parameters)
            raise scope.fail("DIO111", node, f"`{name}` has no free parameter `{keyword.arg}`", hint)
        given[keyword.arg] = argument(keyword.value, scope)
    defaults = dict(zip(parameters[::-1], (function.__defaults__ or ())[::-1], strict=False))
    missing = [p for p in parameters if p not in given and p not in defaults]
    if missing:
        raise scope.fail("DIO111", node, f"`{name}` needs an argument for `{missing[0]}`")
    return {p: given.get(p, Static(defaults.get(p))) for p in parameters}


def _count(number: int) -> str:
    return "no arguments" if number == 0 else "one argument" if number == 1 else f"{number} arguments"


def argument(node: ast.expr, scope: Scope) -> Value:
    """An argument: scalars by value, places as they are."""
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


# --- Python's own functions -------------------------------------------------------------------------------------------


def _arguments(node: ast.Call, low: int, high: int, scope: Scope) -> list[Value]:
    if node.keywords or not low <= len(node.args) <= high:
        raise scope.fail("DIO111", node, f"`{ast.unparse(node.func)}` cannot be called this way in a model")
    return [expressions.value_of(a, scope) for a in node.args]


def iterate(node: ast.Call, scope: Scope) -> list[tuple[ast.expr | None, Value, Expr, Scope]]:
    """The elements that a quantifier ranges over: the element's node, its value, its filter, its scope."""
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
    """Python counts True as 1 in a sum; so do we."""
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
        for position in range(len(values) - 2, -1, -1):  # the first that beats all behind it: grows with the square
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
    """The elements of a quantifier whose filters are known now."""
    found = iterate(node, scope)
    if any(condition != TRUE for _, _, condition, _ in found):
        hint = "put the condition into the value: max(x if c else 0 for ...)"
        raise scope.fail("DIO102", node, "min and max cannot have a filter that depends on the state", hint)
    return [value for _, value, _, _ in found]


_BUILTINS: dict[Any, Callable[[ast.Call, Scope], Value]] = {
    all: _all, any: _any, sum: _sum, min: _extreme("<="), max: _extreme(">="), abs: _abs, len: _len, range: _range,
    isinstance: _isinstance, bool: _bool, tuple: _sequence, list: _sequence,
}  # fmt: skip


# --- z3's connectives -------------------------------------------------------------------------------------------------


def _call_z3(name: str, node: ast.Call, scope: Scope) -> Value:
    """The connectives that the IR has too; anything else of z3 leaves the property to the solver."""
    if not scope.in_property:
        raise scope.fail("DIO114", node, f"z3's `{name}` cannot stand in a thread body", "use Python's own operators")
    if name not in ("Implies", "And", "Or", "Not", "If", "Xor") or node.keywords:
        raise SolverOnly(f"z3.{name}")
    if name == "If":
        if len(node.args) != 3:
            raise scope.fail("DIO111", node, "`If` takes a condition and two values")
        test = expressions.truth(node.args[0], scope)
        then, orelse = (expressions.value_of(a, scope) for a in node.args[1:])
        return expressions.conditional(node, test, then, orelse, scope)
    return Scalar(_connective(name, [p for a in node.args for p in _truths(a, scope)], node, scope))


def _truths(node: ast.expr, scope: Scope) -> list[Expr]:
    """z3's And and Or take lists as well."""
    if isinstance(node, ast.List | ast.Tuple):
        return [expressions.truth(e, scope) for e in node.elts]
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        scopes = generator_scopes(node.generators, TRUE, scope)
        if any(g.ifs for g in node.generators):
            raise SolverOnly("a filtered list")
        return [expressions.truth(node.elt, inner) for _, inner in scopes]
    return [expressions.truth(node, scope)]


def _connective(name: str, parts: list[Expr], node: ast.Call, scope: Scope) -> Expr:
    wanted = {"Implies": 2, "Not": 1, "Xor": 2}.get(name, len(parts))
    if len(parts) != wanted:
        raise scope.fail("DIO111", node, f"`{name}` takes {_count(wanted)}")
    match name:
        case "And":
            return logic.conjunction(parts)
        case "Or":
            return logic.disjunction(parts)
        case "Not":
            return logic.negation(parts[0])
        case "Xor":
            return Compare("!=", parts[0], parts[1])
        case _:
            return logic.implication(parts[0], parts[1], node, scope)


__all__ = ["MAX_INLINE", "Place", "SolverOnly", "call"]
