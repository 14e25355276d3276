"""Statements of thread bodies and operations -> nodes of the raw graph."""

from __future__ import annotations

import ast
import types
from collections.abc import Sequence

from dio_mc import lang
from dio_mc.frontend import expressions, loops
from dio_mc.frontend.annotations import annotated_tree
from dio_mc.frontend.calls import body_of
from dio_mc.frontend.context import Abort
from dio_mc.frontend.frames import Frame, assignment_weight, touched, warn_atomicity
from dio_mc.frontend.graph import Node, RegionKey, Weight
from dio_mc.frontend.inlining import inline_call, stepping_call
from dio_mc.frontend.shapes import ScalarTree, TypeTree
from dio_mc.frontend.storage import NoCommonType, NoneTree
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
from dio_mc.ir.expr import FALSE, Const, Expr
from dio_mc.ir.ops import Assign, Await, Check, Choose, Op, Option, Spawn, StoreTo, Target
from dio_mc.ir.types import ScalarType


def compile_body(statements: Sequence[ast.stmt], frame: Frame) -> None:
    """Each statement in order; a wrong one is recorded and the rest still looked at."""
    for statement in statements:
        try:
            compile_statement(statement, frame)
        except Abort:
            continue


def compile_statement(node: ast.stmt, frame: Frame) -> None:
    """One statement."""
    match node:
        case ast.Pass():
            pass
        case ast.Expr(value=ast.Constant(value=str() | types.EllipsisType())):
            pass
        case ast.Expr(value=ast.Call() as call):
            _call_statement(call, frame)
        case ast.Assign(targets=[target], value=value):
            assign(target, value, node, frame)
        case ast.Assign():
            _chained(node, frame)
        case ast.AnnAssign():
            _annotated(node, frame)
        case ast.AugAssign(target=target, op=op, value=value):
            combined = ast.copy_location(ast.BinOp(_as_load(target), op, value), node)
            assign(target, combined, node, frame)
        case ast.If():
            _if(node, frame)
        case ast.While():
            loops.while_loop(node, frame)
        case ast.For():
            loops.for_loop(node, frame)
        case ast.Return():
            _return(node, frame)
        case ast.Break() | ast.Continue():
            loops.leave_loop(node, frame)
        case ast.Assert():
            _assert(node, frame)
        case ast.With():
            _with(node, frame)
        case _:
            raise frame.scope.fail("DIO102", node, f"{_statement_name(node)} is not supported in a model")


def _statement_name(node: ast.stmt) -> str:
    names = {
        "FunctionDef": "a nested function", "ClassDef": "a nested class", "Try": "`try`", "Raise": "`raise`",
        "Delete": "`del`", "Global": "`global`", "Nonlocal": "`nonlocal`", "Import": "`import`",
        "ImportFrom": "`import`", "Match": "`match`", "AsyncFor": "`async for`", "AsyncWith": "`async with`",
        "Expr": "an expression without effect", "TryStar": "`try`", "AsyncFunctionDef": "a nested function",
    }  # fmt: skip
    return names.get(type(node).__name__, f"`{type(node).__name__}`")


def _as_load(target: ast.expr) -> ast.expr:
    clone = ast.parse(ast.unparse(target), mode="eval").body
    for part in ast.walk(clone):
        ast.copy_location(part, target)
    return clone


# --- assignment -------------------------------------------------------------------------------------------------------


def assign(target: ast.expr, value: ast.expr, node: ast.stmt, frame: Frame) -> None:
    """``target = value``, where value may be a call that takes steps or a choice."""
    if isinstance(value, ast.Call):
        if is_word(value, lang.choose, frame):
            _choose(target, value, node, frame)
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


def _chained(node: ast.Assign, frame: Frame) -> None:
    """``a = b = value`` is one statement: the value is found once, and stored in one step."""
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
    """One parallel assignment of values to targets."""
    where: list[Target] = []
    what: list[Expr] = []
    for target, value in zip(targets, values, strict=True):
        found, exprs = _one(target, value, node, frame)
        where += found
        what += exprs
    emit_assign(where, what, node, frame)


def emit_assign(where: Sequence[Target], what: Sequence[Expr], node: ast.stmt, frame: Frame) -> None:
    """The node for a parallel assignment, with the checks on what it touches."""
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
    """The shared data that an assignment writes."""
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
    """Widen a local so that it holds a value; its type."""
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
    if tree is None:  # only None so far: wait for the pass that knows more
        raise Abort
    return tree


def fit(value: Value, tree: TypeTree, node: ast.AST, frame: Frame) -> list[Expr]:
    """A value as the scalars of a type."""
    try:
        return coerce(value, tree)
    except Mismatch as error:
        raise frame.scope.fail("DIO103", node, str(error)) from None


def _annotated(node: ast.AnnAssign, frame: Frame) -> None:
    if not isinstance(node.target, ast.Name):
        raise frame.scope.fail("DIO102", node, "only locals are annotated")
    frame.storage.declare(frame.local(node.target.id), annotated_tree(node.annotation, frame.scope))
    if node.value is not None:
        assign(node.target, node.value, node, frame)


def _choose(target: ast.expr, call: ast.Call, node: ast.stmt, frame: Frame) -> None:
    """``target = choose(...)`` for one scalar target."""
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
    warn_atomicity(seen, frame, node)
    frame.emit(Choose(where, listed, frame.scope.span(node)), node, Weight.STEP)


def _scalar(value: Value, type_: ScalarType, node: ast.AST, frame: Frame) -> Expr:
    try:
        return coerce_scalar(value, type_)
    except Mismatch as error:
        raise frame.scope.fail("DIO103", node, str(error)) from None


def choice_options(call: ast.Call, frame: Frame) -> list[tuple[Value, Expr | None]]:
    """The options of a `choose` call, each with its guard or None."""
    from dio_mc.frontend.calls import iterate
    from dio_mc.ir.expr import TRUE

    scope = frame.scope
    if call.keywords or not call.args:
        raise scope.fail("DIO111", call, "`choose` takes its options")
    first = call.args[0]
    if len(call.args) == 1 and isinstance(first, ast.GeneratorExp | ast.ListComp):
        found = [(v, None if c == TRUE else c) for _, v, c, _ in iterate(call, scope)]
    elif len(call.args) == 1:
        single = expressions.reference(first, scope)
        plain = isinstance(single, Scalar) or (isinstance(single, Static) and isinstance(single.value, bool | int))
        found = [(single, None)] if plain else [(v, None) for v in expressions.elements(single, first, scope)]
    else:
        found = [(expressions.value_of(a, scope), None) for a in call.args]
    if not found:
        raise scope.fail("DIO111", call, "`choose` has no options")
    return found


# --- calls, conditions, returns ---------------------------------------------------------------------------------------


def is_word(node: ast.expr, word: object, frame: Frame) -> bool:
    """Whether a call's function is this word of the language."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return False
    if isinstance(node.func, ast.Name) and frame.locate(node.func.id) is not None:
        return False
    if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Name):
        return False
    if isinstance(node.func, ast.Attribute) and node.func.value.id == frame.tree.args.args[0].arg:  # type: ignore[attr-defined]
        return False
    found = expressions.reference(node.func, frame.scope)
    return isinstance(found, Static) and found.value is word


def _call_statement(call: ast.Call, frame: Frame) -> None:
    if is_word(call, lang.wait_until, frame):
        _wait_until(call, frame)
    elif is_word(call, lang.spawn, frame):
        _spawn(call, frame)
    elif is_word(call, lang.require, frame):
        _require(call, frame)
    elif is_word(call, lang.choose, frame):
        raise frame.scope.fail("DIO114", call, "the chosen value is not used", "write `x = choose(...)`")
    elif is_word(call, lang.atomic, frame) or is_word(call, lang.window, frame):
        raise frame.scope.fail("DIO114", call, "this word needs a block", f"write `with {ast.unparse(call)}:`")
    else:
        bound = stepping_call(call, frame)
        if bound is None:
            expressions.value_of(call, frame.scope)
            raise frame.scope.fail("DIO102", call, "this call has no effect", "it is a pure expression")
        inline_call(bound, call, frame)


def _single(call: ast.Call, word: str, frame: Frame) -> ast.expr:
    if len(call.args) != 1 or call.keywords:
        raise frame.scope.fail("DIO111", call, f"`{word}` takes one condition")
    return call.args[0]


def condition(node: ast.expr, frame: Frame) -> Expr:
    """A condition of the program; history may not decide it."""
    expr = expressions.truth(node, frame.scope)
    found = touched(frame.state.context, [expr])
    if found.ghost_reads and not frame.ghost:
        raise frame.scope.fail(
            "DIO112",
            node,
            f"ghost `{sorted(found.ghost_reads)[0]}` would influence the program",
            "a ghost may be read by ghost statements, asserts and properties only",
        )
    return expr


def _wait_until(call: ast.Call, frame: Frame) -> None:
    expr = condition(_single(call, "wait_until", frame), frame)
    warn_atomicity(touched(frame.state.context, [expr]), frame, call)
    begin = not frame.inner and _spin_checks(frame)
    if begin:
        frame.emit(None, call, Weight.STEP)
    _check_not_spinning(call, frame)
    op = Await(expr, frame.scope.span(call))
    frame.graph.emit(Node(Weight.LOCAL if begin or frame.inner else Weight.STEP, frame.site(call), op))


def _spin_checks(frame: Frame) -> bool:
    part = frame.scope.receiver
    in_spinlock = isinstance(part, Place) and isinstance(part.part, lang.SpinLock)
    return bool(frame.state.context.spinlocks) and not in_spinlock


def _check_not_spinning(call: ast.Call, frame: Frame) -> None:
    if not _spin_checks(frame):
        return
    from dio_mc.frontend.inlining import lock_places
    from dio_mc.frontend.locking import not_held

    for name, place in lock_places(frame.state.context):
        if isinstance(place.part, lang.SpinLock):
            frame.check(not_held(place, frame), "lock_misuse", f"sleeps while holding spinlock `{name}`", call)


def _require(call: ast.Call, frame: Frame) -> None:
    if len(call.args) != 2 or not isinstance(call.args[1], ast.Constant):
        raise frame.scope.fail("DIO111", call, "`require` takes a condition and a message")
    receiver = frame.scope.receiver
    if not isinstance(receiver, Place) or receiver.model:
        raise frame.scope.fail("DIO114", call, "`require` is for the methods of locks and parts", "use `assert`")
    expr = expressions.truth(call.args[0], frame.scope)
    message = f"`{receiver.name}` {call.args[1].value!s}"
    frame.emit(Check(expr, "lock_misuse", message, frame.scope.span(call)), call, Weight.STEP)


def _assert(node: ast.Assert, frame: Frame) -> None:
    expr = expressions.truth(node.test, frame.scope)
    found = touched(frame.state.context, [expr])
    weight = Weight.STEP if found.shared_reads else Weight.GHOST if found.ghost_reads else Weight.LOCAL
    message = ast.unparse(node.test)
    if node.msg is not None:
        if not (isinstance(node.msg, ast.Constant) and isinstance(node.msg.value, str)):
            raise frame.scope.fail("DIO103", node, "the message of an assert is a plain string")
        message = node.msg.value
    frame.emit(Check(expr, "assertion", message, frame.scope.span(node)), node, weight)


def _spawn(call: ast.Call, frame: Frame) -> None:
    from dio_mc.frontend.inlining import spawn_arguments

    template, exprs = spawn_arguments(call, frame)
    warn_atomicity(touched(frame.state.context, exprs), frame, call)
    frame.emit(Spawn(template, tuple(exprs), frame.scope.span(call)), call, Weight.STEP)


def is_ghost_statement(node: ast.stmt, frame: Frame) -> bool:
    """Whether a statement only writes history: it may then read history too."""
    match node:
        case ast.Pass():
            return True
        case ast.Assign(targets=targets):
            return all(_is_ghost_target(t, frame) for t in targets)
        case ast.AugAssign(target=target):
            return _is_ghost_target(target, frame)
        case ast.If(body=body, orelse=orelse):
            return all(is_ghost_statement(s, frame) for s in [*body, *orelse])
        case _:
            return False


def _is_ghost_target(target: ast.expr, frame: Frame) -> bool:
    while isinstance(target, ast.Subscript):
        target = target.value
    if isinstance(target, ast.Tuple):
        return all(_is_ghost_target(t, frame) for t in target.elts)
    while isinstance(target, ast.Attribute) and not isinstance(target.value, ast.Name):
        target = target.value.value if isinstance(target.value, ast.Subscript) else target.value
    if not isinstance(target, ast.Attribute):
        return False
    return any(v.ghost and v.path[0] == target.attr for v in frame.state.context.variables)


def _if(node: ast.If, frame: Frame) -> None:
    if is_ghost_statement(node, frame) and not all(isinstance(s, ast.Pass) for s in [*node.body, *node.orelse]):
        outer, frame.ghost = frame.ghost, True
        try:
            branch(node.test, node.body, node.orelse, node, frame)
        finally:
            frame.ghost = outer
        return
    branch(node.test, node.body, node.orelse, node, frame)


def branch(test: ast.expr, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt], node: ast.stmt, frame: Frame) -> None:
    """``if test: body else: orelse``; a constant test compiles one side only."""
    expr = test_expression(test, node, frame)
    if isinstance(expr, Const):
        compile_body(orelse if expr == FALSE else body, frame)
        return
    then, otherwise = emit_branch(expr, node, frame, f"if {ast.unparse(test)}")
    end = frame.graph.label(frame.site(node, ""))
    frame.graph.dangling = then
    compile_body(body, frame)
    frame.graph.go_to(end)
    frame.graph.dangling = otherwise
    compile_body(orelse, frame)
    frame.graph.mark(end)


def test_expression(test: ast.expr, node: ast.stmt, frame: Frame) -> Expr:
    """The condition of a branch; ``choose(...)`` makes it non-deterministic."""
    if isinstance(test, ast.Call) and is_word(test, lang.choose, frame):
        name = ast.copy_location(ast.Name(f"choice@{test.lineno}", ast.Load()), test)
        _choose(name, test, node, frame)
        return condition(name, frame)
    return condition(test, frame)


def emit_branch(
    expr: Expr, node: ast.stmt, frame: Frame, text: str
) -> tuple[list[tuple[int, bool]], list[tuple[int, bool]]]:
    """A branch node; its condition is a step when it reads shared state."""
    found = touched(frame.state.context, [expr])
    weight = Weight.STEP if found.shared_reads else Weight.LOCAL
    if frame.ghost:
        weight = Weight.GHOST
    elif weight is Weight.STEP:
        warn_atomicity(found, frame, node)
    actual = Weight.LOCAL if frame.inner else weight
    return frame.graph.branch(Node(actual, frame.site(node, text), condition=expr))


def _return(node: ast.Return, frame: Frame) -> None:
    if node.value is not None:
        if frame.result == "":
            raise frame.scope.fail("DIO114", node, "a thread returns nothing")
        name = ast.copy_location(ast.Name("return", ast.Store()), node)
        assign(name, node.value, node, frame)
    for region in reversed(frame.windows):
        frame.graph.emit(Node(Weight.LOCAL, frame.site(node), leave=region))
    frame.graph.go_to(frame.exit)


# --- blocks -----------------------------------------------------------------------------------------------------------


def _with(node: ast.With, frame: Frame) -> None:
    if len(node.items) != 1 or node.items[0].optional_vars is not None:
        raise frame.scope.fail("DIO102", node, "write one `with atomic():` or `with window(name):` at a time")
    head = node.items[0].context_expr
    if is_word(head, lang.atomic, frame):
        _atomic(node, frame)
    elif is_word(head, lang.window, frame):
        assert isinstance(head, ast.Call)
        _window(node, head, frame)
    else:
        raise frame.scope.fail("DIO102", node, "`with` takes atomic() or window(name)")


def _atomic(node: ast.With, frame: Frame) -> None:
    if frame.inner:
        compile_body(node.body, frame)
        return
    text = "; ".join(ast.unparse(s) for s in node.body)
    frame.emit(None, node, Weight.STEP, text)
    frame.inner = True
    try:
        compile_body(node.body, frame)
    finally:
        frame.inner = False
    frame.graph.emit(Node(Weight.LOCAL, frame.site(node, "")))


def _window(node: ast.With, head: ast.Call, frame: Frame) -> None:
    if len(head.args) != 1 or not isinstance(head.args[0], ast.Constant) or not isinstance(head.args[0].value, str):
        raise frame.scope.fail("DIO111", head, "`window` takes its name as a plain string")
    if frame.inherited:  # called from an atomic block: the window opens and closes within one step
        compile_body(node.body, frame)
        return
    if frame.inner:
        raise frame.scope.fail(
            "DIO114", node, "a window inside an atomic block is never seen open", "put the atomic block inside"
        )
    key = RegionKey(head.args[0].value, frame.arguments, frame.state.regions)
    frame.state.regions += 1
    frame.graph.emit(Node(Weight.LOCAL, frame.site(node, ""), enter=key))
    frame.windows.append(key)
    compile_body(node.body, frame)
    frame.windows.pop()
    frame.graph.emit(Node(Weight.LOCAL, frame.site(node, ""), leave=key))


__all__ = ["NoneTree", "Op", "ScalarTree", "StoreTo", "body_of"]
