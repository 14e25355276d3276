"""Operations on the values of a property: comparison, order, choice, access to parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from enum import Enum

from dio_mc.ir.program import ArrayShape, RecordShape, ScalarShape, Shape
from dio_mc.ir.types import BoolType, EnumType, default_value
from dio_mc.symbolic import terms
from dio_mc.symbolic.terms import Term, TermError
from dio_mc.symbolic.values import Coded, Data, Filtered, Maybe, Record, Value, View, elements, field_of, wrap


def position(one: Enum) -> int:
    """The code of an enum member."""
    return list(type(one).__members__).index(one.name)


def code(value: Value) -> Term:
    """The term that represents a value in the state; arguments of z3's own functions are converted by it."""
    match value:
        case Enum():
            return position(value)
        case Coded(term):
            return term
        case Maybe(none, inner, low):
            if low is None:
                raise TermError("an optional value that is made here has no number; compare it with None first")
            return terms.select(none, low - 1, terms.as_number(code(inner)))
        case View() | Record() | Filtered() | None:
            raise TermError(f"{describe(value)} is not a number")
        case _:
            return value


def describe(value: Value) -> str:
    """A description of a value for messages."""
    match value:
        case View(shape=ArrayShape()):
            return "an array"
        case View() | Record():
            return "a record"
        case Coded(_, type_):
            return f"a {type_.name}"
        case Maybe():
            return "a value that may be None"
        case Enum():
            return f"{type(value).__name__}.{value.name}"
        case Filtered():
            return "a filtered sequence"
        case _:
            return repr(value)


def equal(left: Value, right: Value) -> Term:
    """``left == right``."""
    if left is None or right is None:
        return is_none(right if left is None else left)
    if isinstance(left, Maybe) or isinstance(right, Maybe):
        return _equal_maybe(left, right)
    if is_record(left) or is_record(right):
        return _equal_records(left, right)
    if isinstance(left, Coded | Enum) or isinstance(right, Coded | Enum):
        return _equal_coded(left, right)
    if is_sequence(left) and is_sequence(right):
        ours, others = sequence(left), sequence(right)
        return terms.conj([len(ours) == len(others), *(equal(a, b) for a, b in zip(ours, others, strict=False))])
    if isinstance(left, View | Filtered) or isinstance(right, View | Filtered):
        raise TermError(f"{describe(left)} and {describe(right)} cannot be compared")
    if terms.is_symbolic(left) or terms.is_symbolic(right) or (terms.is_number(left) and terms.is_number(right)):
        return terms.same(left, right)
    return bool(left == right)


def is_none(value: Value) -> Term:
    """``value is None``."""
    if value is None:
        return True
    if isinstance(value, Maybe):
        return value.none
    raise TermError(f"{describe(value)} is never None")


def _equal_maybe(left: Value, right: Value) -> Term:
    if isinstance(left, Maybe) and isinstance(right, Maybe):
        both = terms.conj([terms.neg(left.none), terms.neg(right.none), equal(left.value, right.value)])
        return terms.disj([terms.conj([left.none, right.none]), both])
    maybe, other = (left, right) if isinstance(left, Maybe) else (right, left)
    return terms.conj([terms.neg(maybe.none), equal(maybe.value, other)])


def _equal_coded(left: Value, right: Value) -> Term:
    if isinstance(left, Enum) and isinstance(right, Enum):
        return left == right
    names = [v.type.name if isinstance(v, Coded) else type(v).__name__ for v in (left, right)]
    if names[0] != names[1]:
        raise TermError(f"{describe(left)} and {describe(right)} cannot be compared")
    return terms.same(code(left), code(right))


def order(op: str, left: Value, right: Value) -> Term:
    """``<``, ``<=``, ``>``, ``>=``: enum members by position."""
    for side in (left, right):
        if side is None or isinstance(side, Maybe | View | Record | Filtered):
            raise TermError(f"`{op}` does not order {describe(side)}")
    return terms.order(op, code(left), code(right))


def choose(condition: Term, then: Value, orelse: Value) -> Value:
    """``then if condition else orelse``."""
    if isinstance(terms.truth(condition), bool):
        return then if condition else orelse
    if then is None and orelse is None:
        return None
    if then is None or orelse is None or isinstance(then, Maybe) or isinstance(orelse, Maybe):
        return _choose_maybe(condition, then, orelse)
    if is_record(then) or is_record(orelse):
        return _choose_record(condition, then, orelse)
    if isinstance(then, Coded | Enum) or isinstance(orelse, Coded | Enum):
        return _choose_coded(condition, then, orelse)
    return terms.select(condition, code(then), code(orelse))


def _choose_coded(condition: Term, then: Value, orelse: Value) -> Value:
    types = [v.type if isinstance(v, Coded) else enum_type(v) for v in (then, orelse) if isinstance(v, Coded | Enum)]
    if len(types) < 2 or types[0].name != types[1].name:
        raise TermError(f"the two sides have no common type: {describe(then)} and {describe(orelse)}")
    return Coded(terms.select(condition, code(then), code(orelse)), types[0])


def enum_type(one: Enum) -> EnumType:
    """The IR type of a member's class."""
    return EnumType(type(one).__name__, tuple(type(one).__members__))


def _choose_maybe(condition: Term, then: Value, orelse: Value) -> Maybe:
    if then is None or orelse is None:
        other, none = (orelse, condition) if then is None else (then, terms.neg(condition))
        if isinstance(other, Maybe):
            return Maybe(terms.disj([none, other.none]), other.value, other.low)
        return Maybe(none, other, None)
    one, two = (v if isinstance(v, Maybe) else Maybe(False, v, None) for v in (then, orelse))
    low = one.low if one.low == two.low else None
    return Maybe(terms.select(condition, one.none, two.none), choose(condition, one.value, two.value), low)


# --- records ----------------------------------------------------------------------------------------------------------


def is_record(value: Value) -> bool:
    """Whether the value is a record of the model, a record made in the property, or an instance of a frozen
    dataclass."""
    if isinstance(value, View):
        return isinstance(value.shape, RecordShape)
    return dataclasses.is_dataclass(value) and not isinstance(value, Coded | Maybe | Filtered | type)


def as_record(value: Value) -> Record:
    """A record with all its fields read."""
    if isinstance(value, Record):
        return value
    if isinstance(value, View) and isinstance(value.shape, RecordShape):
        fields = tuple((name, field_of(value, name, shape, None)) for name, shape in value.shape.fields)
        return Record(value.shape.python_class, fields, value.shape, value.data)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = tuple((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return Record(type(value), fields)
    raise TermError(f"{describe(value)} is not a record")


def _equal_records(left: Value, right: Value) -> Term:
    one, two = like(as_record(left), right), like(as_record(right), left)
    others = dict(two.fields)
    if [n for n, _ in one.fields] != [n for n, _ in two.fields] or one.python_class is not two.python_class:
        raise TermError("records of different classes cannot be compared")
    return terms.conj([equal(value, others[name]) for name, value in one.fields])


def _choose_record(condition: Term, then: Value, orelse: Value) -> Record:
    one, two = like(as_record(then), orelse), like(as_record(orelse), then)
    others = dict(two.fields)
    if [n for n, _ in one.fields] != [n for n, _ in two.fields]:
        raise TermError("the two sides have no common type")
    fields = tuple((name, choose(condition, value, others[name])) for name, value in one.fields)
    return Record(one.python_class, fields, one.shape or two.shape, one.data or two.data)


def like(record: Record, other: Value) -> Record:
    """The record converted to the tagged union that `other` belongs to. Fields of other members hold the defaults of
    their types, as in the state."""
    shape, data = (other.shape, other.data) if isinstance(other, View | Record) else (None, None)
    if record.shape is not None or not isinstance(shape, RecordShape) or not shape.variants or data is None:
        return record
    classes = [cls for cls, _ in shape.variants]
    if record.python_class not in classes:
        raise TermError(f"{record.python_class.__name__} is not a member of the union")
    given = dict(record.fields)
    given["tag"] = Coded(classes.index(record.python_class), EnumType("tag", tuple(c.__name__ for c in classes)))
    fields = tuple((name, given[name] if name in given else default_of(data, s)) for name, s in shape.fields)
    return Record(None, fields, shape, data)


def default_of(data: Data, shape: Shape) -> Value:
    """The default value of a type, given by its shape."""
    match shape:
        case ScalarShape(variable):
            type_ = data.program.variables[variable].type
            default = default_value(type_)
            return wrap(type_, bool(default) if isinstance(type_, BoolType) else default)
        case RecordShape(fields, cls):
            return Record(cls, tuple((name, default_of(data, below)) for name, below in fields), shape, data)
        case ArrayShape(size, element):
            return [default_of(data, element)] * size


# --- sequences --------------------------------------------------------------------------------------------------------


def is_sequence(value: Value) -> bool:
    """Whether the elements of the value are known one by one."""
    if isinstance(value, View):
        return isinstance(value.shape, ArrayShape)
    return isinstance(value, list | tuple)


def sequence(value: Value) -> list[Value]:
    """The elements of a value of known length: an array, a range, a tuple, an enum class."""
    match value:
        case View():
            return elements(value)
        case set() | frozenset():
            return sorted(value, key=repr)
        case type() if issubclass(value, Enum):
            return list(value)
        case list() | tuple() | range() | enumerate() | zip() | reversed():
            return list(value)
        case _:
            raise TermError(f"{describe(value)} has no fixed sequence of elements")


def member(value: Value, container: Value) -> Term:
    """``value in container``."""
    return terms.disj([equal(value, one) for one in sequence(container)])


def extreme(op: str, values: Iterable[Value]) -> Value:
    """``min`` (op ``<``) or ``max`` (op ``>``)."""
    best, *rest = values
    for value in rest:
        best = choose(order(op, value, best), value, best)
    return best
