"""Statements that are a function of the language (``wait_until``, ``spawn``, ``require``, ``assert``) or a call."""

from __future__ import annotations

import ast

from dio_mc import lang
from dio_mc.frontend import branching, expressions
from dio_mc.frontend.crashing import crash_statement
from dio_mc.frontend.fences import FENCES, fence_statement
from dio_mc.frontend.frames import Frame, assignment_weight, is_word, touched, warn_atomicity
from dio_mc.frontend.graph import Node, Weight
from dio_mc.frontend.inlining import inline_call, spawn_arguments, stepping_call
from dio_mc.frontend.locking import lock_places, not_held
from dio_mc.frontend.values import Place
from dio_mc.ir.ops import Await, Check, FaultKind, Spawn
from dio_mc.lang.locks import Lock
from dio_mc.source import text_of


def call_statement(call: ast.Call, frame: Frame) -> None:
    """Compile a call for its effect: a function of the language, an operation, a method of a lock."""
    if is_word(call, lang.wait_until, frame):
        _wait_until(call, frame)
    elif is_word(call, lang.spawn, frame):
        _spawn(call, frame)
    elif is_word(call, lang.crash, frame):
        crash_statement(call, frame)
    elif any(is_word(call, word, frame) for word in FENCES):
        fence_statement(call, frame)
    elif is_word(call, lang.require, frame):
        _require(call, frame)
    elif is_word(call, lang.choose, frame):
        raise frame.scope.fail("DIO114", call, "the chosen value is not used", "write `x = choose(...)`")
    elif is_word(call, lang.atomic, frame) or is_word(call, lang.window, frame):
        raise frame.scope.fail("DIO114", call, "this word needs a block", f"write `with {text_of(call)}:`")
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


def _wait_until(call: ast.Call, frame: Frame) -> None:
    expr = branching.condition(_single(call, "wait_until", frame), frame)
    warn_atomicity(touched(frame.state.context, [expr]), frame, call)
    begin = not frame.inner and _spin_checks(frame)
    if begin:
        frame.emit(None, call, Weight.STEP)
    _check_not_spinning(call, frame)
    op = Await(expr, frame.scope.span(call))
    frame.graph.emit(Node(Weight.LOCAL if begin or frame.inner else Weight.STEP, frame.site(call), op))


def _spin_checks(frame: Frame) -> bool:
    """Whether a wait at this point sleeps, and the model has locks under which sleeping is not allowed."""
    part = frame.scope.receiver
    spins = isinstance(part, Place) and isinstance(part.part, Lock) and not part.part.sleeps
    return bool(frame.state.context.spinlocks) and not spins


def _check_not_spinning(call: ast.Call, frame: Frame) -> None:
    if not _spin_checks(frame):
        return
    for name, place in lock_places(frame.state.context):
        if name.split("[", maxsplit=1)[0] in frame.state.context.spinlocks:
            what = "spinlock " if isinstance(place.part, lang.SpinLock) else ""
            frame.check(not_held(place, frame), "lock_misuse", f"sleeps while holding {what}`{name}`", call)


def _require(call: ast.Call, frame: Frame) -> None:
    if len(call.args) != 2 or not isinstance(call.args[1], ast.Constant):
        raise frame.scope.fail("DIO111", call, "`require` takes a condition and a message")
    receiver = frame.scope.receiver
    if not isinstance(receiver, Place) or receiver.model:
        raise frame.scope.fail("DIO114", call, "`require` is for the methods of locks and parts", "use `assert`")
    expr = expressions.truth(call.args[0], frame.scope)
    message = f"`{receiver.name}` {call.args[1].value!s}"
    kind: FaultKind = "lock_misuse" if isinstance(receiver.part, Lock) else "misuse"
    frame.emit(Check(expr, kind, message, frame.caller or frame.scope.span(call)), call, Weight.STEP)


def assert_statement(node: ast.Assert, frame: Frame) -> None:
    """Compile ``assert condition, message``, a check that is a fault if it fails."""
    expr = expressions.truth(node.test, frame.scope)
    found = touched(frame.state.context, [expr])
    weight = Weight.STEP if found.shared_reads else Weight.GHOST if found.ghost_reads else Weight.LOCAL
    message = text_of(node.test)
    if node.msg is not None:
        if not (isinstance(node.msg, ast.Constant) and isinstance(node.msg.value, str)):
            raise frame.scope.fail("DIO103", node, "the message of an assert is a plain string")
        message = node.msg.value
    frame.emit(Check(expr, "assertion", message, frame.scope.span(node)), node, weight)


def _spawn(call: ast.Call, frame: Frame) -> None:

    template, exprs = spawn_arguments(call, frame)
    found = touched(frame.state.context, exprs)
    assignment_weight(found, frame, call)  # latched arguments must not depend on ghosts
    warn_atomicity(found, frame, call)
    frame.emit(Spawn(template, tuple(exprs), frame.scope.span(call)), call, Weight.STEP)
