"""A model class -> its parameters, threads and laid-out data. Only class attributes are read; no body is compiled
here."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Container, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from dio_mc.errors import Diagnostic, ModelError, did_you_mean, usage_error
from dio_mc.frontend import weak
from dio_mc.frontend.context import Context
from dio_mc.frontend.inlined import Inlined
from dio_mc.frontend.recursion import DEEPEST
from dio_mc.frontend.shapes import (
    ArrayTree,
    DeclarationError,
    Layouter,
    Resolve,
    TypeTree,
    array_tree,
    type_tree,
)
from dio_mc.frontend.spawning import SpawnTarget, spawned_by
from dio_mc.ir.program import RecordShape, Shape, Thread
from dio_mc.lang.declarations import ParamDeclaration, ParamExpr, VarDeclaration
from dio_mc.lang.locks import DrainCounter, Lock
from dio_mc.lang.model import ROLE, Model, OperationRole, Part, PropertyRole, ThreadRole
from dio_mc.source import Span, function_tree, module_tree, source_lines, span_of


@dataclass(slots=True)
class Members:
    """The attributes of a model class by kind, in the order of first declaration along the MRO.

    `replaced` are attributes that are data in one class and something else in a class below it: the name, the class
    below, and the class that declares the data. `undecorated` are methods that override a thread or a property but are
    not decorated as one: the method, the class that declares the thread or property, and its role. `hidden` are threads
    and properties that are overridden by a class that does not derive from the class that declares them: the name, the
    overriding class, and the declaring class.
    """

    params: dict[str, ParamDeclaration] = field(default_factory=dict)
    data: dict[str, tuple[Any, type]] = field(default_factory=dict)
    threads: dict[str, tuple[Any, type, ThreadRole]] = field(default_factory=dict)
    operations: dict[str, tuple[Any, type, OperationRole]] = field(default_factory=dict)
    properties: dict[str, tuple[Any, type, PropertyRole]] = field(default_factory=dict)
    methods: dict[str, tuple[Any, type]] = field(default_factory=dict)
    replaced: list[tuple[str, type, type]] = field(default_factory=list)
    undecorated: list[tuple[Any, type, ThreadRole | PropertyRole]] = field(default_factory=list)
    hidden: list[tuple[str, type, type]] = field(default_factory=list)


def members_of(model: type) -> Members:
    """Collect the attributes of a model; an attribute of a subclass takes the place of the base's."""
    merged: dict[str, tuple[Any, type]] = {}
    hidden: list[tuple[str, type]] = []
    found = Members()
    for cls in reversed(model.__mro__):
        if cls in (object, Model):
            continue
        for name, value in vars(cls).items():
            if name.startswith("__"):
                continue
            before, declared = merged.get(name, (None, cls))
            if _is_data(before) and not _is_data(value):
                found.replaced.append((name, cls, declared))
                continue
            role = getattr(before, ROLE, None)
            if isinstance(role, ThreadRole | PropertyRole) and inspect.isfunction(value):
                if not isinstance(getattr(value, ROLE, None), type(role)):
                    found.undecorated.append((value, declared, role))
                    continue
                if not issubclass(cls, declared):
                    hidden.append((name, declared))
            merged[name] = (value, cls)
    found.hidden += [(name, merged[name][1], cls) for name, cls in hidden if not issubclass(merged[name][1], cls)]
    for name, (value, owner) in merged.items():
        _sort_in(found, name, value, owner)
    return found


def _sort_in(found: Members, name: str, value: Any, owner: type) -> None:
    role = getattr(value, ROLE, None)
    if isinstance(value, ParamDeclaration):
        found.params[name] = value
    elif _is_data(value):
        found.data[name] = (value() if _is_part_class(value) else value, owner)
    elif isinstance(role, ThreadRole):
        found.threads[name] = (value, owner, role)
    elif isinstance(role, OperationRole):
        found.operations[name] = (value, owner, role)
    elif isinstance(role, PropertyRole):
        found.properties[name] = (value, owner, role)
    elif inspect.isfunction(value):
        found.methods[name] = (value, owner)


def _is_data(value: Any) -> bool:
    return isinstance(value, VarDeclaration | Part) or _is_part_class(value)


def _is_part_class(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Part)


def bind_params(
    model: type, members: Members, given: Mapping[str, int], unbounded: Container[str] = ()
) -> dict[str, int | bool]:
    """The values of all parameters for a run. Raises `ModelError` for unknown names, and for values outside the bounds
    except those of parameters in `unbounded`."""
    unknown = [name for name in given if name not in members.params]
    if unknown:
        listed = ", ".join(members.params) or "none"
        hint = did_you_mean(unknown[0], members.params) or f"{model.__name__} has: {listed}"
        raise usage_error("DIO203", f"{model.__name__} has no parameter `{unknown[0]}`", hint=hint)
    bound: dict[str, int | bool] = {}
    for name, declared in members.params.items():
        value: Any = given.get(name, declared.default)  # may be of any type: not checked before
        low, high = declared.min, declared.max
        if not isinstance(value, int):
            span = attribute_span(model, name)
            raise ModelError(
                (Diagnostic("DIO109", f"parameter `{name}` is {value!r}; a number or a bool is needed", span),)
            )
        if isinstance(declared.default, bool):
            low, high, value = 0, 1, int(value)
        outside = (low is not None and value < low) or (high is not None and value > high)
        if outside and name not in unbounded:
            raise usage_error("DIO204", f"parameter {name}={value} is outside {_bounds(low, high)}")
        bound[name] = bool(value) if isinstance(declared.default, bool) else value
    return bound


def _bounds(low: int | None, high: int | None) -> str:
    return f"{'' if low is None else low}..{'' if high is None else high}"


def resolver(model: type, params: Mapping[str, int | bool]) -> Resolve:
    """A function that evaluates parameters, by name in the final class, and arithmetic over them."""

    def resolve(value: Any) -> Any:
        if isinstance(value, ParamDeclaration):
            if value.name not in params:
                raise DeclarationError(f"`{value.name}` is not a parameter of {model.__name__}")
            return params[value.name]
        if isinstance(value, ParamExpr):
            return value.function(*[resolve(operand) for operand in value.operands])
        return value

    return resolve


def declare(
    model: type, members: Members, params: dict[str, int | bool], numbers: Mapping[str, int] | None = None
) -> Context:
    """The threads and data of a model with its parameters bound. Wrong declarations are recorded in the context.
    `numbers` overrides the declared numbers of instances of threads and of slots of operations."""
    numbers = numbers or {}
    resolve = resolver(model, params)
    counts: dict[str, int] = {}
    problems: list[Diagnostic] = []
    for name, (function, _, role) in members.threads.items():
        counts[name] = numbers[name] if name in numbers else _instances(name, function, role, resolve, problems)
    spawned = _spawned(model, members, counts, resolve, problems)
    spawned = {name: numbers.get(name, slots) for name, slots in spawned.items()}
    relaxed = [n for n, (d, _) in members.data.items() if isinstance(d, VarDeclaration) and d.ordering == "relaxed"]
    threads, groups = _instances_of([*counts.items(), *spawned.items(), *([(weak.THREAD, 1)] if relaxed else [])])
    context = Context(model, params, tuple(t.name for t in threads), threads, groups)
    context.inlined = Inlined()
    context.depths = _depths(members, resolve, problems)
    for diagnostic in problems:
        context.diagnostics.add(diagnostic)
    for number, name in enumerate(spawned):
        context.spawned[name] = SpawnTarget(name, len(counts) + number)
    _lay_out(members if not numbers else _roomy(members), context, resolve)
    if relaxed:
        context.buffers = weak.lay_out(context, relaxed)
    return context


ROOM = 31
"""The smallest `max` of a `DrainCounter` if numbers of threads are overridden: the declared `max` was chosen for the
declared numbers."""


def _roomy(members: Members) -> Members:
    data = {name: (_with_room(declared), owner) for name, (declared, owner) in members.data.items()}
    return replace(members, data=data)


def _with_room(declared: Any) -> Any:
    if isinstance(declared, DrainCounter) and isinstance(declared.max, int):
        declared = copy(declared)
        declared.max = max(declared.max, ROOM)
    return declared


def _instances(name: str, function: Any, role: ThreadRole, resolve: Resolve, problems: list[Diagnostic]) -> int:
    try:
        count = resolve(role.instances)
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise DeclarationError(f"thread `{name}` has {count!r} instances; a whole number or a parameter is needed")
    except DeclarationError as error:
        problems.append(Diagnostic("DIO109", str(error), function_span(function)))
        return 0
    return count


def _depths(members: Members, resolve: Resolve, problems: list[Diagnostic]) -> dict[str, int]:
    """How deep the operations that declare a depth may call themselves."""
    depths: dict[str, int] = {}
    for name, (function, _, role) in members.operations.items():
        if role.depth is None:
            continue
        try:
            depth = resolve(role.depth)
            if not isinstance(depth, int) or isinstance(depth, bool) or not 1 <= depth <= DEEPEST:
                raise DeclarationError(f"operation `{name}` has depth {depth!r}; it is from 1 to {DEEPEST}")
        except DeclarationError as error:
            problems.append(Diagnostic("DIO109", str(error), function_span(function)))
            depth = 1
        depths[name] = depth
    return depths


def _spawned(
    model: type, members: Members, counts: dict[str, int], resolve: Resolve, problems: list[Diagnostic]
) -> dict[str, int]:
    """The number of slots of each spawned operation: as declared, or one per thread that may spawn it, counting spawned
    ones."""
    reach = {thread: spawned_by(model, thread) for thread in counts}
    order = [name for name in members.operations if any(name in found for found in reach.values())]
    frontier = list(order)
    while frontier:
        started = spawned_by(model, frontier.pop())
        further = [n for n in members.operations if n in started and n not in order]
        order += further
        frontier += further
    slots: dict[str, int] = {}
    for name in order:
        function, _, role = members.operations[name]
        bound = resolve(role.slots)
        if bound is None:
            starters = {**counts, **slots}
            bound = max(1, sum(n for t, n in starters.items() if name in reach.setdefault(t, spawned_by(model, t))))
        if not isinstance(bound, int) or bound < 1:
            problems.append(Diagnostic("DIO109", f"operation `{name}` has {bound!r} slots", function_span(function)))
            bound = 1
        slots[name] = bound
    return slots


def _instances_of(counts: list[tuple[str, int]]) -> tuple[tuple[Thread, ...], dict[str, tuple[int, ...]]]:
    threads: list[Thread] = []
    groups: dict[str, tuple[int, ...]] = {}
    for template, (name, count) in enumerate(counts):
        first = len(threads)
        threads += [Thread(name if count == 1 else f"{name}[{i}]", template, i) for i in range(count)]
        groups[name] = tuple(range(first, first + count))
    return tuple(threads), groups


def function_span(function: Any) -> Span | None:
    """The line of a function's ``def``."""
    tree = function_tree(function)
    if tree is None:
        return None
    span = span_of(tree, function.__code__.co_filename)
    line = source_lines(span.file)[tree.lineno - 1]
    return Span(span.file, tree.lineno, tree.col_offset + 1, tree.lineno, len(line) + 1)


def _lay_out(members: Members, context: Context, resolve: Resolve) -> None:
    layouter = Layouter(context.variables)
    fields: list[tuple[str, Shape]] = []
    for name, (declared, owner) in members.data.items():
        span = attribute_span(owner, name)
        try:
            shape, part = _place(name, declared, layouter, context, resolve, span)
        except DeclarationError as error:
            context.diagnostics.add(
                Diagnostic("DIO105" if "no bounds" in str(error) else "DIO109", f"`{name}`: {error}", span, error.hint)
            )
            continue
        fields.append((name, shape))
        if part is not None:
            context.parts[name] = part
            if isinstance(part, Lock) and not (part.sleeps and part.holder_sleeps):
                context.spinlocks.append(name)
    context.root = RecordShape(tuple(fields), context.model)


def _place(
    name: str, declared: Any, layouter: Layouter, context: Context, resolve: Resolve, span: Span | None
) -> tuple[Shape, Part | None]:
    if isinstance(declared, Part):
        return _place_part((name,), (), declared, layouter, context, resolve, span), declared
    if not isinstance(declared.ghost, bool):
        raise DeclarationError(f"ghost is True or False, not {declared.ghost!r}")
    inner = declared.type() if _is_part_class(declared.type) else declared.type
    sizes = len(context.threads) if declared.per_thread else declared.size
    if isinstance(inner, Part):
        return _place_part_array(name, inner, sizes, layouter, context, resolve, span), inner
    tree = type_tree(inner, resolve, context.thread_names)
    if sizes is not None:
        tree = array_tree(sizes, tree, resolve)
    init = (
        resolve(declared.init) if not isinstance(declared.init, list | tuple) else [resolve(v) for v in declared.init]
    )
    return layouter.place(name, tree, init, ghost=declared.ghost, role="data", span=span), None


def _place_part_array(
    name: str, part: Part, sizes: Any, layouter: Layouter, context: Context, resolve: Resolve, span: Span | None
) -> Shape:
    """Lay out an array of locks: every field of the lock gets the array's dimensions as its first ones."""
    dims = array_tree(sizes, type_tree(bool, resolve, ()), resolve)
    extents: list[int] = []
    tree: TypeTree = dims
    while isinstance(tree, ArrayTree):
        extents.append(tree.size)
        tree = tree.element
    shape = _place_part((name, *[None] * len(extents)), tuple(extents), part, layouter, context, resolve, span)
    from dio_mc.ir.program import ArrayShape

    for extent in reversed(extents):
        shape = ArrayShape(extent, shape)
    return shape


def _place_part(
    path: tuple[str | None, ...],
    dims: tuple[int, ...],
    part: Part,
    layouter: Layouter,
    context: Context,
    resolve: Resolve,
    span: Span | None,
) -> Shape:
    fields: list[tuple[str, Shape]] = []
    role = "lock" if isinstance(part, Lock) else "data"
    for name, declared in part.declarations().items():
        if isinstance(declared, Part):
            inner = _place_part((*path, f".{name}"), dims, declared, layouter, context, resolve, span)
        else:
            tree = type_tree(declared.type, resolve, context.thread_names)
            size = len(context.threads) if declared.per_thread else declared.size
            if size is not None:
                tree = array_tree(size, tree, resolve)
            init = resolve(declared.init)
            inner = layouter.place_under((*path, f".{name}"), dims, tree, init, declared.ghost, role, span)
        fields.append((name, inner))
    return RecordShape(tuple(fields), type(part))


def attribute_span(owner: type, name: str) -> Span | None:
    """The statement of a class that assigns an attribute. The file of a class that is not a model is that of its
    module."""
    module = sys.modules.get(owner.__module__)
    file = str(getattr(owner, "__dio_place__", (getattr(module, "__file__", None) or "",))[0])
    try:
        statement = _attributes_of(module_tree(file)).get((owner.__name__, name))
    except SyntaxError:
        return None
    return span_of(statement, file) if statement is not None else None


def class_span(model: type) -> Span | None:
    """The line that begins with ``class``, after the decorators."""
    file, line = getattr(model, "__dio_place__", ("", 0))
    text = source_lines(file)
    for number in range(line, min(line + 20, len(text)) + 1):
        if number > 0 and text[number - 1].lstrip().startswith("class "):
            column = text[number - 1].index("class ") + 1
            return Span(file, number, column, number, len(text[number - 1].rstrip()) + 1)
    return None


@lru_cache(maxsize=64)
def _attributes_of(tree: ast.Module) -> dict[tuple[str, str], ast.Assign]:
    """The first statement that assigns each attribute of each class."""
    found: dict[tuple[str, str], ast.Assign] = {}
    for owner in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        for statement in (s for s in owner.body if isinstance(s, ast.Assign)):
            names = [n.id for t in statement.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
            for name in names:
                found.setdefault((owner.name, name), statement)
    return found
