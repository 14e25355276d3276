"""Loops of thread bodies. They are not unrolled: a back edge is a jump."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import lru_cache

from dio_mc.frontend import arithmetic, assignment, branching, expressions, statements
from dio_mc.frontend.context import Abort
from dio_mc.frontend.frames import Frame, Loop, assignment_weight, touched
from dio_mc.frontend.graph import Edge, Node, Weight
from dio_mc.frontend.values import Place, Scalar, Static, Value, load, scalar_of
from dio_mc.ir.expr import TRUE, Const, Expr, Local
from dio_mc.ir.ops import Assign, Target
from dio_mc.ir.types import RangeType
from dio_mc.source import text_of


def while_loop(node: ast.While, frame: Frame) -> None:
    """``while test: body else: orelse``."""
    graph = frame.graph
    head, end = graph.label(frame.site(node, "")), graph.label(frame.site(node, ""))
    graph.mark(head)
    expr = branching.test_expression(node.test, node, frame)
    if isinstance(expr, Const) and expr != TRUE:
        statements.compile_body(node.orelse, frame)
        graph.mark(end)
        return
    otherwise: list[Edge] = []
    if expr != TRUE:
        then, otherwise = branching.emit_branch(expr, node, frame, f"while {text_of(node.test)}")
        graph.dangling = then
    _body(node, head, end, frame)
    graph.dangling = otherwise
    statements.compile_body(node.orelse, frame)
    graph.mark(end)


def _body(node: ast.While | ast.For, head: int, end: int, frame: Frame) -> None:
    frame.loops.append(Loop(head, end, len(frame.windows)))
    statements.compile_body(node.body, frame)
    frame.loops.pop()
    frame.graph.go_to(head)


def leave_loop(node: ast.Break | ast.Continue, frame: Frame) -> None:
    """``break`` and ``continue`` close the windows opened inside the loop."""
    if not frame.loops:
        raise frame.scope.fail("DIO114", node, "outside a loop")
    loop = frame.loops[-1]
    for region in reversed(frame.windows[loop.windows :]):
        frame.graph.emit(Node(Weight.LOCAL, frame.site(node), leave=region))
    frame.graph.go_to(loop.exit if isinstance(node, ast.Break) else loop.head)


def for_loop(node: ast.For, frame: Frame) -> None:
    """Compile ``for name in range(...)``, with bounds that may be locals, or ``for name in`` a fixed sequence."""
    if not isinstance(node.target, ast.Name):
        raise frame.scope.fail("DIO102", node.target, "a loop binds one name")
    bounds = _range_bounds(node, frame)
    if bounds is None:
        found = expressions.reference(node.iter, frame.scope)
        values = expressions.elements(found, node.iter, frame.scope)
        _over(node, Static(0), Static(len(values)), 1, values, frame)
    else:
        start, stop, step = bounds
        _over(node, start, stop, step, None, frame)


def _range_bounds(node: ast.For, frame: Frame) -> tuple[Value, Value, int] | None:
    """Start, stop and step of ``for ... in range(...)``; a bare parameter means ``range(parameter)``."""
    call = node.iter
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range" and not call.keywords:
        values = [expressions.value_of(a, frame.scope) for a in call.args]
        if not 1 <= len(values) <= 3:
            raise frame.scope.fail("DIO111", call, "`range` takes one to three bounds")
    else:
        found = expressions.reference(call, frame.scope)
        if not (isinstance(found, Static) and isinstance(found.value, int) and not isinstance(found.value, bool)):
            return None
        values = [found]
    step = values[2] if len(values) == 3 else Static(1)
    if not isinstance(step, Static) or not isinstance(step.value, int) or step.value == 0:
        raise frame.scope.fail("DIO103", call, "the step of a range is a constant other than 0")
    start, stop = (Static(0), values[0]) if len(values) == 1 else (values[0], values[1])
    return start, stop, step.value


def _over(node: ast.For, start: Value, stop: Value, step: int, values: list[Value] | None, frame: Frame) -> None:
    assert isinstance(node.target, ast.Name)
    graph = frame.graph
    line = node.lineno - frame.tree.lineno
    counter = node.target.id if values is None and _may_count(node, frame.tree) else f"{node.target.id}@{line}"
    held = {f"stop@{line}": stop} | {f"item@{line}.{i}": v for i, v in enumerate(values or ())}
    held = {name: value for name, value in held.items() if _is_read(value)}
    _widen(counter, _reach(start, stop, step), frame)  # the first value gets the type of all: saves a pass
    _set({**held, counter: start}, node, frame)  # bounds or elements are read once, before the loop, in one step
    stop = _get(f"stop@{line}", frame) if f"stop@{line}" in held else stop
    if values is not None:
        values = [_get(f"item@{line}.{i}", frame) if _is_read(v) else v for i, v in enumerate(values)]
    reach = _reach(start, stop, step)
    if reach is None:
        raise frame.scope.fail("DIO103", node.iter, "the bounds of a range are numbers")
    _widen(counter, reach, frame)
    head, again, end = (graph.label(frame.site(node, "")) for _ in range(3))
    graph.mark(head)
    test = arithmetic.compare("<" if step > 0 else ">", _get(counter, frame), stop, node, frame.scope)
    then, otherwise = branching.emit_branch(test, node, frame, f"for {node.target.id}")
    graph.dangling = then
    if counter != node.target.id:
        _set({node.target.id: _element(values, counter, start, stop, step, node, frame)}, node, frame)
    _body(node, again, end, frame)
    graph.mark(again)
    following = arithmetic.combine("+", _get(counter, frame), Static(step), node, frame.scope)
    _set({counter: following}, node, frame, widen=False)
    graph.go_to(head)
    graph.dangling = otherwise
    statements.compile_body(node.orelse, frame)
    graph.mark(end)


def _is_read(value: Value) -> bool:
    """Whether a value is computed at run time, and not a constant or a lock."""
    return not isinstance(value, Static) and not (isinstance(value, Place) and value.part is not None)


@lru_cache(maxsize=1024)
def _may_count(node: ast.For, function: ast.FunctionDef) -> bool:
    """Whether the loop variable can serve as the counter: it is not assigned in the body or read after the loop."""
    assert isinstance(node.target, ast.Name)
    name = node.target.id
    inside = {id(n) for n in ast.walk(node)}
    for part in ast.walk(function):
        if isinstance(part, ast.Name) and part.id == name and part is not node.target:
            if isinstance(part.ctx, ast.Store) and id(part) in inside:
                return False
            if isinstance(part.ctx, ast.Load) and id(part) not in inside:
                return False
    return True


def _get(name: str, frame: Frame) -> Value:
    found = frame.locate(name)
    if found is None:
        raise Abort
    return found


def _set(values: dict[str, Value], node: ast.For, frame: Frame, *, widen: bool = True) -> None:
    """Assign to locals in one statement."""
    targets: list[Target] = []
    exprs: list[Expr] = []
    for name, value in values.items():
        if isinstance(value, Place):
            value = load(value, frame.state.context.variables, frame.scope.span(node.iter))
        if widen:
            assignment.local_type(name, value, node.iter, frame)
        exprs += assignment.fit(value, frame.storage.types[frame.local(name)], node, frame)
        targets += frame.storage.targets(frame.local(name))
    found = touched(frame.state.context, exprs, targets)
    weight = assignment_weight(found, frame, node)
    span = frame.scope.span(node.iter)
    frame.emit(
        Assign(tuple(targets), tuple(exprs), span),
        node,
        weight,
        f"for {text_of(node.target)} in {text_of(node.iter)}",
    )


def _reach(start: Value, stop: Value, step: int) -> RangeType | None:
    """The range of a counter, from start to the first value at or beyond stop; None if these are not numbers."""
    a, b = scalar_of(start), scalar_of(stop)
    if a is None or b is None or not isinstance(a.type, RangeType) or not isinstance(b.type, RangeType):
        return None
    low, high = min(a.type.low, b.type.low), max(a.type.high, b.type.high)
    if step > 0:
        return RangeType(a.type.low, max(a.type.high, high + step - 1))
    return RangeType(min(a.type.low, low + step + 1), a.type.high)


def _widen(name: str, reach: RangeType | None, frame: Frame) -> None:
    if reach is not None:
        frame.storage.assign(frame.local(name), Scalar(Const(reach.low, reach)))


def _element(
    values: list[Value] | None, counter: str, start: Value, stop: Value, step: int, node: ast.For, frame: Frame
) -> Value:
    """The value of the loop variable in the current iteration."""
    current = _get(counter, frame)
    if values is None:
        scalar, a, b = scalar_of(current), scalar_of(start), scalar_of(stop)
        assert scalar is not None
        assert a is not None
        assert b is not None
        assert isinstance(a.type, RangeType)
        assert isinstance(b.type, RangeType)
        low, high = (
            (a.type.low, max(a.type.low, b.type.high - 1))
            if step > 0
            else (min(a.type.high, b.type.low + 1), a.type.high)
        )
        assert isinstance(scalar.expr, Local)
        return Scalar(replace(scalar.expr, type=RangeType(low, high)))  # in the body it has not reached the bound
    found = values[-1]
    for position in range(len(values) - 2, -1, -1):
        test = arithmetic.compare("==", current, Static(position), node, frame.scope)
        found = expressions.conditional(node, test, values[position], found, frame.scope)
    return found
