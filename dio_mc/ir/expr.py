"""Expressions of the IR: pure, scalar, typed, frozen. Spans are ignored by comparison.

Values are integers of any size. ``And``, ``Or``, ``Implies`` and ``Ite`` evaluate from left to right with
short-circuit, so a guard protects an index (``i < n and a[i]``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, ClassVar, Final, Literal

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
    type: ClassVar[ScalarType] = BOOL


@dataclass(frozen=True, slots=True)
class And:
    """The conjunction; an operand is evaluated only if all before it are true."""

    operands: tuple[Expr, ...]
    type: ClassVar[ScalarType] = BOOL


@dataclass(frozen=True, slots=True)
class Or:
    """The disjunction; an operand is evaluated only if all before it are false."""

    operands: tuple[Expr, ...]
    type: ClassVar[ScalarType] = BOOL


@dataclass(frozen=True, slots=True)
class Implies:
    """Kept distinct from ``not a or b``, because a premise that never held is reported as vacuity."""

    premise: Expr
    conclusion: Expr
    span: Span | None = field(default=None, compare=False)
    type: ClassVar[ScalarType] = BOOL


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
    type: ClassVar[ScalarType] = BOOL


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
    type: ClassVar[ScalarType] = BOOL


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
    return expr.type


_CHILDREN: Final[dict[type, Callable[[Any], tuple[Expr, ...]]]] = {
    **dict.fromkeys((Const, Local, Me, AtLocation, LocalOf), lambda expr: ()),
    Load: attrgetter("indices"),
    Not: lambda expr: (expr.operand,),
    **dict.fromkeys((And, Or), attrgetter("operands")),
    Implies: attrgetter("premise", "conclusion"),
    Ite: attrgetter("condition", "then", "orelse"),
    **dict.fromkeys((Compare, Arith), attrgetter("left", "right")),
}


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct operands, in evaluation order. A table, since programs are walked more often than anything else is
    done with them; `tests/semantics/test_operands.py` compares it with the union."""
    return _CHILDREN[type(expr)](expr)


def walk(expr: Expr, seen: set[int] | None = None) -> Iterator[Expr]:
    """The expression and all its sub-expressions, parents first; a shared sub-expression comes once. What is `seen`, by
    identity, is left out, and what is found is added."""
    seen = set() if seen is None else seen
    waiting = [expr]
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting += reversed(_CHILDREN[type(part)](part))
