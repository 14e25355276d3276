"""What Python's operators mean on terms: the functions that rewritten property source calls.

Every one works on z3 terms and on plain values alike, mixed at will. Python's own ``and``, ``not``, ``==`` would be
silently wrong on terms (``not (x == 1)`` is a Python bool), so none of them survives the rewrite.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial
from typing import Any

import z3

from dio_mc.ir.program import RecordShape
from dio_mc.ir.types import OptionType, none_value
from dio_mc.solver.symbols import TYPE
from dio_mc.solver.views import Ancestor, FormulaError, View

Thunk = Callable[[], Any]


def is_term(value: Any) -> bool:
    """Whether a value is a z3 expression."""
    return isinstance(value, z3.ExprRef)


def truth(value: Any) -> Any:
    """A value as a condition: a Python bool or a z3 Bool."""
    if isinstance(value, bool) or (is_term(value) and z3.is_bool(value)):
        return value
    raise FormulaError(f"a condition is a bool, not {value!r}")


def held(value: Any) -> Thunk:
    """A value as something still to be evaluated."""
    return lambda: value


def all_of(values: Iterable[Any]) -> Any:
    """The conjunction of values."""
    return conjunction(*[held(v) for v in values])


def any_of(values: Iterable[Any]) -> Any:
    """The disjunction of values."""
    return disjunction(*[held(v) for v in values])


def conjunction(*parts: Thunk) -> Any:
    """``and``: later parts are not looked at once one is plainly false."""
    terms: list[Any] = []
    for part in parts:
        value = truth(part())
        if value is False:
            return False if not terms else z3.And(*terms, False)
        if value is not True:
            terms.append(value)
    return True if not terms else terms[0] if len(terms) == 1 else z3.And(*terms)


def disjunction(*parts: Thunk) -> Any:
    """``or``: later parts are not looked at once one is plainly true."""
    terms: list[Any] = []
    for part in parts:
        value = truth(part())
        if value is True:
            return True if not terms else z3.Or(*terms, True)
        if value is not False:
            terms.append(value)
    return False if not terms else terms[0] if len(terms) == 1 else z3.Or(*terms)


def negation(value: Any) -> Any:
    """``not``."""
    value = truth(value)
    return (not value) if isinstance(value, bool) else z3.Not(value)


def conditional(test: Any, then: Thunk, orelse: Thunk) -> Any:
    """``then if test else orelse``."""
    test = truth(test)
    if isinstance(test, bool):
        return then() if test else orelse()
    left, right = then(), orelse()
    if isinstance(left, View) or isinstance(right, View):
        raise FormulaError("a conditional expression chooses between scalars")
    type_ = getattr(left, TYPE, None) or getattr(right, TYPE, None)
    found = z3.If(test, code(left, right), code(right, left))
    if type_ is not None:
        setattr(found, TYPE, type_)
    return found


def code(value: Any, beside: Any = None) -> Any:
    """A scalar's integer code, or the term: enum members by position, None by the type of what stands `beside` it."""
    if isinstance(value, Enum):
        return list(type(value).__members__).index(value.name)
    if value is None:
        type_ = getattr(beside, TYPE, None)
        if not isinstance(type_, OptionType):
            raise FormulaError("None has no meaning beside a value that is never None")
        return none_value(type_)
    return value


def compare(first: Any, *rest: tuple[str, Any]) -> Any:
    """A chain of comparisons."""
    parts: list[Any] = []
    left = first
    for sign, right in rest:
        parts.append(_one(sign, left, right))
        left = right
    return all_of(parts)


def _one(sign: str, left: Any, right: Any) -> Any:
    if sign in ("in", "not in"):
        found = any_of([_one("==", left, v) for v in elements(right)])
        return found if sign == "in" else negation(found)
    if sign in ("is", "is not"):
        sign = "==" if sign == "is" else "!="
    if _is_record(left) or _is_record(right):
        same = _same_record(left, right)
        return same if sign == "==" else negation(same)
    a, b = code(left, right), code(right, left)
    if isinstance(a, bool) and is_term(b) and z3.is_int(b):
        a = int(a)
    return _signed(sign, a, b)


def _signed(sign: str, a: Any, b: Any) -> Any:
    match sign:
        case "==":
            return a == b
        case "!=":
            return a != b
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
        case _:
            return a >= b


def _is_record(value: Any) -> bool:
    return isinstance(value, View) or (dataclasses.is_dataclass(value) and not isinstance(value, type))


def _same_record(left: Any, right: Any) -> Any:
    if not isinstance(left, View):
        left, right = right, left
    if not isinstance(left, View):
        return left == right
    if not isinstance(left.shape, RecordShape):
        pairs = list(zip(left.elements(), elements(right), strict=True))
        return all_of([_one("==", a, b) for a, b in pairs])
    mine, theirs = left.fields(), _fields_like(left.shape, right)
    return all_of([_one("==", mine[n], theirs[n]) for n in mine if n in theirs])


def _fields_like(shape: RecordShape, value: Any) -> dict[str, Any]:
    """The fields of a record beside a view of that shape; a member of a union has its tag and its own fields."""
    if isinstance(value, View):
        return value.fields()
    found = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    classes = [cls for cls, _ in shape.variants]
    if classes:
        if type(value) not in classes:
            raise FormulaError(f"{type(value).__name__} is no member of the union")
        found["tag"] = classes.index(type(value))
    return found


def is_instance(value: Any, cls: type) -> Any:
    """``isinstance`` of a tagged union."""
    if not isinstance(value, View) or not isinstance(value.shape, RecordShape):
        return isinstance(value, cls)
    classes = [c for c, _ in value.shape.variants]
    if cls not in classes:
        raise FormulaError("isinstance asks a tagged union for one of its classes")
    return value.fields()["tag"] == classes.index(cls)


def elements(value: Any) -> Iterable[Any]:
    """What a loop or quantifier runs over."""
    if isinstance(value, View):
        return value.elements()
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return list(value)


Guarded = list[tuple[Any, Thunk]]
"""Elements of a quantifier with their filters."""


def for_all(items: Guarded) -> Any:
    """``all``."""
    return conjunction(*[partial(_unless, condition, element) for condition, element in items])


def _unless(condition: Any, element: Thunk) -> Any:
    return disjunction(held(negation(condition)), element)


def exists(items: Guarded) -> Any:
    """``any``."""
    return disjunction(*[partial(conjunction, held(condition), element) for condition, element in items])


def total(items: Guarded) -> Any:
    """``sum``; a true condition counts one, as in Python."""
    found: Any = 0
    for condition, element in items:
        value = element()
        if isinstance(value, bool) or (is_term(value) and z3.is_bool(value)):
            value = conditional(value, held(1), held(0))
        found = found + conditional(condition, held(value), held(0))
    return found


def extreme(sign: str, values: list[Any]) -> Any:
    """``min`` (`sign` is ``<``) and ``max`` (``>``)."""
    best = values[0]
    for value in values[1:]:
        best = conditional(_one(sign, value, best), held(value), held(best))
    return best


def index(base: Any, at: Any) -> Any:
    """``base[at]``."""
    if isinstance(base, View):
        return base.item(tuple(code(i) for i in at) if isinstance(at, tuple) else code(at))
    if is_term(at) and isinstance(base, list | tuple):
        found = base[-1]
        for position in range(len(base) - 2, -1, -1):
            found = conditional(at == position, held(base[position]), held(found))
        return found
    return base[at]


def floor_divide(left: Any, right: Any) -> Any:
    """``//`` by a positive constant: z3's integer division is the same there."""
    return left / right if is_term(left) else left // right


def attribute(base: Any, name: str) -> Any:
    """``base.name``."""
    return base.attribute(name) if isinstance(base, View | Ancestor) else getattr(base, name)
