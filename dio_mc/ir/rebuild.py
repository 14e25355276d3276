"""Rebuilding an expression with changed operands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from dio_mc.ir.expr import (
    And,
    Arith,
    AtLocation,
    Compare,
    Const,
    Expr,
    Implies,
    Ite,
    Load,
    Local,
    LocalOf,
    Me,
    Not,
    Or,
)  # fmt: skip


def rebuilt(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """A copy of the expression with `change` applied to each direct operand."""
    match expr:
        case Const() | Local() | Me() | AtLocation() | LocalOf():
            return expr
        case Load(_, indices):
            return replace(expr, indices=tuple(map(change, indices)))
        case Not(operand):
            return Not(change(operand))
        case And(operands):
            return And(tuple(map(change, operands)))
        case Or(operands):
            return Or(tuple(map(change, operands)))
        case Implies(premise, conclusion):
            return replace(expr, premise=change(premise), conclusion=change(conclusion))
        case Ite(condition, then, orelse):
            return replace(expr, condition=change(condition), then=change(then), orelse=change(orelse))
        case Compare(_, left, right) | Arith(_, left, right):
            return replace(expr, left=change(left), right=change(right))
        case _:
            assert_never(expr)
