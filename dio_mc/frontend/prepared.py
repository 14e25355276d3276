"""What is known of a class before its code is compiled: its members, its parameters, its threads and its data.

The classes of a matrix differ from one another in the functions of their threads. All that comes before the code is the
same for those whose threads spawn the same operations, and is worked out once (`Preparations`).
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from dio_mc.errors import Diagnostic
from dio_mc.frontend.anchors import check_anchors
from dio_mc.frontend.context import Context, Diagnostics
from dio_mc.frontend.declare import (
    Members,
    attribute_span,
    bind_params,
    class_span,
    declare,
    function_span,
    members_of,
)
from dio_mc.frontend.inlined import Call, Inlined
from dio_mc.frontend.spawning import SpawnTarget, spawned_by
from dio_mc.frontend.templates import Asked
from dio_mc.lang.model import ROLE, PropertyRole, ThreadRole
from dio_mc.source import function_tree


@dataclass(slots=True)
class Shared:
    """What classes have in common that are prepared alike: `parts` of the shelf, once that has looked, and compiled
    `calls`."""

    parts: Any = None
    calls: dict[Hashable, Call] = field(default_factory=dict)


@dataclass(slots=True)
class Prepared:
    """A class before its code is compiled. `bound` are its parameters, `asked` is what its properties ask; `shared` is
    one object for all classes that this was prepared for."""

    model: type
    members: Members
    bound: dict[str, int | bool]
    context: Context
    asked: Asked
    shared: Shared


def prepare(model: type, params: Mapping[str, int], numbers: Mapping[str, int]) -> Prepared:
    """The members, data and threads of a class. What is wrong with them is recorded in the context. Raises `ModelError`
    for unknown and wrong parameters."""
    members = members_of(model)
    counted = {name: numbers[name] for name in members.params if name in numbers}
    bound = bind_params(model, members, {**params, **counted}, numbers)
    context = declare(model, members, bound, numbers)
    _check_parts(model, members, context)
    check_anchors(model, members, context)
    return Prepared(model, members, bound, context, _asked(members), Shared())


MOST: Final = 36
"""Preparations that are kept: the pairs under one rule need about six. Also the number of rules."""

Above = tuple[type, ...]
"""The classes above a class, in the order of its MRO."""


@dataclass(slots=True)
class Preparations:
    """The last preparations, each for all classes that have the same classes above them, add the same plain values, and
    add threads with the same names and roles that spawn the same operations, with the same parameters and numbers.

    This decides all that is prepared but the functions of the added threads and the class itself, which are put in
    place. A class is prepared by itself if it adds anything else, if something is wrong with it, or if it has relaxed
    variables. `above` has the attributes of the classes above as they were: if any has
    changed, everything is forgotten. `spawned` is what the functions of added threads spawn.
    """

    kept: dict[Any, Prepared] = field(default_factory=dict)
    above: dict[Above, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    spawned: dict[Any, frozenset[str]] = field(default_factory=dict)

    def of(self, model: type, params: Mapping[str, int], numbers: Mapping[str, int]) -> Prepared:
        """The preparation of a class."""
        above = model.__mro__[1:]
        added = {name: value for name, value in vars(model).items() if not name.startswith("__")}
        threads = {name: value for name, value in added.items() if is_thread(value)}
        plain = tuple((n, type(v), v) for n, v in added.items() if n not in threads)
        if not all(isinstance(value, bool | int | str) for _, _, value in plain):
            return prepare(model, params, numbers)
        self._look_at(above)
        roles = tuple((n, getattr(f, ROLE), self._spawned_by(model, n, f, threads)) for n, f in threads.items())
        key = above, plain, roles, tuple(params.items()), tuple(numbers.items())
        if key not in self.kept:
            ready = prepare(model, params, numbers)
            if ready.context.diagnostics.found or ready.context.buffers is not None:
                return ready
            self.kept[key] = ready
            while len(self.kept) > MOST:
                del self.kept[next(iter(self.kept))]
        return _of_another(self.kept[key], model, threads)

    def _look_at(self, above: Above) -> None:
        """Forget everything if a class has changed, or if there are too many."""
        before = self.above.get(above)
        if before is not None and all(map(_same, map(vars, above), before)):
            return
        if before is not None or len(self.above) == MOST:
            self.kept.clear()
            self.above.clear()
            self.spawned.clear()
        self.above[above] = tuple(dict(vars(cls)) for cls in above)

    def _spawned_by(self, model: type, name: str, function: Any, threads: Mapping[str, Any]) -> frozenset[str]:
        """What a thread spawns. If no thread is called by an identifier, no function can name one of them, and only the
        classes above decide."""
        if any(map(str.isidentifier, threads)):
            return spawned_by(model, name)
        key = model.__mro__[1:], function
        if key not in self.spawned:
            self.spawned[key] = spawned_by(model, name)
        return self.spawned[key]


def _of_another(ready: Prepared, model: type, threads: Mapping[str, Any]) -> Prepared:
    """The preparation of a class that differs in the functions of its threads. What compiling fills is made anew."""
    owned = {
        name: (threads[name], model, role) if name in threads else (function, owner, role)
        for name, (function, owner, role) in ready.members.threads.items()
    }
    before = ready.context
    context = replace(
        before, model=model, variables=list(before.variables), root=replace(before.root, python_class=model),
        spawned={name: SpawnTarget(name, target.template) for name, target in before.spawned.items()},
        inlined=Inlined(ready.shared.calls), looked_up={}, answers={}, trail={}, diagnostics=Diagnostics(),
    )  # fmt: skip
    return replace(ready, model=model, members=replace(ready.members, threads=owned), context=context)


def is_thread(value: Any) -> bool:
    """Whether an attribute of a class is a thread."""
    return isinstance(getattr(value, ROLE, None), ThreadRole)


def _same(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether a class has the same attributes in the same order, and the very same values."""
    return len(now) == len(before) and all(
        n is b and v is w for (n, v), (b, w) in zip(now.items(), before.items(), strict=True)
    )


def _check_parts(model: type, members: Members, context: Context) -> None:
    """Report a model without threads or without anything to check, and members that are replaced by something
    of another kind."""
    span = class_span(model)
    if not members.threads:
        context.diagnostics.add(
            Diagnostic("DIO107", f"{model.__name__} has no @thread", span, "mark a method with @thread")
        )
    for name, owner, declared in members.replaced:
        message = f"`{name}` is data of {declared.__name__}, and this takes its place"
        hint = f"declare it again, as `{name} = Var(...)`, or take another name"
        span = attribute_span(owner, name) or class_span(owner)
        context.diagnostics.add(Diagnostic("DIO109", message, span, hint))
    for function, declared, role in members.undecorated:
        context.diagnostics.add(_undecorated(function, declared, role))
    nothing = not members.properties and not getattr(model, "deadlock", True)
    if nothing:
        hint = "add an @invariant, or leave the deadlock check on"
        context.diagnostics.add(Diagnostic("DIO108", f"{model.__name__} has nothing to check", span, hint))


def _undecorated(function: Any, declared: type, role: ThreadRole | PropertyRole) -> Diagnostic:
    """The error for a thread that would not run, or a property that would not be checked."""
    name = function.__name__
    word, lost = ("thread", "run") if isinstance(role, ThreadRole) else (role.kind, "be checked")
    message = f"`{name}` overrides the @{word} of {declared.__name__}, and without a decorator it would not {lost}"
    return Diagnostic("DIO109", message, function_span(function), f"write @{word} above it, or take another name")


def _asked(members: Members) -> Asked:
    """The operations and arguments that properties and pure methods mention in ``inside``."""
    operations: set[str] = set()
    arguments: set[str] = set()
    functions = [f for f, *_ in members.properties.values()] + [f for f, *_ in members.methods.values()]
    for tree in filter(None, map(function_tree, functions)):
        found = _asked_in(tree)
        operations |= found.operations
        arguments |= found.arguments
    return Asked(frozenset(operations), frozenset(arguments))


@lru_cache(maxsize=1024)
def _asked_in(tree: ast.FunctionDef) -> Asked:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    inside = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "inside"]
    operations = frozenset(a.attr for call in inside for a in call.args[:1] if isinstance(a, ast.Attribute))
    return Asked(operations, frozenset(k.arg for call in inside for k in call.keywords if k.arg))
