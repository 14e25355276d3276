"""Calls in the body of a property: Python's built-in functions, pure functions and methods, constructors, z3."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable
from enum import Enum
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

import z3

from dio_mc.symbolic import algebra, formula, terms, world
from dio_mc.symbolic.terms import Term, TermError
from dio_mc.symbolic.values import Coded, Filtered, Maybe, Record, Value, View
from dio_mc.symbolic.world import Method, Super

if TYPE_CHECKING:
    from dio_mc.symbolic.formula import Frame


def call(node: ast.Call, frame: Frame) -> Value:
    """The value of a call."""
    if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
        return _super(frame)
    callee = formula.evaluate(node.func, frame)
    args = [value for argument in node.args for value in _argument(argument, frame)]
    keywords = {k.arg: formula.evaluate(k.value, frame) for k in node.keywords if k.arg is not None}
    if isinstance(callee, Method):
        return _call_method(callee, args, keywords, frame)
    module = _module(callee)
    if module == "z3" or module.startswith("z3."):
        return _call_z3(callee, args, keywords, node, frame)
    if isinstance(callee, type | FunctionType) or callable(callee):
        return _call_python(callee, args, keywords, frame)
    raise TermError(f"{algebra.describe(callee)} cannot be called")


def _argument(node: ast.expr, frame: Frame) -> list[Value]:
    if isinstance(node, ast.Starred):
        return algebra.sequence(formula.evaluate(node.value, frame))
    return [formula.evaluate(node, frame)]


def _module(callee: Any) -> str:
    own = getattr(callee, "__module__", None)
    return own if isinstance(own, str) else str(type(callee).__module__)


def _super(frame: Frame) -> Super:
    owner = frame.enclosed().get("__class__")
    receiver = next(iter(frame.names.values()), None)
    if not isinstance(owner, type) or not isinstance(receiver, View):
        raise TermError("super() has no meaning here")
    return Super(receiver, owner)


def _call_method(method: Method, args: list[Value], keywords: dict[str, Value], frame: Frame) -> Value:
    if world.is_proposition(method):
        return world.proposition(method, args, keywords, frame.world)
    steps = hasattr(method.function, "__dio_role__") or hasattr(method.function, "__dio_atomic__")
    if steps or not isinstance(method.function, FunctionType):
        raise TermError(f"`{method.name}` takes steps and cannot be called in a property")
    return formula.call_function(method.function, [method.receiver, *args], keywords, frame)


def _call_python(callee: Any, args: list[Value], keywords: dict[str, Value], frame: Frame) -> Value:
    known = _BUILTINS.get(callee) if callee.__hash__ is not None else None
    if known is not None:
        if keywords:
            raise TermError(f"`{callee.__name__}` takes no keywords here")
        return known(args)
    if callee.__module__ == "dio_mc.lang.statements" and callee.__name__ == "threads":
        return world.threads(args, frame.world)
    if isinstance(callee, FunctionType):
        return formula.call_function(callee, args, keywords, frame)
    if isinstance(callee, type) and dataclasses.is_dataclass(callee):
        return _construct(callee, args, keywords)
    if any(isinstance(a, View | Coded | Maybe | Filtered | Record) or terms.is_symbolic(a) for a in args):
        raise TermError(f"`{getattr(callee, '__name__', callee)}` cannot be called with values of the model")
    return callee(*args, **keywords)


def _construct(cls: Any, args: list[Value], keywords: dict[str, Value]) -> Record:
    entries = dataclasses.fields(cls)
    given = {**dict(zip([f.name for f in entries], args, strict=False)), **keywords}
    if len(args) > len(entries) or not set(given) <= {f.name for f in entries}:
        raise TermError(f"{cls.__name__} cannot be made from these arguments")
    defaults = {f.name: f.default for f in entries if f.default is not dataclasses.MISSING}
    missing = [f.name for f in entries if f.name not in given and f.name not in defaults]
    if missing:
        raise TermError(f"{cls.__name__} needs a value for `{missing[0]}`")
    return Record(cls, tuple((f.name, given[f.name] if f.name in given else defaults[f.name]) for f in entries))


# --- Python's own functions -------------------------------------------------------------------------------------------


def _pairs(args: list[Value]) -> list[tuple[Term, Value]]:
    """The elements of the only argument, each with the condition under which it is an element."""
    if len(args) != 1:
        raise TermError("one generator or array is needed here")
    if isinstance(args[0], Filtered):
        return list(args[0].pairs)
    return [(True, value) for value in algebra.sequence(args[0])]


def _all(args: list[Value]) -> Term:
    return terms.conj(terms.disj([terms.neg(condition), value]) for condition, value in _pairs(args))


def _any(args: list[Value]) -> Term:
    return terms.disj(terms.conj([condition, value]) for condition, value in _pairs(args))


def _sum(args: list[Value]) -> Term:
    total: Term = 0
    for condition, value in _pairs(args):
        number = terms.as_number(algebra.code(value))
        total = total + terms.select(condition, number, 0)
    return total


def _extreme(op: str) -> Callable[[list[Value]], Value]:
    def build(args: list[Value]) -> Value:
        found = algebra.sequence(args[0]) if len(args) == 1 else args
        if not found:
            raise TermError("min and max need at least one value")
        return algebra.extreme(op, found)

    return build


def _abs(args: list[Value]) -> Term:
    number = algebra.code(args[0])
    return terms.select(terms.order("<", number, 0), -number, number)


def _isinstance(args: list[Value]) -> Term:
    value, cls = args
    if not algebra.is_record(value):
        raise TermError(f"isinstance needs a value of a tagged union, not {algebra.describe(value)}")
    record = algebra.as_record(value)
    classes = [c for c, _ in record.shape.variants] if record.shape is not None else []
    if not classes:
        return bool(record.python_class is cls)
    if cls not in classes:
        raise TermError(f"{cls} is not a member of the union")
    tag = dict(record.fields)["tag"]
    return terms.same(algebra.code(tag), classes.index(cls))


def _sequences(function: Callable[..., Any]) -> Callable[[list[Value]], Value]:
    return lambda args: list(function(*(algebra.sequence(a) for a in args)))


def _range(args: list[Value]) -> range:
    if any(terms.is_symbolic(a) for a in args):
        raise TermError("this range must have constant bounds")
    return range(*args)


_BUILTINS: Final[dict[Any, Callable[[list[Value]], Value]]] = {
    all: _all, any: _any, sum: _sum, min: _extreme("<"), max: _extreme(">"), abs: _abs, isinstance: _isinstance,
    bool: lambda args: terms.truth(args[0]), len: lambda args: len(algebra.sequence(args[0])), range: _range,
    tuple: _sequences(list), list: _sequences(list), enumerate: _sequences(enumerate), zip: _sequences(zip),
    reversed: _sequences(reversed),
}  # fmt: skip


# --- z3 ---------------------------------------------------------------------------------------------------------------


def _call_z3(callee: Any, args: list[Value], keywords: dict[str, Value], node: ast.Call, frame: Frame) -> Value:
    known = _CONNECTIVES.get(callee) if not keywords and callee.__hash__ is not None else None
    if known is None:
        frame.world.natives[getattr(callee, "__name__", None) or str(callee)] = None
        return callee(*map(_lift, args), **{k: _lift(v) for k, v in keywords.items()})
    if callee is z3.Implies and len(args) == 2:
        frame.world.implications.append((frame.span(node), terms.truth(args[0])))
    return known(args)


def _lift(value: Value) -> Any:
    """An argument converted for z3: codes for values of the model, lists of codes for arrays."""
    match value:
        case View() if algebra.is_sequence(value):
            return [_lift(v) for v in algebra.sequence(value)]
        case list() | tuple():
            return [_lift(v) for v in value]
        case Enum() | Coded() | Maybe() | Filtered() | Record() | View():
            return algebra.code(value)
        case _:
            return value


def _spread(args: list[Value]) -> list[Value]:
    """The operands of z3's And and Or, which take a list as well."""
    return algebra.sequence(args[0]) if len(args) == 1 and algebra.is_sequence(args[0]) else args


def _fixed(count: int, function: Callable[..., Value]) -> Callable[[list[Value]], Value]:
    def build(args: list[Value]) -> Value:
        if len(args) != count:
            raise TermError(f"{count} arguments are needed here, not {len(args)}")
        return function(*args)

    return build


def _xor(left: Value, right: Value) -> Term:
    return terms.neg(terms.same(terms.truth(left), terms.truth(right)))


_CONNECTIVES: Final[dict[Any, Callable[[list[Value]], Value]]] = {
    z3.And: lambda args: terms.conj(_spread(args)), z3.Or: lambda args: terms.disj(_spread(args)),
    z3.Not: _fixed(1, terms.neg), z3.Implies: _fixed(2, terms.implies), z3.If: _fixed(3, algebra.choose),
    z3.Xor: _fixed(2, _xor),
}  # fmt: skip
