"""``crash()``: every other thread ends, and variables that are not durable get their initial values."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product

from dio_mc.errors import Diagnostic, did_you_mean
from dio_mc.frontend.context import Abort, Context, declared_durable
from dio_mc.frontend.declare import attribute_span
from dio_mc.frontend.frames import Frame
from dio_mc.frontend.graph import Weight
from dio_mc.ir.expr import Const, Expr
from dio_mc.ir.ops import Assign, Halt, StoreTo, Target
from dio_mc.ir.program import Variable
from dio_mc.ir.types import RangeType
from dio_mc.source import Span


def crash_statement(call: ast.Call, frame: Frame) -> None:
    """Compile ``crash()``, which is one step, or part of the surrounding atomic block."""
    if call.args or call.keywords:
        raise frame.scope.fail("DIO111", call, "`crash` takes nothing", "say what survives: `durable = (...)`")
    if frame.operations:
        hint = "a thread of its own crashes; `dio_mc.kernel.Crashes` has one"
        raise frame.scope.fail("DIO114", call, "`crash()` is for the body of a thread", hint)
    context = frame.state.context
    survives = durable(context)
    lost = [(n, v) for n, v in enumerate(context.variables) if not v.ghost and v.path[0] not in survives]
    kept = [v for v in context.variables if v.path[0] in survives and not v.any_init]
    if not kept:
        hint = 'name what survives: `durable = ("disk",)`'
        raise frame.scope.fail("DIO114", call, "nothing survives a crash: no variable is durable", hint)
    for _, variable in lost:
        if variable.any_init:
            name, hint = variable.path[0], "make it durable, or give it one initial value"
            raise frame.scope.fail("DIO114", call, f"`{name}` starts from any value: it has none after a crash", hint)
    span = frame.scope.span(call)
    frame.emit(Halt(span), call, Weight.STEP)
    targets, values = _reset(lost, span)
    if targets:
        frame.emit(Assign(tuple(targets), tuple(values), span), call, Weight.LOCAL)


def durable(context: Context) -> frozenset[str]:
    """The attributes that a model or one of its bases declares durable. Raises `Abort` for an unknown name, which is
    reported."""
    found: set[str] = set()
    known = [str(v.path[0]) for v in context.variables]
    for cls, names in zip(context.model.__mro__, context.ask(declared_durable), strict=True):
        for name in (names,) if isinstance(names, str) else names:
            if name not in known:
                span = attribute_span(cls, "durable")
                hint = did_you_mean(str(name), known)
                message = f"`durable` names {name!r}, which {context.model.__name__} does not have"
                context.diagnostics.add(Diagnostic("DIO109", message, span, hint))
                raise Abort
            found.add(name)
    return frozenset(found)


def _reset(lost: list[tuple[int, Variable]], span: Span) -> tuple[list[Target], list[Expr]]:
    targets: list[Target] = []
    values: list[Expr] = []
    for number, variable in lost:
        for code, indices in zip(variable.init, _places(variable), strict=True):
            targets.append(StoreTo(number, indices, variable.type, span))
            values.append(Const(code, variable.type))
    return targets, values


def _places(variable: Variable) -> Iterator[tuple[Expr, ...]]:
    for place in product(*(range(extent) for extent in variable.shape)):
        yield tuple(Const(i, RangeType(i, i)) for i in place)
