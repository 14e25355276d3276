"""Propositions that only properties may use: the locations of threads. Each is an IR expression and has a canonical
text."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from dio_mc.errors import did_you_mean
from dio_mc.frontend import expressions, logic
from dio_mc.frontend.context import Scope
from dio_mc.frontend.values import Bound, Items, Mismatch, Place, Scalar, Static, Value, coerce_scalar
from dio_mc.ir.expr import AtLocation, Compare, Const, Expr, LocalOf
from dio_mc.ir.program import Atom, Region, Template
from dio_mc.ir.types import show_value
from dio_mc.lang.model import ROLE, ThreadRole


@dataclass(slots=True)
class Control:
    """The locations and regions of all threads; filled after the templates are compiled and before the properties
    are."""

    templates: tuple[Template, ...] = ()
    regions: tuple[Region, ...] = ()
    operations: frozenset[str] = frozenset()
    atoms: dict[str, Atom] = field(default_factory=dict)


def threads_value(node: ast.Call, scope: Scope) -> Value:
    """The value of ``threads()`` or ``threads(self.reader)``: thread ids in order."""
    names = scope.context.thread_names
    chosen: Sequence[int] = range(len(names))
    if node.args:
        chosen = scope.context.thread_groups.get(_thread_name(node.args[0], node, scope), ())
    return Items(tuple(scope.context.thread_constants[t] for t in chosen))


def _thread_name(argument: ast.expr, node: ast.Call, scope: Scope) -> str:
    found = expressions.reference(argument, scope)
    if isinstance(found, Bound) and found.name in scope.context.thread_groups:
        return found.name
    known = ", ".join(scope.context.thread_groups)
    raise scope.fail("DIO103", node, f"a thread of the model is needed here (there are: {known})")


def proposition(name: str, node: ast.Call, scope: Scope) -> Value:
    """The value of ``self.inside(...)``, ``self.finished(...)`` or ``self.at_rest()``."""
    if not scope.in_property:
        raise scope.fail(
            "DIO113", node, f"`{name}` may be asked by properties only", "record what the model needs in a variable"
        )
    receiver = expressions.reference(node.func.value, scope) if isinstance(node.func, ast.Attribute) else None
    after = isinstance(receiver, Place) and receiver.after
    match name:
        case "inside":
            return _inside(node, after, scope)
        case "finished":
            if len(node.args) != 1:
                raise scope.fail("DIO111", node, "`finished` takes one thread")
            thread = _thread_name(node.args[0], node, scope)
            meaning = conjunction_of(scope.context.thread_groups[thread], after)
            return _atom(f"finished({thread})", meaning, after, scope)
        case "at_rest":
            workers = [
                i for i, t in enumerate(scope.context.threads) if not _control(scope).templates[t.template].daemon
            ]
            return _atom("at_rest()", conjunction_of(tuple(workers), after), after, scope)
        case _:
            raise scope.fail("DIO104", node, f"unknown proposition `{name}`")


def _control(scope: Scope) -> Control:
    control = scope.context.control
    assert isinstance(control, Control)
    return control


def conjunction_of(threads: tuple[int, ...], after: bool) -> Expr:
    """The condition that all of these threads have ended (a spawned one: is idle)."""
    return logic.conjunction([AtLocation(t, frozenset({0}), after) for t in threads])


def _atom(text: str, meaning: Expr, after: bool, scope: Scope) -> Value:
    text = f"after.{text}" if after else text
    _control(scope).atoms[text] = Atom(text, meaning)
    return Scalar(meaning)


def _inside(node: ast.Call, after: bool, scope: Scope) -> Value:
    if len(node.args) != 1:
        raise scope.fail("DIO111", node, "`inside` takes a window's name or an operation, then arguments by keyword")
    name, shown = _region_name(node.args[0], scope)
    control = _control(scope)
    regions = [r for r in control.regions if r.name == name]
    if not regions:
        hint = did_you_mean(name, {r.name for r in control.regions})
        raise scope.fail("DIO104", node.args[0], f"no thread ever enters {shown}", hint)
    wanted = {k.arg: expressions.value_of(k.value, scope) for k in node.keywords if k.arg}
    parts: list[Expr] = []
    texts: dict[str, str] = {}
    for region in regions:
        test = _arguments(region, wanted, texts, after, node, scope)
        parts += [p for t, p in test]
    listed = "".join(f", {k}={texts[k]}" for k in sorted(texts))
    return _atom(f"inside({shown}{listed})", logic.disjunction(parts), after, scope)


def _region_name(argument: ast.expr, scope: Scope) -> tuple[str, str]:
    found = expressions.reference(argument, scope)
    if isinstance(found, Static) and isinstance(found.value, str):
        return found.value, f'"{found.value}"'
    if isinstance(found, Bound) and getattr(found.function, ROLE, None) is not None:
        if isinstance(getattr(found.function, ROLE), ThreadRole):
            raise scope.fail("DIO103", argument, f"`{found.name}` is a thread; ask `not self.finished(...)` instead")
        return f"{found.name}()", found.name
    raise scope.fail("DIO103", argument, "`inside` takes the name of a window or an operation of the model")


def _arguments(
    region: Region, wanted: dict[str, Value], texts: dict[str, str], after: bool, node: ast.Call, scope: Scope
) -> list[tuple[int, Expr]]:
    known = dict(region.arguments)
    found: list[tuple[int, Expr]] = []
    for thread, instance in enumerate(scope.context.threads):
        if instance.template != region.template:
            continue
        parts: list[Expr] = [AtLocation(thread, region.locations, after)]
        for name, value in wanted.items():
            if name not in known:
                hint = did_you_mean(name, known)
                raise scope.fail("DIO104", node, f"the operation around it has no argument `{name}`", hint)
            parts.append(_same(thread, known[name], name, value, texts, after, node, scope))
        found.append((thread, logic.conjunction(parts)))
    return found


def _same(
    thread: int, local: int, name: str, value: Value, texts: dict[str, str], after: bool, node: ast.Call, scope: Scope
) -> Expr:
    template = _control(scope).templates[scope.context.threads[thread].template]
    type_ = template.locals[local].type
    try:
        expr = coerce_scalar(value, type_)
    except Mismatch as error:
        raise scope.fail("DIO103", node, f"argument `{name}`: {error}") from None
    texts[name] = show_value(type_, expr.value) if isinstance(expr, Const) else ast.unparse(_keyword(node, name))
    return Compare("==", LocalOf(thread, local, type_, after), expr)


def _keyword(node: ast.Call, name: str) -> ast.expr:
    return next(k.value for k in node.keywords if k.arg == name)
