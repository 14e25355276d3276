"""Expressions of the IR: pure, scalar, typed, frozen. Spans are ignored by comparison.

Values are integers of any size. ``And``, ``Or``, ``Implies`` and ``Ite`` evaluate from left to right with
short-circuit, so a guard protects an index (``i < n and a[i]``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, assert_never

from dio_mc.ir.types import BOOL, ScalarType
from dio_mc.source import Span

CompareOp = Literal["==", "!=", "<", "<=", ">", ">="]
ArithOp = Literal["+", "-", "*", "//", "%"]


@dataclass(frozen=True, slots=True)
class Const:
    """A literal; `value` is the integer code of `type`."""

    value: int
    type: ScalarType


@dataclass(frozen=True, slots=True)
class Local:
    """A local of the running thread, by its position in the template."""

    index: int
    name: str
    type: ScalarType


@dataclass(frozen=True, slots=True)
class Load:
    """The value of a cell of a shared or ghost variable; one index per dimension.

    In a thread body an index outside its dimension is a fault ``index``. In a property (`total`) it reads the last
    element, so that a formula is defined everywhere. `after` reads the state after the step (step invariants only).
    """

    variable: int
    indices: tuple[Expr, ...]
    type: ScalarType
    total: bool = False
    after: bool = False
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Me:
    """The running thread's id."""

    type: ScalarType


@dataclass(frozen=True, slots=True)
class Not:
    """The negation."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class And:
    """The conjunction; an operand is evaluated only if all before it are true."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """The disjunction; an operand is evaluated only if all before it are false."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Implies:
    """Kept distinct from ``not a or b``, because a premise that never held is reported as vacuity."""

    premise: Expr
    conclusion: Expr
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Ite:
    """``then if condition else orelse``."""

    condition: Expr
    then: Expr
    orelse: Expr
    type: ScalarType


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of two scalars by their integer codes."""

    op: CompareOp
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Arith:
    """Integer arithmetic. ``//`` and ``%`` round down as in Python; their right side is a positive constant."""

    op: ArithOp
    left: Expr
    right: Expr
    type: ScalarType


@dataclass(frozen=True, slots=True)
class AtLocation:
    """True if the given thread instance is at one of these locations (positions in its template). Properties only."""

    thread: int
    locations: frozenset[int]
    after: bool = False


@dataclass(frozen=True, slots=True)
class LocalOf:
    """A local of a given thread instance (an argument recorded by a region). Properties only."""

    thread: int
    index: int
    type: ScalarType
    after: bool = False


Expr = (
    Const | Local | Load | Me | Not | And | Or | Implies | Ite | Compare | Arith | AtLocation | LocalOf
)  # fmt: skip

TRUE = Const(1, BOOL)
FALSE = Const(0, BOOL)


def type_of(expr: Expr) -> ScalarType:
    """The type of an expression's value."""
    match expr:
        case Const() | Local() | Load() | Me() | Ite() | Arith() | LocalOf():
            return expr.type
        case Not() | And() | Or() | Implies() | Compare() | AtLocation():
            return BOOL
        case _:
            assert_never(expr)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct operands, in evaluation order."""
    match expr:
        case Const() | Local() | Me() | AtLocation() | LocalOf():
            return ()
        case Load():
            return expr.indices
        case Not(operand):
            return (operand,)
        case And(operands) | Or(operands):
            return operands
        case Implies(premise, conclusion):
            return (premise, conclusion)
        case Ite(condition, then, orelse):
            return (condition, then, orelse)
        case Compare(_, left, right) | Arith(_, left, right):
            return (left, right)
        case _:
            assert_never(expr)


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and all its sub-expressions, parents first; a shared sub-expression comes once."""
    seen: set[int] = set()
    waiting = [expr]
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting += reversed(children(part))
