"""Conditions and branches, and which of them only concern history (ghosts)."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dio_mc import lang
from dio_mc.frontend import assignment, expressions, statements
from dio_mc.frontend.frames import Frame, is_word, touched, warn_atomicity
from dio_mc.frontend.graph import Node, Weight
from dio_mc.ir.expr import FALSE, Const, Expr
from dio_mc.source import text_of


def condition(node: ast.expr, frame: Frame) -> Expr:
    """A condition of the program, which must not depend on history."""
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


def is_ghost_statement(node: ast.stmt, frame: Frame) -> bool:
    """Whether a statement only writes history; such a statement may also read history."""
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


def if_statement(node: ast.If, frame: Frame) -> None:
    """Compile ``if``. One that only writes history is not a step, and may read history."""
    if is_ghost_statement(node, frame) and not all(isinstance(s, ast.Pass) for s in [*node.body, *node.orelse]):
        outer, frame.ghost = frame.ghost, True
        try:
            branch(node.test, node.body, node.orelse, node, frame)
        finally:
            frame.ghost = outer
        return
    branch(node.test, node.body, node.orelse, node, frame)


def branch(test: ast.expr, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt], node: ast.stmt, frame: Frame) -> None:
    """Compile ``if test: body else: orelse``. With a constant test only one side is compiled."""
    expr = test_expression(test, node, frame)
    if isinstance(expr, Const):
        statements.compile_body(orelse if expr == FALSE else body, frame)
        return
    then, otherwise = emit_branch(expr, node, frame, f"if {text_of(test)}")
    end = frame.graph.label(frame.site(node, ""))
    frame.graph.dangling = then
    statements.compile_body(body, frame)
    frame.graph.go_to(end)
    frame.graph.dangling = otherwise
    statements.compile_body(orelse, frame)
    frame.graph.mark(end)


def test_expression(test: ast.expr, node: ast.stmt, frame: Frame) -> Expr:
    """The condition of a branch; ``choose(...)`` makes it non-deterministic."""
    if isinstance(test, ast.Call) and is_word(test, lang.choose, frame):
        name = ast.copy_location(ast.Name(f"choice@{test.lineno}", ast.Load()), test)
        assignment.assign_choice(name, test, node, frame)
        return condition(name, frame)
    return condition(test, frame)


def emit_branch(
    expr: Expr, node: ast.stmt, frame: Frame, text: str
) -> tuple[list[tuple[int, bool]], list[tuple[int, bool]]]:
    """Emit a branch node; the condition is a step if it reads shared state. Returns the dangling edges of both
    sides."""
    found = touched(frame.state.context, [expr])
    weight = Weight.STEP if found.shared_reads else Weight.LOCAL
    if frame.ghost:
        weight = Weight.GHOST
    elif weight is Weight.STEP:
        warn_atomicity(found, frame, node)
    actual = Weight.LOCAL if frame.inner else weight
    return frame.graph.branch(Node(actual, frame.site(node, text), condition=expr))
