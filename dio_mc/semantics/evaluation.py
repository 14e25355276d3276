"""Expressions of the IR as Python closures over a flat sequence of cells. This is the one definition of what `ir.expr`
means.

`compile_expr` turns a frozen expression into a function from the cells of a state (`layout`) to an integer. Truth
values are 0 or 1, never `bool`, so that equal states print alike. In a property, a read with ``after`` uses the second
half of the cells: the caller passes ``state + after``.

A run-time fault (an index outside its array, a division by zero) is raised as `FaultRaised`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, assert_never

from dio_mc.errors import InternalError
from dio_mc.ir.expr import (
    And,
    Arith,
    ArithOp,
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
)
from dio_mc.ir.ops import FaultKind
from dio_mc.ir.program import Program, Variable
from dio_mc.semantics.layout import Layout
from dio_mc.semantics.step import Fault
from dio_mc.source import Span

Evaluate = Callable[[Sequence[int]], int]
"""A compiled expression or address: cells in, integer out."""

_COMPARE: Final[dict[CompareOp, Callable[[int, int], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITH: Final[dict[ArithOp, Callable[[int, int], int]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}


class FaultRaised(Exception):
    """A run-time fault of the model during a step."""

    def __init__(self, kind: FaultKind, message: str, span: Span | None) -> None:
        super().__init__(message)
        self.fault = Fault(kind, message, span)


@dataclass(frozen=True, slots=True)
class Scope:
    """The context of an expression: the code of one thread instance, or (`thread` None) a property. `span` is that of
    the enclosing operation, for faults of parts that have none."""

    program: Program
    layout: Layout
    thread: int | None
    span: Span | None = None

    def at(self, span: Span | None) -> Scope:
        """The same for the parts of an operation with this `span`."""
        return Scope(self.program, self.layout, self.thread, span)


def compile_expr(expr: Expr, scope: Scope) -> Evaluate:
    """The function that evaluates `expr`. Raises `InternalError` for a node that has no meaning in this scope."""
    match expr:
        case Const(value):
            return constant(value)
        case Local(index):
            return _read(scope.layout.local_base[_thread(expr, scope)] + index)
        case Me():
            return constant(_thread(expr, scope))
        case Load():
            return _compile_load(expr, scope)
        case AtLocation() | LocalOf():
            return _compile_control(expr, scope)
        case Compare(op, left, right):
            return _compile_compare(_COMPARE[op], compile_expr(left, scope), compile_expr(right, scope))
        case Arith(op, left, right):
            return _compile_arith(op, compile_expr(left, scope), compile_expr(right, scope), scope.span)
        case Not() | And() | Or() | Implies() | Ite():
            return _compile_logic(expr, scope)
        case _:
            assert_never(expr)


@lru_cache(maxsize=4096)
def constant(value: int) -> Evaluate:
    """The function that gives `value`. More than half of all parts of expressions are constants and cells, so there is
    one function for each of these, not one for each place."""
    return lambda cells: value


@lru_cache(maxsize=4096)
def _read(cell: int) -> Evaluate:
    """The function that gives what a cell holds."""
    return operator.itemgetter(cell)


def _thread(expr: Expr, scope: Scope) -> int:
    if scope.thread is None:
        raise InternalError(f"{type(expr).__name__} has no meaning in a property")
    return scope.thread


def _compile_logic(expr: Not | And | Or | Implies | Ite, scope: Scope) -> Evaluate:
    """Connectives evaluate from the left and only as far as needed."""
    match expr:
        case Not(operand):
            inner = compile_expr(operand, scope)
            return lambda cells: 0 if inner(cells) else 1
        case And(operands):
            return _all_of(tuple(compile_expr(operand, scope) for operand in operands))
        case Or(operands):
            return _any_of(tuple(compile_expr(operand, scope) for operand in operands))
        case Implies(premise, conclusion):
            given, then = compile_expr(premise, scope), compile_expr(conclusion, scope)
            return lambda cells: (1 if then(cells) else 0) if given(cells) else 1
        case Ite(condition, then_, orelse_):
            test = compile_expr(condition, scope)
            yes, no = compile_expr(then_, scope), compile_expr(orelse_, scope)
            return lambda cells: yes(cells) if test(cells) else no(cells)
        case _:
            assert_never(expr)


def _all_of(parts: tuple[Evaluate, ...]) -> Evaluate:
    def evaluate(cells: Sequence[int]) -> int:
        for part in parts:
            if not part(cells):
                return 0
        return 1

    return evaluate


def _any_of(parts: tuple[Evaluate, ...]) -> Evaluate:
    def evaluate(cells: Sequence[int]) -> int:
        for part in parts:
            if part(cells):
                return 1
        return 0

    return evaluate


def _compile_compare(test: Callable[[int, int], bool], left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda cells: 1 if test(left(cells), right(cells)) else 0


def _compile_arith(op: ArithOp, left: Evaluate, right: Evaluate, span: Span | None) -> Evaluate:
    compute = _ARITH[op]

    def evaluate(cells: Sequence[int]) -> int:
        first, second = left(cells), right(cells)
        if second == 0 and op in ("//", "%"):
            raise FaultRaised("range", f"{first} {op} 0 has no value", span)
        return compute(first, second)

    return evaluate


def _compile_control(expr: AtLocation | LocalOf, scope: Scope) -> Evaluate:
    if scope.thread is not None:
        raise InternalError(f"{type(expr).__name__} has no meaning in the code of a thread")
    shift = scope.layout.size if expr.after else 0
    match expr:
        case AtLocation(thread, locations):
            pc = scope.layout.pc[thread] + shift
            return lambda cells: 1 if cells[pc] in locations else 0
        case LocalOf(thread, index):
            return _read(scope.layout.local_base[thread] + index + shift)
        case _:
            assert_never(expr)


def _compile_load(expr: Load, scope: Scope) -> Evaluate:
    address = compile_address(expr.variable, expr.indices, scope, expr.span, total=expr.total)
    shift = scope.layout.size if expr.after else 0
    if isinstance(address, int):
        return _read(address + shift)
    return lambda cells: cells[address(cells) + shift]


def compile_address(
    variable: int, indices: tuple[Expr, ...], scope: Scope, span: Span | None, *, total: bool = False
) -> int | Evaluate:
    """The cell of ``variable[indices]``: its number if that is constant, otherwise a function of the cells.

    The function raises `FaultRaised` ("index") for an index outside its dimension; with `total` it takes the last
    element instead.
    """
    declared, base = scope.program.variables[variable], scope.layout.variable_base[variable]
    if len(indices) != len(declared.shape):
        raise InternalError(f"{declared.name} has {len(declared.shape)} dimensions, not {len(indices)}")
    constants = [index.value for index in indices if isinstance(index, Const)]
    if len(constants) == len(indices) and all(0 <= i < n for i, n in zip(constants, declared.shape, strict=True)):
        return base + _row_major(constants, declared.shape)
    compiled = tuple(compile_expr(index, scope) for index in indices)
    return _address_function(declared, base, compiled, span or scope.span, total)


def _row_major(indices: Sequence[int], shape: Sequence[int]) -> int:
    offset = 0
    for index, extent in zip(indices, shape, strict=True):
        offset = offset * extent + index
    return offset


def _address_function(
    variable: Variable, base: int, indices: tuple[Evaluate, ...], span: Span | None, total: bool
) -> Evaluate:
    dimensions = tuple(zip(indices, variable.shape, strict=True))

    def address(cells: Sequence[int]) -> int:
        offset = 0
        for position, (index, extent) in enumerate(dimensions):
            value = index(cells)
            if not 0 <= value < extent:
                if not total:
                    raise FaultRaised("index", _outside(variable, position, offset, value), span)
                value = extent - 1
            offset = offset * extent + value
        return base + offset

    return address


def _outside(variable: Variable, position: int, offset: int, value: int) -> str:
    """``index 3 outside page[0..1]``; `offset` holds the indexes before dimension `position`, row-major."""
    before: list[int] = []
    for extent in reversed(variable.shape[:position]):
        before.append(offset % extent)
        offset //= extent
    brackets = [f"[{index}]" for index in reversed(before)] + [f"[0..{variable.shape[position] - 1}]"]
    text = ""
    for piece in variable.path:
        text += brackets.pop(0) if piece is None else piece
        if not brackets:
            break
    return f"index {value} outside {text}"
