"""Calls that take steps: operations and methods of locks are inlined where they are called; spawns start threads."""

from __future__ import annotations

import ast
from functools import lru_cache

from dio_mc.frontend import attributes, expressions
from dio_mc.frontend.calls import bind_arguments, body_of, is_pure, without_self, wrong_call
from dio_mc.frontend.context import Abort, NeverReturns, Scope, final
from dio_mc.frontend.frames import Frame
from dio_mc.frontend.graph import Node, RegionKey, Weight
from dio_mc.frontend.recursion import Entered, check_bounded, depth_of, level_of
from dio_mc.frontend.spawning import SpawnTarget
from dio_mc.frontend.values import Bound, Place, Static, Super, Value, load, scalar_of
from dio_mc.ir.expr import FALSE, Expr
from dio_mc.ir.ops import Target
from dio_mc.lang.model import ROLE, Model, OperationRole, ThreadRole, anchor_of
from dio_mc.source import function_tree, stored_names, text_of


def stepping_call(call: ast.Call, frame: Frame) -> Bound | None:
    """The method that a call inlines, or None if the call is a pure expression."""
    if not isinstance(call.func, ast.Attribute):
        return None
    base = call.func.value
    if isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id == "super":
        found: Value = _super_method(call, frame)
    else:
        found = expressions.reference(call.func, frame.scope)
    if not isinstance(found, Bound) or found.owner is Model or is_pure(found.function):
        return None
    return found


def _super_method(call: ast.Call, frame: Frame) -> Value:
    receiver = frame.scope.receiver
    if not isinstance(receiver, Place):
        raise frame.scope.fail("DIO102", call, "super() has no meaning here")
    assert isinstance(call.func, ast.Attribute)
    base = call.func.value
    if isinstance(base, ast.Call) and (base.args or base.keywords):
        hint = f"for the operation of a class further up write `Base.{call.func.attr}(self, ...)`"
        raise frame.scope.fail("DIO102", base, "super() with arguments is not supported", hint)
    return attributes.super_attribute(receiver, frame.scope.owner, call.func, frame.scope)


def inline_call(bound: Bound, call: ast.Call, frame: Frame) -> Value:
    """Inline a call at the current point; returns its result (the value None if it returns nothing)."""
    tree = _inlinable(bound, call, frame)
    inner = _frame(bound, tree, call, frame)
    atomic = bool(getattr(bound.function, "__dio_atomic__", False)) and not frame.inner
    outer = frame.inner
    frame.inner = outer or (atomic and inner.scope.call_site is not None)
    if frame.inner and not outer:  # a lock's method is one statement: its arguments are read in the same step
        frame.graph.emit(Node(Weight.STEP, frame.site(call)))
    try:
        _bind(bound, tree, call, frame, inner)
    finally:
        begun, frame.inner = frame.inner, outer
    _check_depth(bound, call, frame)
    region = _enter(bound, inner, call)
    if atomic and not begun:
        text = "\n".join(text_of(statement) for statement in body_of(tree))
        frame.graph.emit(Node(Weight.STEP, inner.site(tree, text or bound.name)))
    inner.inner = inner.inner or atomic
    from dio_mc.frontend.statements import compile_body

    compile_body(body_of(tree), inner)
    frame.graph.mark(inner.exit)
    if region is not None:
        frame.graph.emit(Node(Weight.LOCAL, inner.site(tree, ""), leave=region))
    return _result(inner, tree)


def _inlinable(bound: Bound, call: ast.Call, frame: Frame) -> ast.FunctionDef:
    role = getattr(bound.function, ROLE, None)
    if isinstance(role, ThreadRole) or (role is not None and not isinstance(role, OperationRole)):
        hint = "what both threads do goes into an @operation" if isinstance(role, ThreadRole) else ""
        kind = "a thread" if isinstance(role, ThreadRole) else "a property"
        raise frame.scope.fail("DIO114", call, f"`{bound.name}` is {kind}, and only operations are called", hint)
    check_bounded(bound, call, frame)
    tree = function_tree(bound.function)
    if tree is None:
        raise frame.scope.fail("DIO118", call, f"the source of `{bound.name}` cannot be read")
    if not tree.args.args:
        raise wrong_call(bound.function, tree, call, frame.scope, "does not take `self`")
    return tree


def _check_depth(bound: Bound, call: ast.Call, frame: Frame) -> None:
    """End in a fault here, with the arguments evaluated, if this call is deeper than the operation may call itself."""
    depth = depth_of(bound, frame)
    if depth is None or level_of(bound, frame) <= depth:
        return
    frame.check(FALSE, "recursion", f"`{bound.name}` calls itself deeper than {depth}", call)
    frame.graph.emit(Node(Weight.LOCAL, frame.site(call), end=True))
    raise NeverReturns


def _frame(bound: Bound, tree: ast.FunctionDef, call: ast.Call, frame: Frame) -> Frame:
    receiver = bound.receiver
    is_part = isinstance(receiver, Place) and receiver.part is not None
    if is_part:
        assert isinstance(receiver, Place)
        frame.state.touched_locks[receiver.name.split("[", maxsplit=1)[0]] = None
    library = bound.owner.__module__.startswith("dio_mc.lang")
    site = frame.scope.span(call) if library else frame.scope.call_site
    called_at = frame.scope.call_from(call, bound.owner)
    scope = Scope(
        frame.state.context, bound.function, bound.owner, {}, receiver, call_site=site, called_at=called_at
    )  # fmt: skip
    overridden = not is_part and _is_overridden(bound, frame)
    name = f"{bound.owner.__name__}.{bound.name}" if overridden or is_part else bound.name
    level = level_of(bound, frame)
    own = name if level == 1 else f"{name}#{level}"  # each call that is under way has its own locals
    prefix = f"{receiver.name}.{bound.name}." if is_part and isinstance(receiver, Place) else f"{own}."
    line = int(call.lineno) - frame.tree.lineno
    about = bound.name, bound.function
    anchor = anchor_of(bound.owner, *about) if is_part else frame.state.context.ask(anchor_of, *about)
    path = f"{frame.path}+{line}" if site else f"{frame.path}+{line}/{name}"
    operations = frame.operations if is_part else (*frame.operations, bound.name)
    entered = Entered(bound.function, depth_of(bound, frame) is not None)
    inner = Frame(
        frame.state, scope, tree, prefix, f"{prefix}return", frame.graph.label(frame.site(call, "")), operations,
        anchor or frame.anchor, path, (*frame.stack, entered), frame.inner, frame.inner, frame.ghost,
        said=frame.said or (text_of(call) if is_part or library else ""),
        shown=frame.shown if is_part else (*frame.shown, ()),
        anchors=frame.anchors if is_part else (*frame.anchors, anchor or frame.anchor),
        caller=frame.caller or (frame.scope.span(call) if is_part else None),
    )  # fmt: skip
    scope.locate = inner.locate
    return inner


def _is_overridden(bound: Bound, frame: Frame) -> bool:
    return frame.state.context.ask(final, bound.name) is not bound.function


def _bind(bound: Bound, tree: ast.FunctionDef, call: ast.Call, frame: Frame, inner: Frame) -> None:
    """Assign the arguments to locals of the callee; compile-time objects and places are bound without a local."""
    from dio_mc.frontend.assignment import emit_assign, fit, local_type

    values = bind_arguments(bound.function, tree, True, without_self(bound, call, frame.scope), frame.scope)
    inner.scope.bindings[tree.args.args[0].arg] = bound.receiver
    assigned = stored_names(tree)
    latched: list[tuple[str, str]] = []
    shown: list[tuple[str, str]] = []
    targets: list[Target] = []
    exprs: list[Expr] = []
    for name, value in values.items():
        if _stays(value, name in assigned, inner):
            inner.scope.bindings[name] = value
            shown.append(("", value.name if isinstance(value, Place) else name))
            continue
        if isinstance(value, Place):
            value = load(value, frame.state.context.variables, frame.scope.span(call))
        exprs += fit(value, local_type(name, value, call, inner), call, frame)
        targets += inner.storage.targets(inner.local(name))
        is_scalar = scalar_of(value) is not None or isinstance(value, Static)
        if is_scalar:
            latched.append((name, inner.local(name)))
        shown.append((inner.local(name) if is_scalar else "", name))
    if targets:  # one statement, so one step
        emit_assign(targets, exprs, call, frame)  # type: ignore[arg-type]  # any node will do
    inner.arguments = tuple(latched)
    if len(inner.operations) > len(frame.operations):
        inner.shown = (*frame.shown, tuple(shown))


def _stays(value: Value, assigned: bool, inner: Frame) -> bool:
    """Whether an argument needs no local: constants passed to methods of locks, classes, strings, locks and other
    parts, methods."""
    if assigned:
        return False
    if isinstance(value, Static):
        return inner.scope.call_site is not None or (scalar_of(value) is None and value.value is not None)
    if isinstance(value, Place):
        return value.part is not None
    return isinstance(value, Bound | Super)


def _enter(bound: Bound, inner: Frame, call: ast.Call) -> RegionKey | None:
    state = inner.state
    if bound.name not in state.asked_operations or not isinstance(bound.receiver, Place) or not bound.receiver.model:
        return None
    key = RegionKey(f"{bound.name}()", inner.arguments, state.regions, window=False)
    state.regions += 1
    inner.graph.emit(Node(Weight.LOCAL, inner.site(call, ""), enter=key))
    return key


@lru_cache(maxsize=512)
def _returns_something(tree: ast.FunctionDef) -> bool:
    return any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(tree))


def _result(inner: Frame, tree: ast.FunctionDef) -> Value:
    if not _returns_something(tree):
        return Static(None)
    found = inner.storage.read(inner.result)
    if found is None:
        if inner.result in inner.storage.pending_none:
            return Static(None)
        raise Abort
    return found


def spawn_arguments(call: ast.Call, frame: Frame) -> tuple[int, list[Expr]]:
    """The spawned template and the argument values of ``spawn(self.operation, ...)``."""
    if not call.args or call.keywords:
        raise frame.scope.fail("DIO111", call, "`spawn` takes an operation and its arguments")
    if isinstance(call.args[0], ast.Call):
        given = [text_of(call.args[0].func), *map(text_of, call.args[0].args)]
        hint = f"`spawn` calls it: `spawn({', '.join(given)})`"
        raise frame.scope.fail("DIO111", call.args[0], "`spawn` takes an operation, not a call of it", hint)
    found = expressions.reference(call.args[0], frame.scope)
    if not isinstance(found, Bound) or not isinstance(getattr(found.function, ROLE, None), OperationRole):
        raise frame.scope.fail("DIO103", call.args[0], "`spawn` starts an operation of the model")
    if found.explicit:
        hint = "write an operation of this class that calls it"
        raise frame.scope.fail("DIO103", call.args[0], "`spawn` starts operations as the model has them", hint)
    context = frame.state.context
    tree = function_tree(found.function)
    assert tree is not None
    plain = ast.copy_location(ast.Call(call.func, call.args[1:], []), call)
    values = bind_arguments(found.function, tree, True, plain, frame.scope)
    spawned: SpawnTarget = context.spawned[found.name]
    return spawned.template, [spawned.latch(name, value, call, frame) for name, value in values.items()]
