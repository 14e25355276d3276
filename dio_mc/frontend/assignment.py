"""Assignments of values, of results of calls that take steps, and of choices."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dio_mc import lang
from dio_mc.frontend import builtins, expressions
from dio_mc.frontend.annotations import annotated_tree
from dio_mc.frontend.context import Abort
from dio_mc.frontend.frames import Frame, assignment_weight, is_word, touched, warn_atomicity
from dio_mc.frontend.graph import Weight
from dio_mc.frontend.inlining import inline_call, stepping_call
from dio_mc.frontend.shapes import TypeTree
from dio_mc.frontend.storage import NoCommonType
from dio_mc.frontend.values import (
    Mismatch,
    Place,
    Scalar,
    Static,
    Value,
    coerce,
    coerce_scalar,
    describe,
    leaves_to,
    load,
    tree_of,
)
from dio_mc.ir.expr import TRUE, Expr
from dio_mc.ir.ops import Assign, Choose, Option, Target
from dio_mc.ir.types import ScalarType
from dio_mc.source import text_of


def assign(target: ast.expr, value: ast.expr, node: ast.stmt, frame: Frame) -> None:
    """Compile ``target = value``, where `value` may be a call that takes steps, or a choice."""
    if isinstance(value, ast.Call):
        if is_word(value, lang.choose, frame):
            assign_choice(target, value, node, frame)
            return
        bound = stepping_call(value, frame)
        if bound is not None:
            result = inline_call(bound, value, frame)
            store([target], [result], node, frame, [value])
            return
    if isinstance(target, ast.Tuple | ast.List):
        _parallel(target, value, node, frame)
        return
    store([target], [expressions.value_of(value, frame.scope)], node, frame, [value])


def assign_chained(node: ast.Assign, frame: Frame) -> None:
    """Compile ``a = b = value`` as one statement: the value is evaluated once and stored in one step."""
    call = node.value if isinstance(node.value, ast.Call) else None
    stepping = call is not None and (is_word(call, lang.choose, frame) or stepping_call(call, frame) is not None)
    if stepping or any(isinstance(t, ast.Tuple | ast.List) for t in node.targets):
        raise frame.scope.fail("DIO102", node, "this value can go to one target only", "assign it to a local first")
    value = expressions.value_of(node.value, frame.scope)
    store(node.targets, [value] * len(node.targets), node, frame, [node.value])


def _parallel(target: ast.Tuple | ast.List, value: ast.expr, node: ast.stmt, frame: Frame) -> None:
    found = expressions.value_of(value, frame.scope)
    values = expressions.elements(found, value, frame.scope)
    if len(values) != len(target.elts):
        raise frame.scope.fail("DIO103", node, f"{len(target.elts)} targets for {len(values)} values")
    store(target.elts, values, node, frame, [value])


def store(
    targets: Sequence[ast.expr], values: Sequence[Value], node: ast.stmt, frame: Frame, sources: Sequence[ast.expr]
) -> None:
    """Emit one parallel assignment of values to targets."""
    where: list[Target] = []
    what: list[Expr] = []
    for target, value in zip(targets, values, strict=True):
        found, exprs = _one(target, value, node, frame)
        where += found
        what += exprs
    emit_assign(where, what, node, frame)


def emit_assign(where: Sequence[Target], what: Sequence[Expr], node: ast.stmt, frame: Frame) -> None:
    """Emit the node of a parallel assignment, after checking the variables that it reads and writes."""
    found = touched(frame.state.context, what, where)
    weight = assignment_weight(found, frame, node)
    if weight is Weight.STEP:
        warn_atomicity(found, frame, node)
    frame.emit(Assign(tuple(where), tuple(what), frame.scope.span(node)), node, weight)


def _one(target: ast.expr, value: Value, node: ast.stmt, frame: Frame) -> tuple[list[Target], list[Expr]]:
    if isinstance(value, Place):
        value = load(value, frame.state.context.variables, frame.scope.span(node))
    if isinstance(target, ast.Name):
        tree = local_type(target.id, value, target, frame)
        return list(frame.storage.targets(frame.local(target.id))), fit(value, tree, node, frame)
    place = target_place(target, frame)
    tree = tree_of(place.shape, frame.state.context.variables)
    found = leaves_to(place, frame.state.context.variables, frame.scope.span(target))
    return list(found), fit(value, tree, node, frame)


def target_place(target: ast.expr, frame: Frame) -> Place:
    """The place of shared data that an assignment writes."""
    if not isinstance(target, ast.Attribute | ast.Subscript):
        raise frame.scope.fail("DIO102", target, "cannot assign to this")
    place = expressions.reference(target, frame.scope)
    if not isinstance(place, Place) or place.model:
        raise frame.scope.fail(
            "DIO103", target, f"cannot assign to {describe(place)}", "only variables of the model can change"
        )
    if place.part is not None:
        raise frame.scope.fail("DIO103", target, f"`{place.name}` is a lock; use its methods")
    return place


def local_type(name: str, value: Value, node: ast.AST, frame: Frame) -> TypeTree:
    """Widen the type of a local so that it contains a value; returns the type."""
    full = frame.local(name)
    frame.state.last_assignment[full] = (frame.scope, node)
    try:
        frame.storage.assign(full, value)
    except NoCommonType:
        known = frame.storage.types.get(full)
        if known is None:
            raise frame.scope.fail("DIO103", node, f"a local cannot hold {describe(value)}") from None
        raise frame.scope.fail(
            "DIO116", node, f"`{name}` is assigned values of different types", "use two names"
        ) from None
    tree = frame.storage.types.get(full)
    if tree is None:  # only None so far: a later pass knows more
        raise Abort
    return tree


def fit(value: Value, tree: TypeTree, node: ast.AST, frame: Frame) -> list[Expr]:
    """The scalars of a value, converted to a type."""
    try:
        return coerce(value, tree)
    except Mismatch as error:
        called = getattr(node, "value", None) if value == Static(None) else None
        hint = f"`{text_of(called.func)}` returns nothing" if isinstance(called, ast.Call) else ""
        raise frame.scope.fail("DIO103", node, str(error), hint) from None


def assign_annotated(node: ast.AnnAssign, frame: Frame) -> None:
    """Compile ``name: type = value``, which fixes the type of a local."""
    if not isinstance(node.target, ast.Name):
        raise frame.scope.fail("DIO102", node, "only locals are annotated")
    frame.storage.declare(frame.local(node.target.id), annotated_tree(node.annotation, frame.scope))
    if node.value is not None:
        assign(node.target, node.value, node, frame)


def assign_choice(target: ast.expr, call: ast.Call, node: ast.stmt, frame: Frame) -> None:
    """Compile ``target = choose(...)`` for one scalar target."""
    options = choice_options(call, frame)
    where: Target
    type_: ScalarType
    if isinstance(target, ast.Name):
        for value, _ in options:
            local_type(target.id, value, target, frame)
        found: Sequence[Target] = frame.storage.targets(frame.local(target.id))
    else:
        place = target_place(target, frame)
        found = leaves_to(place, frame.state.context.variables, frame.scope.span(target))
    if len(found) != 1:
        raise frame.scope.fail("DIO103", node, "choose gives one scalar")
    where, type_ = found[0], found[0].type
    listed = tuple(Option(_scalar(v, type_, call, frame), when) for v, when in options)
    exprs = [o.value for o in listed] + [o.when for o in listed if o.when is not None]
    seen = touched(frame.state.context, exprs, [where])
    assignment_weight(seen, frame, node)
    guards = touched(frame.state.context, [o.when for o in listed if o.when is not None])
    assignment_weight(guards, frame, node)  # whether there is an option decides whether the thread can continue
    warn_atomicity(seen, frame, node)
    frame.emit(Choose(where, listed, frame.scope.span(node)), node, Weight.STEP)


def _scalar(value: Value, type_: ScalarType, node: ast.AST, frame: Frame) -> Expr:
    try:
        return coerce_scalar(value, type_)
    except Mismatch as error:
        raise frame.scope.fail("DIO103", node, str(error)) from None


def choice_options(call: ast.Call, frame: Frame) -> list[tuple[Value, Expr | None]]:
    """The options of a `choose` call, each with its guard or None."""

    scope = frame.scope
    if call.keywords or not call.args:
        raise scope.fail("DIO111", call, "`choose` takes its options")
    first = call.args[0]
    if len(call.args) == 1 and isinstance(first, ast.GeneratorExp | ast.ListComp):
        found = [(v, None if c == TRUE else c) for _, v, c, _ in builtins.iterate(call, scope)]
    elif len(call.args) == 1:
        single = expressions.reference(first, scope)
        plain = isinstance(single, Scalar) or (isinstance(single, Static) and isinstance(single.value, bool | int))
        found = [(single, None)] if plain else [(v, None) for v in expressions.elements(single, first, scope)]
    else:
        found = [(expressions.value_of(a, scope), None) for a in call.args]
    if not found:
        raise scope.fail("DIO111", call, "`choose` has no options")
    return found
