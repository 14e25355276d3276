"""The values of Python expressions in a property: terms, enum values, optional values, parts of the model.

Numbers and truth values are bare terms. An unknown enum value is `Coded`; a known one stays the Python member. `Maybe`
is a value or None. `View` is a part of the model that is not a scalar, `Record` a record by value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from dio_mc.ir.expr import Expr
from dio_mc.ir.program import ArrayShape, Program, RecordShape, ScalarShape, Shape
from dio_mc.ir.types import BoolType, EnumType, OptionType, ScalarType, bounds
from dio_mc.semantics.layout import Layout
from dio_mc.symbolic import terms
from dio_mc.symbolic.terms import Term, TermError

Value = Any


class Cells(Protocol):
    """The source of values: z3 constants, or one state."""

    def cell(self, cell: int, after: bool) -> Term:
        """The term of a cell of the state, or with `after` of the state after the step; a Bool if its type is bool."""
        ...

    def atom(self, text: str, meaning: Expr, after: bool) -> Term:
        """The truth of a control proposition."""
        ...


@dataclass(frozen=True, slots=True)
class Coded:
    """An enum value represented by its position."""

    term: Term
    type: EnumType


@dataclass(frozen=True, slots=True)
class Maybe:
    """None if `none` holds, otherwise `value`. `low` is the lowest code of the values if it is known; None has the code
    below it."""

    none: Term
    value: Value
    low: int | None


@dataclass(frozen=True, slots=True)
class Data:
    """The model's data as seen by one function; with `after`, those of the state after the step."""

    program: Program
    layout: Layout
    cells: Cells
    after: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A record or an array of the model, with the indexes so far. `part` is the lock it belongs to, as declared (an
    instance or a class); `model` is set for the model itself."""

    data: Data
    shape: RecordShape | ArrayShape
    indices: tuple[Term, ...] = ()
    part: Any = None
    model: Any = None


@dataclass(frozen=True, slots=True)
class Record:
    """A record by value; `shape` and `data` are None for one made in the property."""

    python_class: Any
    fields: tuple[tuple[str, Value], ...]
    shape: RecordShape | None = None
    data: Data | None = None


@dataclass(frozen=True, slots=True)
class Filtered:
    """The elements of a comprehension whose filters are not known; an element counts only if its condition holds."""

    pairs: tuple[tuple[Term, Value], ...]


class ThreadNumber(int):
    """The position of a thread, with the thread's name."""

    name: str

    def __new__(cls, position: int, name: str) -> ThreadNumber:
        """The thread at `position`."""
        self = super().__new__(cls, position)
        self.name = name
        return self


# --- access -----------------------------------------------------------------------------------------------------------


def wrap(type_: ScalarType, code: Term) -> Value:
    """A cell's term as a value of its type."""
    match type_:
        case EnumType():
            return Coded(code, type_)
        case OptionType(element):
            low, _ = bounds(element)
            inner = terms.same(code, 1) if isinstance(element, BoolType) else wrap(element, code)
            return Maybe(terms.same(code, low - 1), inner, low)
        case _:
            return code


def place(data: Data, shape: Shape, indices: tuple[Term, ...], part: Any = None) -> Value:
    """The part of the model at these indexes; a scalar is read."""
    if not isinstance(shape, ScalarShape):
        return View(data, shape, indices, part)
    variable = data.program.variables[shape.variable]
    base = data.layout.variable_base[shape.variable]
    return wrap(variable.type, _read(data, base, list(zip(variable.shape, indices, strict=True)), 0))


def _read(data: Data, base: int, places: list[tuple[int, Term]], offset: int) -> Term:
    """The cell at indexes, each with the extent of its dimension, that are not in `offset` yet."""
    if not places:
        return data.cells.cell(base + offset, data.after)
    (extent, index), *further = places
    if not terms.is_symbolic(index):
        known = index if 0 <= index < extent else extent - 1
        return _read(data, base, further, offset * extent + known)
    below = [_read(data, base, further, offset * extent + i) for i in range(extent)]
    return terms.at_index(below, index, terms.select)


def field_of(view: View, name: str, shape: Shape, part: Any) -> Value:
    """A field of a record view."""
    return place(view.data, shape, view.indices, part)


def element_of(view: View, index: Term) -> Value:
    """An element of an array view."""
    assert isinstance(view.shape, ArrayShape)
    return place(view.data, view.shape.element, (*view.indices, index), view.part)


def elements(view: View) -> list[Value]:
    """The elements of an array view. Raises `TermError` for a record."""
    if not isinstance(view.shape, ArrayShape):
        raise TermError("a record has no sequence of elements")
    return [element_of(view, i) for i in range(view.shape.size)]
