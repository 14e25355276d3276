"""Replaces reads of data that no statement writes by constants; for example, the queue of a lock that no thread ever
joins."""

from __future__ import annotations

import operator
from collections.abc import Callable, Container
from dataclasses import replace
from typing import Final

from dio_mc.frontend import logic
from dio_mc.ir.expr import FALSE, TRUE, And, Compare, CompareOp, Const, Expr, Load, Me, Not, Or
from dio_mc.ir.ops import Assign, Await, Block, Branch, Check, Choose, Halt, LocalTo, Op, Option, Spawn, StoreTo, Target
from dio_mc.ir.program import Program
from dio_mc.ir.rebuild import rebuilt

_COMPARE: Final[dict[CompareOp, Callable[[int, int], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def constants(program: Program, but: Container[int] = ()) -> dict[int, int]:
    """The variables that no operation writes and whose elements all start with the same value, mapped to this value.
    Variables in `but` and variables with an arbitrary initial value are left out."""
    written = {
        target.variable
        for template in program.templates
        for block in template.blocks
        for op in block.ops
        for target in (op.targets if isinstance(op, Assign) else (op.target,) if isinstance(op, Choose) else ())
        if isinstance(target, StoreTo)
    }
    return {
        number: variable.init[0]
        for number, variable in enumerate(program.variables)
        if number not in written and number not in but and not variable.any_init and len(set(variable.init)) == 1
    }


def with_constants(program: Program, but: Container[int] = ()) -> Program:
    """The program in which each read of such a variable is replaced by its value, unless the variable is in `but` or an
    index of the read may be out of range. Comparisons and connectives of constants are simplified."""
    return _Folding(program, but).program


class _Folding:
    def __init__(self, program: Program, but: Container[int]) -> None:
        self._known = constants(program, but)
        self._shapes = [variable.shape for variable in program.variables]
        templates = tuple(replace(t, blocks=tuple(map(self._block, t.blocks))) for t in program.templates)
        properties = tuple(p if p.expr is None else replace(p, expr=self._expr(p.expr)) for p in program.properties)
        self.program = replace(program, templates=templates, properties=properties)

    def _block(self, block: Block) -> Block:
        end = block.terminator
        if isinstance(end, Branch):
            end = replace(end, condition=self._expr(end.condition))
        return replace(block, ops=tuple(map(self._op, block.ops)), terminator=end)

    def _op(self, op: Op) -> Op:
        match op:
            case Assign(targets, values):
                return replace(op, targets=tuple(map(self._target, targets)), values=tuple(map(self._expr, values)))
            case Await(condition) | Check(condition):
                return replace(op, condition=self._expr(condition))
            case Choose(target, options):
                chosen = tuple(Option(self._expr(o.value), o.when and self._expr(o.when)) for o in options)
                return replace(op, target=self._target(target), options=chosen)
            case Spawn(_, arguments):
                return replace(op, arguments=tuple(map(self._expr, arguments)))
            case Halt():
                return op

    def _target(self, target: Target) -> Target:
        if isinstance(target, LocalTo):
            return target
        assert isinstance(target, StoreTo)
        return replace(target, indices=tuple(map(self._expr, target.indices)))

    def _expr(self, expr: Expr) -> Expr:
        if isinstance(expr, Load) and expr.variable in self._known and self._cannot_fail(expr):
            return Const(self._known[expr.variable], expr.type)
        expr = rebuilt(expr, self._expr)
        match expr:
            case Compare(op, Const(left), Const(right)):
                return TRUE if _COMPARE[op](left, right) else FALSE
            case Not(operand):
                return logic.negation(operand)
            case And(operands):
                return logic.conjunction(operands)
            case Or(operands):
                return logic.disjunction(operands)
            case _:
                return expr

    def _cannot_fail(self, load: Load) -> bool:
        pairs = zip(load.indices, self._shapes[load.variable], strict=True)
        return load.total or all(isinstance(i, Me) or (isinstance(i, Const) and 0 <= i.value < n) for i, n in pairs)
