"""The possible values of an expression, given the possible values of cells and locals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Final, assert_never

from dio_mc.analysis.values.sets import (
    BOTH,
    NONE,
    Values,
    compared,
    computed,
    high,
    join,
    low,
    one,
    truths,
    without_zero,
)
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
    children,
)
from dio_mc.ir.ops import Assign, Choose, Target
from dio_mc.ir.program import Program
from dio_mc.semantics.layout import Layout

WHOLE: Final = 512
"""An access to more cells than this counts as one to the whole array."""


class Evaluator:
    """Evaluates over sets of values. It reads `cells` at the time of each call; the values of locals are arguments."""

    def __init__(self, program: Program, layout: Layout, cells: list[Values]) -> None:
        self.program = program
        self.layout = layout
        self.cells = cells

    def values(self, expr: Expr, locals_: Sequence[Values], me: int) -> Values:
        """The possible values of an expression; `locals_` are the possible values of the locals, `me` is the running
        thread."""
        match expr:
            case Const(value):
                return one(value)
            case Local(index):
                return locals_[index]
            case Me():
                return frozenset((me,))
            case Load():
                found = NONE
                for cell in self.addresses(expr.variable, expr.indices, locals_, me, total=expr.total):
                    found = join(found, self.cells[cell])
                return found
            case AtLocation():
                return BOTH
            case LocalOf(thread, index):
                return self.cells[self.layout.local_base[thread] + index]
            case Compare(op, left, right):
                return compared(op, self.values(left, locals_, me), self.values(right, locals_, me))
            case Arith(op, left, right):
                return computed(op, self.values(left, locals_, me), self.values(right, locals_, me))
            case Ite(condition, then, orelse):
                false, true = truths(self.values(condition, locals_, me))
                yes = self.values(then, locals_, me) if true else NONE
                return join(yes, self.values(orelse, locals_, me)) if false else yes
            case Not() | And() | Or() | Implies():
                return self._logic(expr, locals_, me)
            case _:
                assert_never(expr)

    def results(
        self, op: Assign | Choose, locals_: Sequence[Values], me: int
    ) -> tuple[tuple[Target, ...], list[Values]]:
        """The targets of an operation, and the possible values of each; for a choice, those of the options that may be
        open."""
        if isinstance(op, Assign):
            return op.targets, [self.values(value, locals_, me) for value in op.values]
        found: Values = NONE
        for option in op.options:
            if option.when is None or truths(self.values(option.when, locals_, me))[1]:
                found = join(found, self.values(option.value, locals_, me))
        return (op.target,), [found]

    def _logic(self, expr: Not | And | Or | Implies, locals_: Sequence[Values], me: int) -> Values:
        match expr:
            case Not(operand):
                false, true = truths(self.values(operand, locals_, me))
                return frozenset(([1] if false else []) + ([0] if true else []))
            case And(operands):
                return self._chain(operands, locals_, me, stops=0)
            case Or(operands):
                return self._chain(operands, locals_, me, stops=1)
            case Implies(premise, conclusion):
                return self._chain((Not(premise), conclusion), locals_, me, stops=1)
            case _:
                assert_never(expr)

    def _chain(self, operands: Sequence[Expr], locals_: Sequence[Values], me: int, stops: int) -> Values:
        """Evaluation from the left until an operand has the value `stops`."""
        found: set[int] = set()
        for operand in operands:
            ways = truths(self.values(operand, locals_, me))
            if ways[stops]:
                found.add(stops)
            if not ways[1 - stops]:
                return frozenset(found)
        return frozenset(found | {1 - stops})

    def addresses(
        self, variable: int, indices: tuple[Expr, ...], locals_: Sequence[Values], me: int, *, total: bool = False
    ) -> Sequence[int]:
        """The cells that an access may refer to."""
        declared, base = self.program.variables[variable], self.layout.variable_base[variable]
        ranges: list[list[int]] = []
        for index, extent in zip(indices, declared.shape, strict=True):
            values = self.values(index, locals_, me)
            inside = [v for v in range(extent) if v in values]
            if total and values and (low(values) < 0 or high(values) >= extent) and extent - 1 not in inside:
                inside.append(extent - 1)
            ranges.append(inside)
        if prod(len(r) for r in ranges) > WHOLE:
            return range(base, base + declared.size)
        found: list[int] = []
        for indexes in product(*ranges):
            offset = 0
            for index_, extent in zip(indexes, declared.shape, strict=True):
                offset = offset * extent + index_
            found.append(base + offset)
        return found

    def outside(self, variable: int, indices: tuple[Expr, ...], locals_: Sequence[Values], me: int) -> bool:
        """Whether an index may be outside its dimension."""
        shape = self.program.variables[variable].shape
        for index, extent in zip(indices, shape, strict=True):
            values = self.values(index, locals_, me)
            if values and (low(values) < 0 or high(values) >= extent):
                return True
        return False

    def faultless(self, expr: Expr, locals_: Sequence[Values], me: int) -> bool:
        """Whether evaluating the expression can never fault."""
        match expr:
            case Load():
                inner = all(self.faultless(i, locals_, me) for i in expr.indices)
                return inner and (expr.total or not self.outside(expr.variable, expr.indices, locals_, me))
            case Arith(op, left, right) if op in ("//", "%"):
                values = self.values(right, locals_, me)
                zero = bool(values) and without_zero(values) != values
                return not zero and self.faultless(left, locals_, me) and self.faultless(right, locals_, me)
            case _:
                return all(self.faultless(part, locals_, me) for part in children(expr))
