"""The compiled form of a property: its IR expression as a Python closure over one valuation of its support.

May be used only where z3 has proved the expression equivalent to the author's formula (`judge`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import assert_never

from dio_mc.errors import InternalError
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
)
from dio_mc.ir.program import Program
from dio_mc.semantics.contract import Probe
from dio_mc.semantics.layout import Layout

Valuation = tuple[int, ...]
Compiled = Callable[[Valuation], int]
_BINARY: Mapping[str, Callable[[int, int], int]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip


class Compiler:
    """Compiles property expressions of one program for one order of probes."""

    def __init__(self, program: Program, layout: Layout, probes: tuple[Probe, ...]) -> None:
        self._program = program
        self._layout = layout
        self._cells = {(p.cell, p.after): n for n, p in enumerate(probes) if p.cell is not None}
        self._control = {p.atom: n for n, p in enumerate(probes) if p.atom is not None}

    def compile(self, expr: Expr) -> Compiled:
        """A function from a valuation to the expression's value."""
        match expr:
            case Const(value):
                return lambda _: value
            case Load():
                return self._load(expr)
            case AtLocation():
                return operator.itemgetter(self._control[expr])
            case LocalOf(thread, index, _, after):
                return operator.itemgetter(self._cells[self._layout.local_base[thread] + index, after])
            case Not(operand):
                inner = self.compile(operand)
                return lambda v: not inner(v)
            case And(operands):
                every = [self.compile(o) for o in operands]
                return lambda v: all(part(v) for part in every)
            case Or(operands):
                some = [self.compile(o) for o in operands]
                return lambda v: any(part(v) for part in some)
            case Implies(premise, conclusion):
                given, then = self.compile(premise), self.compile(conclusion)
                return lambda v: not given(v) or then(v)
            case Ite(condition, then_, orelse):
                test, yes, no = self.compile(condition), self.compile(then_), self.compile(orelse)
                return lambda v: yes(v) if test(v) else no(v)
            case Compare(op, left, right) | Arith(op, left, right):
                return self._binary(_BINARY[op], self.compile(left), self.compile(right))
            case Local() | Me():
                raise InternalError("a property reads a running thread")
            case _:
                assert_never(expr)

    @staticmethod
    def _binary(function: Callable[[int, int], int], left: Compiled, right: Compiled) -> Compiled:
        return lambda v: function(left(v), right(v))

    def _load(self, load: Load) -> Compiled:
        """A cell, by position where the indexes are constants; an index outside reads the last element."""
        variable = self._program.variables[load.variable]
        base, shape = self._layout.variable_base[load.variable], variable.shape
        indices = [self.compile(i) for i in load.indices]
        cells, after = self._cells, load.after

        def position(v: Valuation) -> int:
            flat = 0
            for index, extent in zip(indices, shape, strict=True):
                at = index(v)
                flat = flat * extent + (at if 0 <= at < extent else extent - 1)
            return cells[base + flat, after]

        if all(isinstance(i, Const) for i in load.indices):
            return operator.itemgetter(position(()))
        return lambda v: v[position(v)]
