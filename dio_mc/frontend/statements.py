"""Statements of thread bodies and operations -> nodes of the raw graph."""

from __future__ import annotations

import ast
import types
from collections.abc import Sequence

from dio_mc.frontend import assignment, blocks, branching, loops, words
from dio_mc.frontend.context import Abort
from dio_mc.frontend.frames import Frame
from dio_mc.frontend.graph import Node, Weight


def compile_body(statements: Sequence[ast.stmt], frame: Frame) -> None:
    """Compile the statements in order. A wrong statement is recorded and the rest is still compiled."""
    for statement in statements:
        try:
            compile_statement(statement, frame)
        except Abort:
            frame.scope.broken |= _assigned(statement)


def _assigned(node: ast.stmt) -> set[str]:
    """The locals that a wrong statement would have assigned."""
    match node:
        case ast.Assign(targets=targets):
            found = targets
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            found = [target]
        case _:
            return set()
    parts = [part for target in found for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def compile_statement(node: ast.stmt, frame: Frame) -> None:
    """Compile one statement."""
    match node:
        case ast.Pass():
            pass
        case ast.Expr(value=ast.Constant(value=str() | types.EllipsisType())):
            pass
        case ast.Expr(value=ast.Call() as call):
            words.call_statement(call, frame)
        case ast.Assign(targets=[target], value=value):
            assignment.assign(target, value, node, frame)
        case ast.Assign():
            assignment.assign_chained(node, frame)
        case ast.AnnAssign():
            assignment.assign_annotated(node, frame)
        case ast.AugAssign(target=target, op=op, value=value):
            combined = ast.copy_location(ast.BinOp(_as_load(target), op, value), node)
            assignment.assign(target, combined, node, frame)
        case ast.If():
            branching.if_statement(node, frame)
        case ast.While():
            loops.while_loop(node, frame)
        case ast.For():
            loops.for_loop(node, frame)
        case ast.Return():
            _return(node, frame)
        case ast.Break() | ast.Continue():
            loops.leave_loop(node, frame)
        case ast.Assert():
            words.assert_statement(node, frame)
        case ast.With():
            blocks.with_statement(node, frame)
        case _:
            uncalled = isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute)
            hint = f"call it: `{ast.unparse(node)}()`" if uncalled else ""
            raise frame.scope.fail("DIO102", node, f"{_statement_name(node)} is not supported in a model", hint)


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


def _return(node: ast.Return, frame: Frame) -> None:
    if node.value is not None:
        if frame.result == "":
            raise frame.scope.fail("DIO114", node, "a thread returns nothing")
        name = ast.copy_location(ast.Name("return", ast.Store()), node)
        assignment.assign(name, node.value, node, frame)
    for region in reversed(frame.windows):
        frame.graph.emit(Node(Weight.LOCAL, frame.site(node), leave=region))
    frame.graph.go_to(frame.exit)
