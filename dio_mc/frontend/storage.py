"""The run-time locals of a template while its body is compiled: their names, their types joined over all assignments,
and their slots."""

from __future__ import annotations

from dataclasses import dataclass, field

from dio_mc.frontend.records import rebuild
from dio_mc.frontend.shapes import ArrayTree, RecordTree, ScalarTree, TypeTree
from dio_mc.frontend.values import Items, RecordValue, Scalar, Static, Value, join, scalar_of
from dio_mc.ir.expr import Local
from dio_mc.ir.ops import LocalTo
from dio_mc.ir.program import LocalVariable
from dio_mc.ir.types import OptionType, ScalarType, default_value
from dio_mc.lang.declarations import MISSING


class NoCommonType(Exception):
    """The types of two assignments to one local cannot be joined."""


@dataclass(slots=True)
class Storage:
    """The types of locals are kept from one compilation pass to the next, until they no longer change; slots are
    assigned in each pass.

    `changed` are the locals for which this pass has used another type before, or which it has looked up before they had
    a type (`missed`). A local that gets its type at its first assignment and keeps it needs no further pass. `values`
    are the locals that were read, each with the type that it had: until that changes, a local is one and the same
    object.
    """

    types: dict[str, TypeTree] = field(default_factory=dict)
    pending_none: set[str] = field(default_factory=set)
    fixed: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    missed: set[str] = field(default_factory=set)
    slots: dict[str, tuple[int, ScalarType]] = field(default_factory=dict)
    values: dict[str, tuple[TypeTree, Value]] = field(default_factory=dict)

    def begin_pass(self) -> None:
        """Forget slots and changes, and keep types."""
        self.changed.clear()
        self.missed.clear()
        self.slots.clear()
        self.values.clear()

    def declare(self, name: str, tree: TypeTree) -> None:
        """Fix the type of an annotated local."""
        self._settle(name, tree)
        self.fixed.add(name)

    def assign(self, name: str, value: Value) -> None:
        """Widen the local's type so that it contains `value`. Raises `NoCommonType`."""
        if name in self.fixed:
            return
        if isinstance(value, Static) and value.value is None:
            self._assign_none(name)
            return
        tree = tree_of_value(value)
        if tree is None:
            raise NoCommonType
        if name in self.pending_none and isinstance(tree, ScalarTree) and not isinstance(tree.type, OptionType):
            tree = ScalarTree(OptionType(tree.type))
        old = self.types.get(name)
        new = tree if old is None else join_trees(old, tree)
        self._settle(name, new)

    def _settle(self, name: str, tree: TypeTree) -> None:
        old = self.types.get(name)
        if old != tree:
            self.types[name] = tree
            if old is not None or name in self.missed:
                self.changed.add(name)

    def _assign_none(self, name: str) -> None:
        self.pending_none.add(name)
        old = self.types.get(name)
        if old is None:
            self.missed.add(name)
        if isinstance(old, ScalarTree) and not isinstance(old.type, OptionType):
            self.types[name] = ScalarTree(OptionType(old.type))
            self.changed.add(name)

    def read(self, name: str) -> Value | None:
        """The local as a value, or None while its type is unknown."""
        tree = self.types.get(name)
        if tree is None:
            self.missed.add(name)
            return None
        kept = self.values.get(name)
        if kept is not None and kept[0] is tree:
            return kept[1]
        value = rebuild(tree, iter([Scalar(Local(t.index, t.name, t.type)) for t in self.targets(name)]))
        self.values[name] = tree, value
        return value

    def targets(self, name: str) -> list[LocalTo]:
        """The slots of a local, in field order."""
        return [LocalTo(self._slot(leaf, type_), leaf, type_) for leaf, type_ in leaves(name, self.types[name])]

    def _slot(self, leaf: str, type_: ScalarType) -> int:
        if leaf not in self.slots:
            self.slots[leaf] = (len(self.slots), type_)
        return self.slots[leaf][0]

    def variables(self) -> tuple[LocalVariable, ...]:
        """The locals in slot order."""
        return tuple(LocalVariable(name, t, default_value(t)) for name, (_, t) in self.slots.items())


def leaves(name: str, tree: TypeTree) -> list[tuple[str, ScalarType]]:
    """The scalars of a local: their names and types."""
    match tree:
        case ScalarTree(type_):
            return [(name, type_)]
        case RecordTree(_, fields):
            return [leaf for n, t, _ in fields for leaf in leaves(f"{name}.{n}", t)]
        case ArrayTree(size, element):
            return [leaf for i in range(size) for leaf in leaves(f"{name}[{i}]", element)]


def tree_of_value(value: Value) -> TypeTree | None:
    """The type of a value; None if it has none (a class, a place)."""
    scalar = scalar_of(value)
    if scalar is not None:
        return ScalarTree(scalar.type)
    match value:
        case RecordValue(tree, fields):
            trees = [tree_of_value(v) for _, v in fields]
            if any(t is None for t in trees):
                return None
            listed = tuple((n, t, MISSING) for (n, _, _), t in zip(tree.fields, _widest(tree, trees), strict=True))
            return RecordTree(tree.cls, listed, tree.variants)
        case Items(values) if values:
            first = tree_of_value(values[0])
            for other in values[1:]:
                next_ = tree_of_value(other)
                first = None if first is None or next_ is None else join_trees(first, next_)
            return None if first is None else ArrayTree(len(values), first)
        case _:
            return None


def _widest(tree: RecordTree, found: list[TypeTree | None]) -> list[TypeTree]:
    """The declared types of a record's fields, whatever the types of the values."""
    return [declared for (_, declared, _), _ in zip(tree.fields, found, strict=True)]


def join_trees(left: TypeTree, right: TypeTree) -> TypeTree:
    """The smallest type that contains both. Raises `NoCommonType`."""
    if left == right:
        return left
    if isinstance(left, ScalarTree) and isinstance(right, ScalarTree):
        joined = join(left.type, right.type)
        if joined is not None:
            return ScalarTree(joined)
    if (
        isinstance(left, RecordTree)
        and isinstance(right, RecordTree)
        and left.cls is right.cls
        and left.variants == right.variants
    ):
        return left
    if isinstance(left, ArrayTree) and isinstance(right, ArrayTree) and left.size == right.size:
        return ArrayTree(left.size, join_trees(left.element, right.element))
    raise NoCommonType
