"""z3's connectives in properties, as far as the IR has them."""

from __future__ import annotations

import ast

from dio_mc.frontend import expressions, logic
from dio_mc.frontend.builtins import generator_scopes
from dio_mc.frontend.context import Scope
from dio_mc.frontend.values import (
    Scalar,
    Value,
)
from dio_mc.ir.expr import TRUE, Compare, Expr


class SolverOnly(Exception):
    """A property uses something that only z3 can evaluate; the argument names it."""


def call_z3(name: str, node: ast.Call, scope: Scope) -> Value:
    """The value of a call of a z3 connective. Raises `SolverOnly` if the IR does not have the connective."""
    if not scope.in_property:
        raise scope.fail("DIO114", node, f"z3's `{name}` cannot stand in a thread body", "use Python's own operators")
    if name not in ("Implies", "And", "Or", "Not", "If", "Xor") or node.keywords:
        raise SolverOnly(f"z3.{name}")
    if name == "If":
        if len(node.args) != 3:
            raise scope.fail("DIO111", node, "`If` takes a condition and two values")
        test = expressions.truth(node.args[0], scope)
        then, orelse = (expressions.value_of(a, scope) for a in node.args[1:])
        return expressions.conditional(node, test, then, orelse, scope)
    return Scalar(_connective(name, [p for a in node.args for p in _truths(a, scope)], node, scope))


def _truths(node: ast.expr, scope: Scope) -> list[Expr]:
    """The conditions of an argument of And or Or, which may be a list."""
    if isinstance(node, ast.List | ast.Tuple):
        return [expressions.truth(e, scope) for e in node.elts]
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        scopes = generator_scopes(node.generators, TRUE, scope)
        if any(g.ifs for g in node.generators):
            raise SolverOnly("a filtered list")
        return [expressions.truth(node.elt, inner) for _, inner in scopes]
    return [expressions.truth(node, scope)]


def _connective(name: str, parts: list[Expr], node: ast.Call, scope: Scope) -> Expr:
    wanted = {"Implies": 2, "Not": 1, "Xor": 2}.get(name, len(parts))
    if len(parts) != wanted:
        raise scope.fail("DIO111", node, f"`{name}` takes {wanted} argument{'s' * (wanted != 1)}")
    match name:
        case "And":
            return logic.conjunction(parts)
        case "Or":
            return logic.disjunction(parts)
        case "Not":
            return logic.negation(parts[0])
        case "Xor":
            return Compare("!=", parts[0], parts[1])
        case _:
            return logic.implication(parts[0], parts[1], node, scope)
