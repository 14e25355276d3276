"""Operations that run as threads: which there are, their numbers of slots, and the types of their arguments."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import lru_cache

from dio_mc.frontend.frames import Frame
from dio_mc.frontend.shapes import ScalarTree
from dio_mc.frontend.storage import NoCommonType, join_trees
from dio_mc.frontend.values import Mismatch, Static, Value, coerce_scalar, describe, join, scalar_of
from dio_mc.ir.expr import Expr
from dio_mc.ir.types import OptionType, ScalarType
from dio_mc.source import function_tree


@dataclass(slots=True)
class SpawnTarget:
    """A spawned operation: the number of its template, and the types of its arguments, joined over all spawns. They
    have `changed` if this pass used other types before, in a spawn or in the operation's body (`compiled`). `given` has
    the types of the arguments that each thread passes; None if one of them is None."""

    name: str
    template: int
    parameters: dict[str, ScalarType] = field(default_factory=dict)
    changed: bool = False
    compiled: bool = False
    given: dict[str, dict[str, ScalarType | None]] = field(default_factory=dict)

    def begin_pass(self) -> None:
        """Forget changes, and keep types."""
        self.changed = self.compiled = False
        self.given.clear()

    def latch(self, name: str, value: Value, call: ast.Call, frame: Frame) -> Expr:
        """Widen a parameter so that it contains an argument; returns the argument converted to the type of the
        parameter."""
        old = self.parameters.get(name)
        self._note(name, value, frame)
        if isinstance(value, Static) and value.value is None:
            new: ScalarType | None = None if old is None else old if isinstance(old, OptionType) else OptionType(old)
        else:
            new = self._joined(old, value, call, frame)
        if new is None:
            raise frame.scope.fail("DIO103", call, f"the type of argument `{name}` cannot be told from None")
        if new != old:
            self.parameters[name] = new
            self.changed |= old is not None or self.compiled
        try:
            return coerce_scalar(value, new)
        except Mismatch as error:
            raise frame.scope.fail("DIO103", call, f"argument `{name}`: {error}") from None

    def _note(self, name: str, value: Value, frame: Frame) -> None:
        given = self.given.setdefault(frame.state.name, {})
        scalar = None if isinstance(value, Static) and value.value is None else scalar_of(value)
        if scalar is None:
            given[name] = None
            return
        before = given.get(name, scalar.type)
        given[name] = join(before, scalar.type) if before is not None else None

    def _joined(self, old: ScalarType | None, value: Value, call: ast.Call, frame: Frame) -> ScalarType:
        scalar = scalar_of(value)
        if scalar is None:
            raise frame.scope.fail("DIO103", call, f"a spawned operation takes scalars, not {describe(value)}")
        if old is None:
            return scalar.type
        try:
            joined = join_trees(ScalarTree(old), ScalarTree(scalar.type))
        except NoCommonType:
            raise frame.scope.fail("DIO116", call, "spawned with arguments of different types") from None
        assert isinstance(joined, ScalarTree)
        return joined.type


def spawned_by(model: type, entry: str) -> frozenset[str]:
    """The names of the operations that a method may spawn, directly or through the operations that it calls."""
    seen: set[str] = set()
    spawned: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for function in _definitions(model, name):
            called, started = _mentions(function)
            waiting += sorted(called)
            spawned |= started
    return frozenset(spawned)


def _definitions(model: type, name: str) -> list[object]:
    """Every definition of a method along the MRO, since `super()` may reach any of them."""
    return [vars(cls)[name] for cls in model.__mro__ if name in vars(cls)]


def _mentions(function: object) -> tuple[frozenset[str], frozenset[str]]:
    tree = function_tree(function)  # type: ignore[arg-type]  # anything else has no tree
    return _mentioned(tree) if tree is not None else (frozenset(), frozenset())


@lru_cache(maxsize=512)
def _mentioned(tree: ast.FunctionDef) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the methods that a function calls, and of those that it spawns."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    spawns = [call.args[0] for call in calls if _is_spawn(call.func) and call.args]
    return frozenset(called), frozenset(what.attr for what in spawns if isinstance(what, ast.Attribute))


def _is_spawn(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "spawn") or (
        isinstance(node, ast.Attribute) and node.attr == "spawn"
    )
