"""Compiling templates and properties of similar classes only once.

The pairs of a matrix under one rule are classes with the same bases and different threads. The template of a thread
depends on its function, on the data of the model, on the number and names of the threads, and on the types of the
arguments of spawned operations, but not on the code of the other threads. So if all of these are the same, the template
is the same (`tests/frontend/test_shelf.py` compares whole programs). A function that is two threads is compiled once:
the templates differ in what the thread is called.

Rules inherit from one another. A thread under one of them is the same as under another that has the same data, if all
that its code has asked the class (`Context.ask`) is answered alike: which function a name means, and what `super()`
leads to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from dio_mc.frontend.context import Context, Lookup, final, kept_answer
from dio_mc.frontend.prepared import Preparations, Prepared, is_thread
from dio_mc.frontend.templates import Known
from dio_mc.ir.expr import AtLocation, LocalOf, walk
from dio_mc.ir.program import Property, Region, Template
from dio_mc.ir.renaming import with_name
from dio_mc.ir.types import ScalarType

Types = Mapping[str, ScalarType]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A template with its regions. `gives` are the argument types of the operations that it spawns; `takes` are those
    of the template itself if it is a spawned operation. `asked` is what its code has asked the class, with the answers;
    `owner` is the class that has its function, None if that is the class itself."""

    template: Template
    regions: Sequence[Region]
    gives: Mapping[str, Types]
    takes: Types | None
    asked: Mapping[Lookup, Any]
    owner: type | None


@dataclass(slots=True)
class _Alike:
    """The compiled parts of similar classes: templates by name and function, properties by name."""

    templates: dict[tuple[str, Any], _Kept] = field(default_factory=dict)
    properties: dict[str, Property] = field(default_factory=dict)


@dataclass(slots=True)
class _Kin:
    """The compiled templates of classes with the same data, by name and function. `data` are its declarations, kept so
    that their identities stay theirs."""

    data: tuple[Any, ...]
    templates: dict[tuple[str, Any], list[_Kept]] = field(default_factory=dict)


MOST: Final = 36
"""Groups of classes that are kept: the pairs under one rule make about six."""


class Shelf:
    """The compiled parts of many classes, such as all pairs under some rules. Warnings are only reported for the class
    that is compiled; programs have no digest. The oldest parts are forgotten when there are too many."""

    def __init__(self) -> None:
        self.ready = Preparations()
        self._alike: dict[Any, _Alike] = {}
        self._kin: dict[Any, _Kin] = {}

    def of(self, ready: Prepared) -> Drawer:
        """The part of the shelf that applies to a class."""
        members, context = ready.members, ready.context
        functions = {name: function for name, (function, *_) in members.threads.items()}
        functions |= {name: members.operations[name][0] for name in context.spawned}
        owners = {name: owner for name, (_, owner, _) in members.threads.items()}
        owners |= {name: members.operations[name][1] for name in context.spawned}
        if ready.shared.parts is None:  # what is prepared decides both
            ready.shared.parts = self._parts(ready)
        alike, kin = ready.shared.parts
        return Drawer(context, functions, owners, alike, kin)

    def _parts(self, ready: Prepared) -> tuple[_Alike, _Kin]:
        model, members, context = ready.model, ready.members, ready.context
        own = [(n, v) for n, v in sorted(vars(model).items()) if not n.startswith("__") and not is_thread(v)]
        plain = tuple((name, type(value), value) for name, value in own)
        roles = tuple((name, role) for name, (_, _, role) in members.threads.items())
        common = (
            tuple(context.params.items()), tuple(context.variables), context.threads, roles, tuple(context.spawned),
            tuple(context.depths.items()), ready.asked,
        )  # fmt: skip
        data = tuple(context.ask(final, name) for name in members.data)
        alike = self._alike.setdefault((model.__bases__, plain, *common), _Alike())
        kin = self._kin.setdefault((tuple(zip(members.data, map(id, data), strict=True)), *common), _Kin(data))
        for kept in (self._alike, self._kin):
            while len(kept) > MOST:
                del kept[next(iter(kept))]
        return alike, kin


@dataclass(frozen=True, slots=True)
class Drawer:
    """The part of a shelf that applies to one class. `functions` are the functions of its threads and spawned
    operations, `owners` the classes that have them; `taken` are the names of the templates and properties that were
    reused."""

    context: Context
    functions: Mapping[str, Any]
    owners: Mapping[str, type]
    alike: _Alike
    kin: _Kin
    taken: set[str] = field(default_factory=set)

    def known(self) -> Known:
        """The templates that can be reused, provided that the argument types of spawned operations turn out the same
        (`holds`)."""
        found: dict[str, tuple[Template, Sequence[Region]]] = {}
        for name, function in self.functions.items():
            one = self._found(name, function)
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

    def _found(self, name: str, function: Any) -> _Kept | None:
        one = self.alike.templates.get((name, function))
        if one is None and (one := self._of_kin(name, function) or self._called_otherwise(name, function)) is not None:
            self.alike.templates[name, function] = one
        return one

    def _of_kin(self, name: str, function: Any) -> _Kept | None:
        """The template under another class, if that has answered as this one does."""
        known = self.kin.templates.get((name, function), [])
        return next((one for one in known if one.owner is self._owner(name) and self._answers(one)), None)

    def _owner(self, name: str) -> type | None:
        owner = self.owners[name]
        return None if owner is self.context.model else owner

    def _answers(self, one: _Kept) -> bool:
        model, asked = self.context.model, one.asked.items()
        return all(_same(kept_answer(model, question(model, *about)), given) for (question, about), given in asked)

    def _called_otherwise(self, name: str, function: Any) -> _Kept | None:
        """The template of a thread with the same function, under this name. Nothing else in it depends on the name, but
        where a thread has several instances or is one step, whose text is its name."""
        if not self._is_plain(name, function):
            return None
        for (other, same), one in self.alike.templates.items():
            if same is function and self._is_plain(other, function):
                regions = [replace(region, template=self._number(name)) for region in one.regions]
                found = replace(one, template=with_name(one.template, name), regions=regions)
                self.kin.templates.setdefault((name, function), []).append(found)
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
            asked = self.context.looked_up.get(name, {})
            kept = _Kept(template, own, gives, takes, asked, self._owner(name))
            self.alike.templates[key] = kept
            self.kin.templates.setdefault(key, []).append(kept)

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


def _same(one: Any, other: Any) -> bool:
    """Whether two answers are the same object, or plain values that are equal."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, str | int | float) and bool(one == other)
