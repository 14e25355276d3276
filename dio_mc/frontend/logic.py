"""``and``, ``or``, ``not`` and ``Implies`` over IR conditions, with constant folding."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dio_mc.frontend.context import Scope
from dio_mc.ir.expr import FALSE, TRUE, And, Const, Expr, Implies, Not, Or


def conjunction(parts: Sequence[Expr]) -> Expr:
    """``and`` with constant folding."""
    flat = [p for part in parts for p in (part.operands if isinstance(part, And) else (part,)) if p != TRUE]
    if FALSE in flat:
        flat = flat[: flat.index(FALSE) + 1]
        if len(flat) == 1:
            return FALSE
    return TRUE if not flat else flat[0] if len(flat) == 1 else And(tuple(flat))


def disjunction(parts: Sequence[Expr]) -> Expr:
    """``or`` with constant folding."""
    flat = [p for part in parts for p in (part.operands if isinstance(part, Or) else (part,)) if p != FALSE]
    if TRUE in flat:
        flat = flat[: flat.index(TRUE) + 1]
        if len(flat) == 1:
            return TRUE
    return FALSE if not flat else flat[0] if len(flat) == 1 else Or(tuple(flat))


def negation(expr: Expr) -> Expr:
    """``not`` with constant folding."""
    if isinstance(expr, Const):
        return FALSE if expr.value else TRUE
    return expr.operand if isinstance(expr, Not) else Not(expr)


def implication(premise: Expr, conclusion: Expr, node: ast.AST, scope: Scope) -> Expr:
    """``Implies``. It is never folded, because it is observed whether its premise holds."""
    return Implies(premise, conclusion, scope.span(node))
