"""Compiling templates and properties of similar classes only once.

The pairs of a matrix under one rule are classes with the same bases and different threads. The template of a thread
depends on its function, on the data of the model, on the number and names of the threads, and on the types of the
arguments of spawned operations, but not on the code of the other threads. So if all of these are the same, the template
is the same (`tests/frontend/test_shelf.py` compares whole programs). A function that is two threads is compiled once:
the templates differ in what the thread is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dio_mc.frontend.context import Context
from dio_mc.frontend.declare import Members
from dio_mc.frontend.templates import Asked, Known
from dio_mc.ir.expr import AtLocation, LocalOf, walk
from dio_mc.ir.program import Property, Region, Template
from dio_mc.ir.renaming import with_name
from dio_mc.ir.types import ScalarType
from dio_mc.lang.model import ROLE, ThreadRole

Types = Mapping[str, ScalarType]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A template with its regions. `gives` are the argument types of the operations that it spawns; `takes` are those
    of the template itself if it is a spawned operation."""

    template: Template
    regions: Sequence[Region]
    gives: Mapping[str, Types]
    takes: Types | None


@dataclass(slots=True)
class _Alike:
    """The compiled parts of similar classes: templates by name and function, properties by name."""

    templates: dict[tuple[str, Any], _Kept] = field(default_factory=dict)
    properties: dict[str, Property] = field(default_factory=dict)


class Shelf:
    """The compiled parts of many classes, such as all pairs under one rule. Warnings are only reported for the class
    that is compiled; programs have no digest."""

    def __init__(self) -> None:
        self._alike: dict[Any, _Alike] = {}

    def of(self, context: Context, members: Members, asked: Asked) -> Drawer:
        """The part of the shelf that applies to a class."""
        model = context.model
        plain = tuple((n, v) for n, v in sorted(vars(model).items()) if not n.startswith("__") and not _is_thread(v))
        alike = (
            model.__bases__, plain, tuple(context.params.items()), tuple(context.variables), context.threads,
            tuple((name, role) for name, (_, _, role) in members.threads.items()), tuple(context.spawned), asked,
        )  # fmt: skip
        functions = {name: function for name, (function, *_) in members.threads.items()}
        functions |= {name: members.operations[name][0] for name in context.spawned}
        return Drawer(context, functions, self._alike.setdefault(alike, _Alike()))


@dataclass(frozen=True, slots=True)
class Drawer:
    """The part of a shelf that applies to one class. `functions` are the functions of its threads and spawned
    operations; `taken` are the names of the templates and properties that were reused."""

    context: Context
    functions: Mapping[str, Any]
    alike: _Alike
    taken: set[str] = field(default_factory=set)

    def known(self) -> Known:
        """The templates that can be reused, provided that the argument types of spawned operations turn out the same
        (`holds`)."""
        found: dict[str, tuple[Template, Sequence[Region]]] = {}
        for name, function in self.functions.items():
            one = self.alike.templates.get((name, function)) or self._called_otherwise(name, function)
            if one is None or (one.takes is not None and one.takes != self.context.spawned[name].parameters):
                continue
            found[name] = one.template, one.regions
            for operation, types in one.gives.items():
                target = self.context.spawned[operation]
                if target.parameters and target.parameters != types:
                    return {}
                target.parameters = dict(types)
        self.taken.update(found)
        return found

    def _called_otherwise(self, name: str, function: Any) -> _Kept | None:
        """The template of a thread with the same function, under this name. Nothing else in it depends on the name, but
        where a thread has several instances or is one step, whose text is its name."""
        if not self._is_plain(name, function):
            return None
        for (other, same), one in self.alike.templates.items():
            if same is function and self._is_plain(other, function):
                regions = [replace(region, template=self._number(name)) for region in one.regions]
                found = _Kept(with_name(one.template, name), regions, one.gives, one.takes)
                self.alike.templates[name, function] = found
                return found
        return None

    def _is_plain(self, name: str, function: Any) -> bool:
        alone = name not in self.context.spawned and len(self.context.thread_groups[name]) == 1
        return alone and not getattr(function, "__dio_atomic__", False)

    def _number(self, name: str) -> int:
        """The position of a thread's template."""
        return self.context.threads[self.context.thread_groups[name][0]].template

    def holds(self, known: Known) -> bool:
        """Whether the argument types of spawned operations are those with which the `known` templates were compiled."""
        spawned = self.context.spawned
        for name in known:
            one = self.alike.templates[name, self.functions[name]]
            if any(spawned[operation].parameters != types for operation, types in one.gives.items()):
                return False
            if one.takes is not None and one.takes != spawned[name].parameters:
                return False
        return True

    def keep(self, templates: Sequence[Template], regions: Sequence[Region]) -> None:
        """Store templates, except those whose spawns alone do not determine the argument types of the operations they
        spawn."""
        spawned = self.context.spawned
        for number, template in enumerate(templates):
            name = template.name
            key = name, self.functions[name]
            given = {operation: target.given[name] for operation, target in spawned.items() if name in target.given}
            if key in self.alike.templates or any(spawned[o].parameters != types for o, types in given.items()):
                continue
            own = [region for region in regions if region.template == number]
            takes = dict(spawned[name].parameters) if template.spawned else None
            gives = {operation: dict(spawned[operation].parameters) for operation in given}
            self.alike.templates[key] = _Kept(template, own, gives, takes)

    def property(self, name: str) -> Property | None:
        """A stored property, or None."""
        found = self.alike.properties.get(name)
        if found is None:
            return None
        self.taken.add(name)
        return replace(found, model=self.context.model)

    def keep_property(self, found: Property) -> None:
        """Store a property if it refers to locations of threads only to test whether they have ended."""
        parts = [part for atom in found.atoms for part in walk(atom.meaning)]
        if not any(isinstance(p, LocalOf) or (isinstance(p, AtLocation) and p.locations != {0}) for p in parts):
            self.alike.properties[found.name] = found


def _is_thread(value: Any) -> bool:
    return isinstance(getattr(value, ROLE, None), ThreadRole)
