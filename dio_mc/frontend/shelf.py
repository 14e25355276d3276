"""Templates and properties of classes that are alike, compiled once.

The pairs of a matrix under one rule are classes of the same bases that differ in their threads. What a thread is
compiled to depends on its function, on the data of the model, on how many threads there are and what these are called,
and on the types that operations are spawned with, but not on what the other threads do. So where all that is the same,
it is what it was (`tests/frontend/test_shelf.py` compares whole programs).
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
from dio_mc.ir.types import ScalarType
from dio_mc.lang.model import ROLE, ThreadRole

Types = Mapping[str, ScalarType]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A template with its regions, the types that it `gives` to the operations it spawns, and those that it `takes`
    itself, where it is such an operation."""

    template: Template
    regions: Sequence[Region]
    gives: Mapping[str, Types]
    takes: Types | None


@dataclass(slots=True)
class _Alike:
    """What is kept of classes that are alike: templates by name and function, properties by name."""

    templates: dict[tuple[str, Any], _Kept] = field(default_factory=dict)
    properties: dict[str, Property] = field(default_factory=dict)


class Shelf:
    """What there is of one rule, say. Warnings are told once, of the class that was compiled; the programs have no
    digest."""

    def __init__(self) -> None:
        self._alike: dict[Any, _Alike] = {}

    def of(self, context: Context, members: Members, asked: Asked) -> Drawer:
        """What is there of a class."""
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
    """What is on a shelf for one class, whose threads and spawned operations have these `functions`; `taken` are the
    templates and properties that came from there."""

    context: Context
    functions: Mapping[str, Any]
    alike: _Alike
    taken: set[str] = field(default_factory=set)

    def known(self) -> Known:
        """The templates that are there, if the types of what is spawned come out as they did (`holds`)."""
        found: dict[str, tuple[Template, Sequence[Region]]] = {}
        for name, function in self.functions.items():
            one = self.alike.templates.get((name, function))
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

    def holds(self, known: Known) -> bool:
        """Whether what is spawned has been given what it was given where the known templates come from."""
        spawned = self.context.spawned
        for name in known:
            one = self.alike.templates[name, self.functions[name]]
            if any(spawned[operation].parameters != types for operation, types in one.gives.items()):
                return False
            if one.takes is not None and one.takes != spawned[name].parameters:
                return False
        return True

    def keep(self, templates: Sequence[Template], regions: Sequence[Region]) -> None:
        """Keep templates, but for those that give to what they spawn less than others do."""
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
        """A property that is there."""
        found = self.alike.properties.get(name)
        if found is None:
            return None
        self.taken.add(name)
        return replace(found, model=self.context.model)

    def keep_property(self, found: Property) -> None:
        """Keep a property that asks nothing about threads but whether they have ended."""
        parts = [part for atom in found.atoms for part in walk(atom.meaning)]
        if not any(isinstance(p, LocalOf) or (isinstance(p, AtLocation) and p.locations != {0}) for p in parts):
            self.alike.properties[found.name] = found


def _is_thread(value: Any) -> bool:
    return isinstance(getattr(value, ROLE, None), ThreadRole)
