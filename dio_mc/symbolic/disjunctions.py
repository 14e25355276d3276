"""The premises of ``not P or Q``: another spelling of ``Implies(P, Q)``, and as vacuous if P never holds. So are
``a == False or Q``, ``Q if P else True`` and ``True if not P else Q``.

Only what a formula asserts is examined: the formula itself, the parts of its conjunctions (each instance of an
``all``), the conclusion of an implication, the remaining operands of a disjunction, and the branches of a conditional.
There, the leading operands of a disjunction that have the form ``not P`` or ``a != b`` are its premises, except the
last operand: the formula constrains only states where each of them is false. Later operands of this form may be what is
claimed, as in ``not P or clean or not broken``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

from dio_mc.ir.expr import FALSE, TRUE, And, Compare, Expr, Implies, Ite, Not, Or


def premises_of_disjunctions(formula: Expr) -> list[Expr]:
    """One conjunction of premises for each disjunction that has some."""
    return list(_asserted(formula))


def _asserted(formula: Expr) -> Iterator[Expr]:
    match formula:
        case And(operands):
            for operand in operands:
                yield from _asserted(operand)
        case Or(operands):
            yield from _of_disjunction(operands)
        case Implies(_, conclusion):
            yield from _asserted(conclusion)
        case Ite(condition, then, orelse):
            if orelse == TRUE or then == TRUE:
                yield And((condition if orelse == TRUE else Not(condition),))
            yield from _asserted(then)
            yield from _asserted(orelse)
        case _:
            pass


def _of_disjunction(operands: tuple[Expr, ...]) -> Iterator[Expr]:
    leading = list(takewhile(lambda premise: premise is not None, map(_negated, operands)))
    count = min(len(leading), len(operands) - 1)
    if count:
        yield And(tuple(premise for premise in leading[:count] if premise is not None))
    for operand in operands[count:]:
        yield from _asserted(operand)


def _negated(operand: Expr) -> Expr | None:
    match operand:
        case Not(inner):
            return inner
        case Compare("!="):
            return replace(operand, op="==")
        case Compare("==", inner, value) if value == FALSE:
            return inner
        case _:
            return None
