"""From declared types to layouts: Python type -> `TypeTree` -> `Shape` and variables.

A `TypeTree` still has records, unions and arrays. Laying it out under a path gives one IR variable per scalar leaf
(struct of arrays), so that engines see only integers.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from math import prod
from typing import Any

from dio_mc.ir.program import ArrayShape, RecordShape, ScalarShape, Shape, Variable
from dio_mc.ir.types import (
    BOOL,
    EnumType,
    OptionType,
    RangeType,
    ScalarType,
    ThreadIdType,
    bounds,
    cardinality,
    default_value,
    none_value,
)
from dio_mc.lang.declarations import MISSING, Choice, Range, ThreadId, VarDeclaration
from dio_mc.source import Span


class DeclarationError(Exception):
    """A wrong declaration, perhaps with a hint; the caller knows its location."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class ScalarTree:
    """A scalar leaf."""

    type: ScalarType


@dataclass(frozen=True, slots=True)
class RecordTree:
    """Fields with their types and Python defaults (MISSING if there is none). `variants` as in `RecordShape`."""

    cls: Any
    fields: tuple[tuple[str, TypeTree, Any], ...]
    variants: tuple[tuple[Any, tuple[str, ...]], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ArrayTree:
    """`size` elements of one type."""

    size: int
    element: TypeTree


TypeTree = ScalarTree | RecordTree | ArrayTree
Resolve = Callable[[Any], Any]
"""A function that evaluates parameters, and expressions over them, to Python values; it returns anything else
unchanged."""

MAX_CARDINALITY = 1 << 31


def enum_type(cls: type[Enum]) -> EnumType:
    """The IR type of a Python enum."""
    return EnumType(cls.__name__, tuple(cls.__members__))


def type_tree(annotation: Any, resolve: Resolve, thread_names: tuple[str, ...]) -> TypeTree:
    """The tree of a declared type. Raises `DeclarationError` if it is not a type of the language."""
    annotation = resolve(annotation)
    if annotation is bool:
        return ScalarTree(BOOL)
    if annotation is ThreadId:
        return ScalarTree(ThreadIdType(thread_names))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        if not annotation.__members__:
            raise DeclarationError(f"enum {annotation.__name__} has no members")
        return ScalarTree(enum_type(annotation))
    if isinstance(annotation, Range):
        return ScalarTree(_range_type(resolve(annotation.low), resolve(annotation.high)))
    if isinstance(annotation, range):
        if annotation.step != 1 or len(annotation) == 0:
            raise DeclarationError("a range type needs step 1 and at least one value")
        return ScalarTree(RangeType(annotation.start, annotation.stop - 1))
    members = _union_members(annotation)
    if members is not None:
        return _union_tree(members, resolve, thread_names)
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return _record_tree(annotation, resolve, thread_names)
    if isinstance(annotation, VarDeclaration) and (annotation.size is not None or annotation.per_thread):
        size = len(thread_names) if annotation.per_thread else annotation.size
        return array_tree(size, type_tree(annotation.type, resolve, thread_names), resolve)
    raise DeclarationError(_why_not(annotation))


def _why_not(annotation: Any) -> str:
    if annotation is int:
        return "`int` has no bounds, and every value here must be finite: use Range(low, high)"
    if annotation in (str, float, list, dict, set):
        return (
            f"`{annotation.__name__}` is not a finite type: use bool, an Enum, Range, ThreadId, or a frozen dataclass"
        )
    return f"{annotation!r} is not a type of the modelling language"


def _range_type(low: Any, high: Any) -> RangeType:
    if not (isinstance(low, int) and isinstance(high, int)):
        raise DeclarationError("the bounds of a Range are integers or parameters")
    if low > high:
        raise DeclarationError(f"Range({low}, {high}) is empty")
    if high - low >= MAX_CARDINALITY:
        hint = "a model needs the few values that make a difference: Range(0, 3)"
        raise DeclarationError(f"Range({low}, {high}) has more than 2^31 values", hint)
    return RangeType(low, high)


def _union_members(annotation: Any) -> tuple[Any, ...] | None:
    if isinstance(annotation, Choice):
        return annotation.members
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return None


def _union_tree(members: tuple[Any, ...], resolve: Resolve, names: tuple[str, ...]) -> TypeTree:
    rest = tuple(m for m in members if m is not None and m is not type(None))
    if len(rest) == 1 and len(rest) < len(members):
        tree = type_tree(rest[0], resolve, names)
        if not isinstance(tree, ScalarTree) or isinstance(tree.type, OptionType):
            raise DeclarationError("only a scalar can be optional; use a union of frozen dataclasses instead")
        return ScalarTree(OptionType(tree.type))
    if len(rest) == len(members) and all(isinstance(m, type) and dataclasses.is_dataclass(m) for m in rest):
        return _tagged_tree(rest, resolve, names)
    raise DeclarationError("a union is `T | None` of a scalar, or a union of frozen dataclasses")


def _tagged_tree(classes: tuple[Any, ...], resolve: Resolve, names: tuple[str, ...]) -> RecordTree:
    fields: dict[str, tuple[TypeTree, Any]] = {}
    variants: list[tuple[Any, tuple[str, ...]]] = []
    for cls in classes:
        record = _record_tree(cls, resolve, names)
        variants.append((cls, tuple(name for name, _, _ in record.fields)))
        for name, tree, default in record.fields:
            if fields.setdefault(name, (tree, default))[0] != tree:
                raise DeclarationError(f"field {name!r} has different types in the members of the union")
    tag = ScalarTree(EnumType("tag", tuple(cls.__name__ for cls in classes)))
    listed = tuple((name, tree, default) for name, (tree, default) in fields.items())
    return RecordTree(None, (("tag", tag, MISSING), *listed), tuple(variants))


def _record_tree(cls: Any, resolve: Resolve, names: tuple[str, ...]) -> RecordTree:
    if not cls.__dataclass_params__.frozen:
        raise DeclarationError(f"dataclass {cls.__name__} must be frozen: @dataclass(frozen=True)")
    try:
        hints = typing.get_type_hints(cls, globalns=cls.__init__.__globals__)
    except Exception as error:
        raise DeclarationError(f"the field types of {cls.__name__} cannot be read: {error}") from None
    fields: list[tuple[str, TypeTree, Any]] = []
    for entry in dataclasses.fields(cls):
        try:
            tree = type_tree(hints.get(entry.name, entry.type), resolve, names)
        except DeclarationError as error:
            raise DeclarationError(f"field {cls.__name__}.{entry.name}: {error}") from None
        fields.append((entry.name, tree, MISSING if entry.default is dataclasses.MISSING else entry.default))
    return RecordTree(cls, tuple(fields))


def array_tree(size: Any, element: TypeTree, resolve: Resolve) -> ArrayTree:
    """An array of elements of type `element`; `size` is an integer, a parameter, or a tuple of them. Raises
    `DeclarationError`."""
    sizes = [resolve(s) for s in (size if isinstance(size, tuple) else (size,))]
    for one in sizes:
        if not isinstance(one, int) or isinstance(one, bool) or one < 0:
            raise DeclarationError(f"an array's size is a whole number, not {one!r}")
    tree: TypeTree = element
    for one in reversed(sizes):
        tree = ArrayTree(one, tree)
    assert isinstance(tree, ArrayTree)
    return tree


def scalar_code(type_: ScalarType, value: Any) -> int:
    """The integer code of a Python value. Raises `DeclarationError` if it is not a value of the type."""
    code: int | None = None
    match type_:
        case OptionType(element):
            return none_value(type_) if value is None else scalar_code(element, value)
        case EnumType(name, members):
            if isinstance(value, Enum) and type(value).__name__ == name and value.name in members:
                code = members.index(value.name)
        case RangeType(low, high):
            if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
                code = value
        case ThreadIdType():
            code = None
        case _:
            code = int(value) if isinstance(value, bool) else None
    if code is None:
        low, high = bounds(type_)
        wanted = f"{low}..{high}" if isinstance(type_, RangeType) else type_
        raise DeclarationError(f"{value!r} is not a value of {_spell(wanted)}")
    return code


def _spell(wanted: object) -> str:
    from dio_mc.ir.types import show_type

    return wanted if isinstance(wanted, str) else show_type(wanted)  # type: ignore[arg-type]  # a ScalarType


@dataclass(slots=True)
class Layouter:
    """Lays out trees as variables and collects these in order."""

    variables: list[Variable]

    def place(self, name: str, tree: TypeTree, init: Any, *, ghost: bool, role: str, span: Span | None) -> Shape:
        """Create the variables for `tree` under the attribute `name`; returns its shape."""
        leaf = _Leaf(ghost, role, span, init is any)
        return self._place((name,), (), tree, [MISSING if init is any else init], leaf)

    def place_under(
        self,
        path: tuple[str | None, ...],
        dims: tuple[int, ...],
        tree: TypeTree,
        init: Any,
        ghost: bool,
        role: str,
        span: Span | None,
    ) -> Shape:
        """Create the variables for one field of a part under `path`, inside arrays with the extents `dims`."""
        return self._place(path, dims, tree, [init] * prod(dims), _Leaf(ghost, role, span, init is any))

    def _place(
        self, path: tuple[str | None, ...], dims: tuple[int, ...], tree: TypeTree, inits: list[Any], leaf: _Leaf
    ) -> Shape:
        """`inits` has one Python value (or MISSING) per element of the surrounding arrays."""
        match tree:
            case ScalarTree(type_):
                codes = tuple(default_value(type_) if v is MISSING else scalar_code(type_, v) for v in inits)
                return ScalarShape(self._variable(path, dims, type_, codes, leaf))
            case ArrayTree(size, element):
                spread = [one for v in inits for one in _elements(v, size)]
                return ArrayShape(size, self._place((*path, None), (*dims, size), element, spread, leaf))
            case RecordTree():
                return self._place_record(path, dims, tree, inits, leaf)

    def _place_record(
        self, path: tuple[str | None, ...], dims: tuple[int, ...], tree: RecordTree, inits: list[Any], leaf: _Leaf
    ) -> Shape:
        placed: list[tuple[str, Shape]] = []
        for name, field_tree, default in tree.fields:
            values = [record_field(tree, v, name, default) for v in inits]
            placed.append((name, self._place((*path, f".{name}"), dims, field_tree, values, leaf)))
        return RecordShape(tuple(placed), tree.cls, tree.variants)

    def _variable(
        self,
        path: tuple[str | None, ...],
        dims: tuple[int, ...],
        type_: ScalarType,
        codes: tuple[int, ...],
        leaf: _Leaf,
    ) -> int:
        name = "".join(piece or "" for piece in path)
        role: typing.Literal["data", "lock"] = "lock" if leaf.role == "lock" else "data"
        init_any = leaf.any_init and cardinality(type_) > 1
        self.variables.append(Variable(name, path, dims, type_, codes, init_any, leaf.ghost, role, leaf.span))
        return len(self.variables) - 1


@dataclass(frozen=True, slots=True)
class _Leaf:
    ghost: bool
    role: str
    span: Span | None
    any_init: bool


def _elements(init: Any, size: int) -> list[Any]:
    if isinstance(init, list | tuple):
        if len(init) != size:
            raise DeclarationError(f"init lists {len(init)} values for an array of {size}")
        return list(init)
    return [init] * size


def record_field(tree: RecordTree, value: Any, name: str, default: Any) -> Any:
    """The Python value of one field of a record or tagged union; MISSING if it is the type's default."""
    if value is MISSING:
        return default
    if not tree.variants:
        if not isinstance(value, tree.cls):
            raise DeclarationError(f"{value!r} is not a {tree.cls.__name__}")
        return getattr(value, name)
    for cls, fields in tree.variants:
        if type(value) is cls:
            if name == "tag":
                return _tag(cls.__name__)
            return getattr(value, name) if name in fields else MISSING
    raise DeclarationError(f"{value!r} is not a member of the union")


def _tag(name: str) -> Any:
    """A substitute for a member of the synthetic enum ``tag``."""
    functional: Any = Enum
    return functional("tag", {name: 0})[name]
