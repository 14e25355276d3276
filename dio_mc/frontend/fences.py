"""Barriers, and loads and stores with barrier semantics, in programs with store buffers."""

from __future__ import annotations

import ast
from typing import Final

from dio_mc import lang
from dio_mc.frontend import expressions
from dio_mc.frontend.context import Context, Scope
from dio_mc.frontend.frames import Frame, is_word
from dio_mc.frontend.graph import Node, Weight
from dio_mc.frontend.values import Place, Value
from dio_mc.frontend.weak import Buffers
from dio_mc.ir.expr import Expr, Not
from dio_mc.ir.ops import Assign, Await, Op
from dio_mc.ir.program import ScalarShape
from dio_mc.source import Span

FENCES: Final = (lang.smp_mb, lang.smp_wmb, lang.smp_rmb, lang.smp_store_release)
"""The barriers that are statements."""


def fence_statement(call: ast.Call, frame: Frame) -> None:
    """Compile one of `FENCES`."""
    word = next(one for one in FENCES if is_word(call, one, frame))
    buffers = _buffers(frame.state.context, frame.scope, call, word.__name__)
    if word is lang.smp_store_release:
        _release(call, buffers, frame)
        return
    if call.args or call.keywords:
        raise frame.scope.fail("DIO111", call, f"`{word.__name__}` takes nothing")
    if word is lang.smp_mb:
        frame.emit(Await(buffers.empty(buffers.me()), frame.scope.span(call)), call, Weight.STEP)
    elif word is lang.smp_wmb and buffers.reorders:
        frame.emit(_fence(buffers, frame.scope.span(call)), call, Weight.STEP)


def _release(call: ast.Call, buffers: Buffers, frame: Frame) -> None:
    from dio_mc.frontend.assignment import store

    if len(call.args) != 2 or call.keywords:
        raise frame.scope.fail("DIO111", call, "`smp_store_release` takes a variable and a value")
    _relaxed(call.args[0], buffers, frame.scope)
    value = expressions.value_of(call.args[1], frame.scope)
    if not buffers.reorders:
        store([call.args[0]], [value], call, frame, [call.args[1]])  # type: ignore[arg-type]  # any node will do
        return
    outer = frame.inner
    if not outer:
        frame.graph.emit(Node(Weight.STEP, frame.site(call)))
    frame.inner = True
    frame.emit(_fence(buffers, frame.scope.span(call)), call, Weight.STEP)
    store([call.args[0]], [value], call, frame, [call.args[1]])  # type: ignore[arg-type]  # any node will do
    frame.inner = outer


def acquired(call: ast.Call, scope: Scope) -> Value:
    """The value of ``smp_load_acquire(self.ready)``."""
    buffers = _buffers(scope.context, scope, call, "smp_load_acquire")
    if len(call.args) != 1 or call.keywords:
        raise scope.fail("DIO111", call, "`smp_load_acquire` takes a variable")
    _relaxed(call.args[0], buffers, scope)
    return expressions.value_of(call.args[0], scope)


def _fence(buffers: Buffers, span: Span | None) -> Op:
    """An assignment after which the next store reaches memory after those that are in the buffer."""
    me = buffers.me()
    waiting: Expr = Not(buffers.empty(me))
    return Assign((buffers.store(buffers.fence, me),), (waiting,), span)


def _relaxed(node: ast.expr, buffers: Buffers, scope: Scope) -> None:
    place = expressions.reference(node, scope)
    known = (
        isinstance(place, Place) and isinstance(place.shape, ScalarShape) and place.shape.variable in buffers.relaxed
    )
    if not known:
        hint = 'declare it with `ordering="relaxed"`; all others are in order anyway'
        raise scope.fail("DIO114", node, "this is not a relaxed variable", hint)


def _buffers(context: Context, scope: Scope, node: ast.AST, word: str) -> Buffers:
    if not isinstance(context.buffers, Buffers):
        hint = 'declare a variable with `ordering="relaxed"`'
        raise scope.fail("DIO114", node, f"`{word}` orders nothing: no variable is relaxed", hint)
    return context.buffers
