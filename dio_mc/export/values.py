"""Symbolic runs of a step, and the values of expressions in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from dio_mc.export.terms import Read, Term, combine, conj, disj, interval, neg, select
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
from dio_mc.ir.ops import Target
from dio_mc.ir.program import Program
from dio_mc.ir.types import bounds
from dio_mc.semantics.layout import Layout, layout_of


@dataclass(frozen=True, slots=True)
class Fault:
    """How a run fails: the name that a check reports, and the details."""

    name: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a run continues after the prefix of a thread that it has spawned."""

    thread: int
    block: int
    op: int


@dataclass(frozen=True, slots=True)
class Run:
    """A symbolic run: its position, the guard assumed so far, the cells assigned, and the known values of terms
    (`facts`)."""

    thread: int
    block: int
    op: int
    guard: tuple[Term, ...] = ()
    cells: Mapping[int, Term] = field(default_factory=dict)
    facts: Mapping[Term, int] = field(default_factory=dict)
    frames: tuple[Frame, ...] = ()
    blocks: int = 0

    def assume(self, condition: Term) -> Run | None:
        """The run under a further condition; None if that contradicts what is known."""
        guard = conj([*self.guard, condition])
        if guard == 0:
            return None
        facts = dict(self.facts)
        for one in guard.operands if not isinstance(guard, int | Read) and guard.operator == "and" else (guard,):
            match one:
                case Read():
                    facts[one] = 1
                case int():
                    pass
                case _ if one.operator == "==" and isinstance(one.operands[1], int):
                    facts[one.operands[0]] = one.operands[1]
                case _ if one.operator == "not":
                    facts[one.operands[0]] = 0
        return replace(self, guard=(guard,), facts=facts)


def property_term(program: Program, expr: Expr, after: Mapping[int, Term] | None = None) -> Term:
    """A property as a term over the cells; `after` holds the cells that a step changes."""
    maker = Values(program)
    return maker.value(expr, Run(-1, 0, 0, cells=after or {}), before=Run(-1, 0, 0))[0]


class Values:
    """The values of expressions as terms over the cells."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.layout: Layout = layout_of(program)
        self.bounds = [bounds(type_) for type_ in self.layout.types]

    def read(self, cell: int, run: Run) -> Term:
        """The value of a cell at this point of the run; a number if it can have only one value."""
        low, high = self.bounds[cell]
        if low == high:
            return low
        return self.known(run.cells.get(cell, Read(cell)), run)

    @staticmethod
    def known(term: Term, run: Run) -> Term:
        """The number that equals the term under the assumptions of the run, otherwise the term."""
        return term if isinstance(term, int) else run.facts.get(term, term)

    def value(self, expr: Expr, run: Run, before: Run | None = None) -> tuple[Term, Term]:
        """The value of an expression, and the condition under which its evaluation faults. In a property, `run` is the
        state after the step and `before` the state before it."""
        term, fault = self._value(expr, run, before)
        return self.known(term, run), fault

    def _value(self, expr: Expr, run: Run, before: Run | None) -> tuple[Term, Term]:
        here = run if before is None or getattr(expr, "after", False) else before
        match expr:
            case Const(value):
                return value, 0
            case Me():
                return run.thread, 0
            case Local(index):
                return self.read(self.layout.local_base[run.thread] + index, run), 0
            case LocalOf(thread, index):
                return self.read(self.layout.local_base[thread] + index, here), 0
            case AtLocation(thread, locations):
                pc = self.read(self.layout.pc[thread], here)
                return disj([combine("==", pc, number) for number in sorted(locations)]), 0
            case Load():
                return self._load(expr, run, before, here)
            case Not(operand):
                term, fault = self.value(operand, run, before)
                return neg(term), fault
            case And(operands):
                return self._lazily(operands, run, before, conjunction=True)
            case Or(operands):
                return self._lazily(operands, run, before, conjunction=False)
            case Implies(premise, conclusion):
                return self._lazily((Not(premise), conclusion), run, before, conjunction=False)
            case Ite(condition, then, orelse):
                test, wrong = self.value(condition, run, before)
                (a, bad), (b, worse) = self.value(then, run, before), self.value(orelse, run, before)
                return select(test, a, b), disj([wrong, conj([test, bad]), conj([neg(test), worse])])
            case Compare(op, left, right) | Arith(op, left, right):
                (a, bad), (b, worse) = self.value(left, run, before), self.value(right, run, before)
                nought = combine("==", b, 0) if op in ("//", "%") else 0
                return combine(op, a, b), disj([bad, worse, nought])
            case _:
                assert_never(expr)

    def _lazily(
        self, operands: tuple[Expr, ...], run: Run, before: Run | None, *, conjunction: bool
    ) -> tuple[Term, Term]:
        """Short-circuit evaluation: an operand can fault only if those before it do not decide the result."""
        terms: list[Term] = []
        faults: list[Term] = []
        for operand in operands:
            term, fault = self.value(operand, run, before)
            faults.append(conj([*(terms if conjunction else map(neg, terms)), fault]))
            terms.append(term)
        return conj(terms) if conjunction else disj(terms), disj(faults)

    def _load(self, expr: Load, run: Run, before: Run | None, here: Run) -> tuple[Term, Term]:
        """The value of a cell; in a property, an unknown index selects among all cells."""
        indices = [self.value(index, run, before)[0] for index in expr.indices]
        fault = disj([self.value(index, run, before)[1] for index in expr.indices])
        for position, index in enumerate(indices):
            if not isinstance(index, int):
                extent = self.program.variables[expr.variable].shape[position]
                parts = [expr.indices[:position], expr.indices[position + 1 :]]
                found: Term = 0
                for value in reversed(range(extent)):
                    fixed = replace(expr, indices=(*parts[0], Const(value, expr.type), *parts[1]))
                    one = self.value(fixed, run, before)[0]
                    found = one if value == extent - 1 else select(combine("==", index, value), one, found)
                return found, fault
        cell = self.cell(expr.variable, indices, total=expr.total)
        return (0, 1) if cell is None else (self.read(cell, here), fault)

    def cell(self, variable: int, indices: list[Term], *, total: bool = False) -> int | None:
        """The number of a cell; None for an index outside."""
        offset = 0
        for index, extent in zip(indices, self.program.variables[variable].shape, strict=True):
            assert isinstance(index, int), "every index has been decided"
            if not 0 <= index < extent and not total:
                return None
            offset = offset * extent + (index if 0 <= index < extent else extent - 1)
        return self.layout.variable_base[variable] + offset

    def outside(self, term: Term, target: Target) -> Term:
        """The condition under which a value is outside the target's type."""
        low, high = bounds(target.type)
        least, most = interval(term, self.bounds)
        below = combine("<", term, low) if least < low else 0
        return disj([below, combine(">", term, high) if most > high else 0])
