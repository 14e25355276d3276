"""Generates the evaluation of expressions. An operation that can fault is guarded by a branch to
the code that records the fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from dio_mc.analysis.values.evaluate import Evaluator
from dio_mc.analysis.values.sets import Values, high, low
from dio_mc.engines.native.asm import Asm, Cond, Ref
from dio_mc.engines.native.fields import Words
from dio_mc.ir.expr import (
    And,
    Arith,
    AtLocation,
    Compare,
    CompareOp,
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
    type_of,
)
from dio_mc.ir.types import BOOL
from dio_mc.source import Span

PREDICATES: dict[CompareOp, str] = {"==": "eq", "!=": "ne", "<": "slt", "<=": "sle", ">": "sgt", ">=": "sge"}
"""LLVM's names of comparisons; all values are signed."""

Fault = Callable[[str, Span | None], str]
"""The label to branch to if a fault of this kind occurs at this place."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The context of an expression: the running thread `me` (-1 in a property), its `locals` and
    their possible `values`, the state `words` and, for step properties, the state `after` the step.
    `span` locates faults, as in the interpreter."""

    words: Words
    evaluator: Evaluator
    fault: Fault
    me: int = -1
    locals: Sequence[Ref] = ()
    values: Sequence[Values] = ()
    after: Words | None = None
    span: Span | None = None


class Formula:
    """Generates expressions in one scope."""

    def __init__(self, asm: Asm, scope: Scope) -> None:
        self.asm = asm
        self.scope = scope
        self._proved: dict[int, Arith] = {}

    def _side(self, after: bool) -> Words:
        scope = self.scope
        return scope.after if after and scope.after is not None else scope.words

    def value(self, expr: Expr) -> Ref:
        """The value of an expression as an integer."""
        match expr:
            case Const(value):
                return value
            case Local(index):
                return self.scope.locals[index]
            case Me():
                return self.scope.me
            case Load():
                offset = self.offset(expr.variable, expr.indices, expr.span, total=expr.total)
                cells = self._cells(expr.variable, expr.indices, expr.total)
                base = self.scope.evaluator.layout.variable_base[expr.variable]
                size = self.scope.evaluator.program.variables[expr.variable].size
                if isinstance(offset, int) and not 0 <= offset < size:
                    return 0  # unreachable: the check of the index has always branched to a fault
                return self._side(expr.after).element(cells, base, offset)
            case LocalOf(thread, index, _, after):
                return self._side(after).local(thread, index)
            case Arith():
                return self._arith(expr)
            case Ite():
                return self._ite(expr)
            case Not() | And() | Or() | Implies() | Compare() | AtLocation():
                return self.asm.widen(self.truth(expr))
            case _:
                assert_never(expr)

    def truth(self, expr: Expr) -> Cond:
        """Whether the value of an expression is not 0."""
        asm = self.asm
        match expr:
            case Not(operand):
                return asm.invert(self.truth(operand))
            case And(operands):
                return self._chain(operands, stops=0)
            case Or(operands):
                return self._chain(operands, stops=1)
            case Implies(premise, conclusion):
                return self._chain((Not(premise), conclusion), stops=1)
            case Compare(op, left, right):
                first = self.value(left)
                return asm.compare(PREDICATES[op], first, self.value(right))
            case AtLocation(thread, locations, after):
                return self._side(after).at(thread, locations)
            case _:
                return asm.compare("ne", self.value(expr), 0)

    # -- evaluation from the left --------------------------------------------------------------------------------------

    def _faultless(self, expr: Expr) -> bool:
        return self.scope.evaluator.faultless(expr, self.scope.values, self.scope.me)

    def _chain(self, operands: Sequence[Expr], stops: int) -> Cond:
        """``and`` (`stops` is 0) or ``or`` (`stops` is 1) of the operands. An operand that can
        fault is evaluated only if the operands before it do not decide the result."""
        asm = self.asm
        found: Cond = 1 - stops
        for position, operand in enumerate(operands):
            if isinstance(found, str) and not self._faultless(operand):
                return self._guarded(found, operands[position:], stops)
            truth = self.truth(operand)
            found = asm.both(found, truth) if stops == 0 else asm.either(found, truth)
            if found == stops and isinstance(found, int):
                return found
        return found

    def _guarded(self, found: Cond, rest: Sequence[Expr], stops: int) -> Cond:
        """Continue a chain after a branch: the remaining operands are evaluated only if `found`
        does not decide the result."""
        asm = self.asm
        more, done, before = asm.new_label("more"), asm.new_label("done"), asm.label
        asm.branch(found, *((more, done) if stops == 0 else (done, more)))
        asm.start(more)
        value = self._chain(rest, stops)
        end = asm.label
        asm.jump(done)
        asm.start(done)
        return asm.op(f"phi i1 [ {_bit(stops)}, %{before} ], [ {_bit(value)}, %{end} ]")

    def _ite(self, expr: Ite) -> Ref:
        """A conditional expression. Both sides are evaluated if neither can fault, which saves a
        branch; otherwise only the one that is needed."""
        asm = self.asm
        condition = self.truth(expr.condition)
        if isinstance(condition, int):
            return self.value(expr.then if condition else expr.orelse)
        if self._faultless(expr.then) and self._faultless(expr.orelse):
            then = self.value(expr.then)
            return asm.select(condition, then, self.value(expr.orelse))
        yes, no, done = asm.new_label("yes"), asm.new_label("no"), asm.new_label("done")
        asm.branch(condition, yes, no)
        sides: list[tuple[Ref, str]] = []
        for label, part in ((yes, expr.then), (no, expr.orelse)):
            asm.start(label)
            sides.append((self.value(part), asm.label))
            asm.jump(done)
        asm.start(done)
        return asm.op("phi i64 " + ", ".join(f"[ {value}, %{label} ]" for value, label in sides))

    # -- what may be a fault -------------------------------------------------------------------------------------------

    def require(self, condition: Cond, kind: str, span: Span | None) -> None:
        """Continue only if the condition holds; otherwise record a fault."""
        asm = self.asm
        if condition == 1 and isinstance(condition, int):
            return
        label = asm.new_label("ok")
        asm.branch(condition, label, self.scope.fault(kind, span))
        asm.start(label)

    def _prove(self, expr: Arith) -> None:
        """Check that the result and all intermediate results fit in a word for all possible
        operands.

        Raises `Unsupported` otherwise, because machine arithmetic would wrap around silently.
        """
        if id(expr) in self._proved:
            return
        self.scope.evaluator.values(expr, self.scope.values, self.scope.me)
        waiting: list[Expr] = [expr]
        while waiting:
            proved = waiting.pop()
            if isinstance(proved, Arith):
                self._proved[id(proved)] = proved
                waiting += (proved.left, proved.right)

    def _arith(self, expr: Arith) -> Ref:
        """The result of arithmetic, which has been proved to fit in a word."""
        self._prove(expr)
        asm = self.asm
        first = self.value(expr.left)
        second = self.value(expr.right)
        match expr.op:
            case "+":
                return asm.add(first, second)
            case "-":
                return asm.sub(first, second)
            case "*":
                return asm.mul(first, second)
            case "//" | "%":
                return self._divide(expr, first, second)
            case _:
                assert_never(expr.op)

    def _divide(self, expr: Arith, first: Ref, second: Ref) -> Ref:
        """Floor division and remainder as in Python. LLVM's round towards zero, and are corrected
        if the signs differ."""
        asm = self.asm
        if 0 in self.scope.evaluator.values(expr.right, self.scope.values, self.scope.me):
            self.require(asm.compare("ne", second, 0), "range", self.scope.span)
        if isinstance(second, int) and second == 0:
            return 0  # unreachable: the check of the divisor has always branched to a fault
        if isinstance(first, int) and isinstance(second, int):
            return first // second if expr.op == "//" else first % second
        rest = asm.op(f"srem i64 {first}, {second}")
        apart = asm.op(f"xor i64 {rest}, {second}")
        wrong = asm.both(asm.compare("ne", rest, 0), asm.compare("slt", apart, 0))
        if expr.op == "%":
            return asm.add(rest, asm.select(wrong, second, 0))
        quotient = asm.op(f"sdiv i64 {first}, {second}")
        return asm.sub(quotient, asm.widen(wrong))

    def offset(self, variable: int, indices: Sequence[Expr], span: Span | None, *, total: bool = False) -> Ref:
        """The row-major offset of an element. An index out of range is a fault; with `total` it is
        replaced by the last index."""
        asm, scope = self.asm, self.scope
        shape = scope.evaluator.program.variables[variable].shape
        values = [self.value(index) for index in indices] if total else []
        found: Ref = 0
        for position, extent in enumerate(shape):
            possible = scope.evaluator.values(indices[position], scope.values, scope.me)
            value = values[position] if total else self.value(indices[position])
            inside = not possible or (low(possible) >= 0 and high(possible) < extent)
            if not inside or isinstance(value, int):
                fits = asm.both(asm.compare("sge", value, 0), asm.compare("slt", value, extent))
                if total:
                    value = asm.select(fits, value, extent - 1)
                else:
                    self.require(fits, "index", span or scope.span)
            found = asm.add(asm.mul(found, extent), value)
        return found

    def _cells(self, variable: int, indices: tuple[Expr, ...], total: bool) -> Sequence[int]:
        scope = self.scope
        found = scope.evaluator.addresses(variable, indices, scope.values, scope.me, total=total)
        return found or [scope.evaluator.layout.variable_base[variable]]

    def place(self, variable: int, indices: tuple[Expr, ...]) -> Sequence[int]:
        """The cells that a store with these indices can assign."""
        return self._cells(variable, indices, total=False)


def is_truth(expr: Expr) -> bool:
    """Whether an expression is of type bool."""
    return type_of(expr) == BOOL


def _bit(condition: Cond) -> str:
    return condition if isinstance(condition, str) else "true" if condition else "false"
