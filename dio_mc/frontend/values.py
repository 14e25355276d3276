"""The values of expressions during compilation: run-time scalars, compile-time objects, places of shared data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from dio_mc.frontend.shapes import (
    ArrayTree,
    DeclarationError,
    RecordTree,
    ScalarTree,
    TypeTree,
    enum_type,
    record_field,
    scalar_code,
)
from dio_mc.ir.expr import Compare, Const, Expr, Load
from dio_mc.ir.ops import StoreTo
from dio_mc.ir.program import ArrayShape, RecordShape, ScalarShape, Shape, Variable
from dio_mc.ir.types import BOOL, EnumType, OptionType, RangeType, ScalarType, default_value, none_value, show_type
from dio_mc.lang.declarations import MISSING
from dio_mc.source import Span


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value computed at run time."""

    expr: Expr

    @property
    def type(self) -> ScalarType:
        """The IR type."""
        return self.expr.type


@dataclass(frozen=True, slots=True)
class Static:
    """A Python object known at compile time: a number, an enum or its member, None, a tuple, a class, a function."""

    value: Any


@dataclass(frozen=True, slots=True)
class RecordValue:
    """A record or tagged union by value: one value per field."""

    tree: RecordTree
    fields: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A fixed sequence of values (an array by value, a tuple, the result of ``threads()``)."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Shared data: the shape of a part of the model, with the indexes so far. `part` is the lock or component that it
    belongs to; `total` and `after` determine how `Load` reads it; `model` is true for the model itself."""

    shape: Shape
    name: str
    indices: tuple[Expr, ...] = ()
    part: Any = None
    model: bool = False
    total: bool = False
    after: bool = False


@dataclass(frozen=True, slots=True)
class Super:
    """``super()`` inside a method of `owner`."""

    receiver: Place
    owner: type


@dataclass(frozen=True, slots=True)
class Bound:
    """A method of the model, of a part or of a record, with its receiver and the class that defines it. `explicit` is
    true if it was named through a class (``Base.op``), so that the first argument of a call is `self`."""

    receiver: Value
    name: str
    function: Any
    owner: type
    explicit: bool = False


Value = Scalar | Static | RecordValue | Items | Place | Super | Bound


def load(place: Place, variables: list[Variable], span: Span | None) -> Value:
    """Read a whole place: a scalar, or a record or array by value."""
    match place.shape:
        case ScalarShape(variable):
            type_ = variables[variable].type
            return Scalar(Load(variable, place.indices, type_, place.total, place.after, span))
        case RecordShape(fields, cls, variants):
            values = tuple((n, load(field_of(place, n), variables, span)) for n, _ in fields)
            tree = RecordTree(cls, tuple((n, tree_of(s, variables), MISSING) for n, s in fields), variants)
            return RecordValue(tree, values)
        case ArrayShape(size, _):
            return Items(
                tuple(load(element_of(place, Const(i, RangeType(i, i))), variables, span) for i in range(size))
            )


def field_of(place: Place, name: str) -> Place:
    """The field of a record place."""
    assert isinstance(place.shape, RecordShape)
    shape = place.shape.field(name)
    assert shape is not None
    return Place(shape, f"{place.name}.{name}", place.indices, None, False, place.total, place.after)


def element_of(place: Place, index: Expr) -> Place:
    """The element of an array place."""
    assert isinstance(place.shape, ArrayShape)
    indices = (*place.indices, index)
    return Place(place.shape.element, f"{place.name}[...]", indices, place.part, place.model, place.total, place.after)


def tree_of(shape: Shape, variables: list[Variable]) -> TypeTree:
    """The type of a laid-out shape."""
    match shape:
        case ScalarShape(variable):
            return ScalarTree(variables[variable].type)
        case RecordShape(fields, cls, variants):
            return RecordTree(cls, tuple((n, tree_of(s, variables), MISSING) for n, s in fields), variants)
        case ArrayShape(size, element):
            return ArrayTree(size, tree_of(element, variables))


def leaves_to(place: Place, variables: list[Variable], span: Span | None) -> list[StoreTo]:
    """The scalar cells of a place as targets, in field order."""
    match place.shape:
        case ScalarShape(variable):
            return [StoreTo(variable, place.indices, variables[variable].type, span)]
        case RecordShape(fields, _, _):
            return [t for n, _ in fields for t in leaves_to(field_of(place, n), variables, span)]
        case ArrayShape(size, _):
            elements = [element_of(place, Const(i, RangeType(i, i))) for i in range(size)]
            return [t for e in elements for t in leaves_to(e, variables, span)]


class Mismatch(Exception):
    """A value that cannot be converted to the required type; the argument is the error message."""


def coerce(value: Value, tree: TypeTree) -> list[Expr]:
    """The scalars of `value` converted to `tree`, in field order. Raises `Mismatch`. Whether a scalar is in the
    target's range is checked at run time."""
    match tree:
        case ScalarTree(type_):
            return [coerce_scalar(value, type_)]
        case RecordTree():
            return _coerce_record(value, tree)
        case ArrayTree(size, element):
            if isinstance(value, Static) and isinstance(value.value, list | tuple):
                value = Items(tuple(Static(v) for v in value.value))
            if not isinstance(value, Items) or len(value.values) != size:
                raise Mismatch(f"an array of {size} is needed here")
            return [e for v in value.values for e in coerce(v, element)]


def _coerce_record(value: Value, tree: RecordTree) -> list[Expr]:
    if isinstance(value, Static):
        return [e for n, t, d in tree.fields for e in coerce(_static_field(tree, value.value, n, d, t), t)]
    if not isinstance(value, RecordValue):
        raise Mismatch(f"a {record_name(tree)} is needed here")
    if value.tree.cls is tree.cls and value.tree.variants == tree.variants:
        given = dict(value.fields)
        return [e for n, t, _ in tree.fields for e in coerce(given[n], t)]
    if tree.variants and value.tree.cls is not None:
        return _coerce_variant(value, tree)
    raise Mismatch(f"a {record_name(tree)} is needed here, not a {record_name(value.tree)}")


def _coerce_variant(value: RecordValue, tree: RecordTree) -> list[Expr]:
    classes = [cls for cls, _ in tree.variants]
    if value.tree.cls not in classes:
        raise Mismatch(f"{record_name(value.tree)} is not a member of {record_name(tree)}")
    given = dict(value.fields)
    out: list[Expr] = []
    for name, field_tree, default in tree.fields:
        if name == "tag":
            assert isinstance(field_tree, ScalarTree)
            out.append(Const(classes.index(value.tree.cls), field_tree.type))
        elif name in given:
            out += coerce(given[name], field_tree)
        else:
            out += coerce(default_of(field_tree, default), field_tree)
    return out


def _static_field(tree: RecordTree, value: Any, name: str, default: Any, field_tree: TypeTree) -> Value:
    try:
        found = record_field(tree, value, name, default)
    except DeclarationError as error:
        raise Mismatch(str(error)) from None
    return default_of(field_tree, found)


def default_of(tree: TypeTree, given: Any) -> Value:
    """A Python default as a value, or the default of the type if none is given."""
    if given is not MISSING:
        return Static(given)
    match tree:
        case ScalarTree(type_):
            return Scalar(Const(default_value(type_), type_))
        case RecordTree():
            return RecordValue(tree, tuple((n, default_of(t, d)) for n, t, d in tree.fields))
        case ArrayTree(size, element):
            return Items((default_of(element, MISSING),) * size)


def record_name(tree: RecordTree) -> str:
    """The name of a record or union in messages."""
    if tree.variants:
        return " | ".join(cls.__name__ for cls, _ in tree.variants)
    return str(tree.cls.__name__)


def coerce_scalar(value: Value, type_: ScalarType) -> Expr:
    """One scalar converted to `type_`. Raises `Mismatch`."""
    if isinstance(value, Static):
        plain = value.value
        if isinstance(type_, RangeType) and isinstance(plain, int) and not isinstance(plain, bool):
            return Const(plain, RangeType(plain, plain))  # out of range is a fault at run time
        if isinstance(plain, Enum) and isinstance(type_, EnumType) and type_.name == "tag":
            return Const(type_.members.index(plain.name), type_)
        try:
            return Const(scalar_code(type_, plain), type_)
        except DeclarationError:
            raise Mismatch(f"{show_type(type_)} is needed here, not {describe(value)}") from None
    if not isinstance(value, Scalar):
        raise Mismatch(f"{show_type(type_)} is needed here, not {describe(value)}")
    if not compatible(value.type, type_):
        raise Mismatch(f"{show_type(type_)} is needed here, not {describe(value)}")
    return value.expr


def compatible(left: ScalarType, right: ScalarType) -> bool:
    """Whether values of the two types can be compared or assigned: equal types, two ranges, or the optional forms of
    these."""
    a = left.element if isinstance(left, OptionType) else left
    b = right.element if isinstance(right, OptionType) else right
    if isinstance(a, RangeType) and isinstance(b, RangeType):
        if isinstance(left, OptionType) != isinstance(right, OptionType) or isinstance(left, OptionType):
            return _same_none(left, right)
        return True
    return a == b


def _same_none(left: ScalarType, right: ScalarType) -> bool:
    """Whether None cannot be confused: two optional ranges have the same code of None, or only one type is optional and
    its code of None is outside the other type."""
    if isinstance(left, OptionType) and isinstance(right, OptionType):
        return none_value(left) == none_value(right)
    optional, plain = (left, right) if isinstance(left, OptionType) else (right, left)
    assert isinstance(optional, OptionType)
    assert isinstance(plain, RangeType)
    return none_value(optional) < plain.low


def scalar_of(value: Value) -> Scalar | None:
    """The scalar for a value that has one type by itself, or None. (The value None has no such type.)"""
    if isinstance(value, Scalar):
        return value
    if isinstance(value, Static) and isinstance(value.value, Enum | int):
        return _constant(value.value)
    return None


@lru_cache(maxsize=1024, typed=True)
def _constant(plain: Enum | int) -> Scalar:
    """A constant with the type that it has by itself. True and 1 are equal, but not of the same type."""
    if isinstance(plain, bool):
        return Scalar(Const(int(plain), BOOL))
    if isinstance(plain, Enum):
        return Scalar(Const(list(type(plain).__members__).index(plain.name), enum_type(type(plain))))
    return Scalar(Const(plain, RangeType(plain, plain)))


def join(left: ScalarType, right: ScalarType) -> ScalarType | None:
    """The smallest type that contains both, or None."""
    if left == right:
        return left
    if isinstance(left, OptionType) or isinstance(right, OptionType):
        a = left.element if isinstance(left, OptionType) else left
        b = right.element if isinstance(right, OptionType) else right
        return OptionType(a) if a == b else None
    if isinstance(left, RangeType) and isinstance(right, RangeType):
        return RangeType(min(left.low, right.low), max(left.high, right.high))
    return None


def describe(value: Value) -> str:
    """The description of a value in error messages."""
    match value:
        case Scalar(type=RangeType(low, high)) if low == high:
            return str(low)
        case Scalar():
            return show_type(value.type)
        case Static(Enum() as member):
            return f"{type(member).__name__}.{member.name}"
        case Static(plain):
            return repr(plain) if not isinstance(plain, type) else f"the class {plain.__name__}"
        case RecordValue(tree):
            return f"a {record_name(tree)}"
        case Items(values):
            return f"{len(values)} values"
        case Place():
            return f"`{place_name(value)}`"
        case Super():
            return "super()"
        case Bound(name=name):
            return f"the method {name}"


def place_name(place: Place) -> str:
    """The name of a place, as written in the model."""
    return "self" if place.model else f"self.{place.name}"


def tag_test(value: Value, cls: type, variables: list[Variable], span: Span | None) -> Expr | None:
    """The condition ``isinstance(value, cls)`` for a tagged union; None if `value` is not a union with this member."""
    if isinstance(value, Place):
        value = load(value, variables, span)
    if not isinstance(value, RecordValue) or not value.tree.variants:
        return None
    classes = [c for c, _ in value.tree.variants]
    tag = dict(value.fields)["tag"]
    if cls not in classes or not isinstance(tag, Scalar):
        return None
    return Compare("==", tag.expr, Const(classes.index(cls), tag.type))
