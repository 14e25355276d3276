"""The material for edits: the functions of a model that can be edited, what each of them stores,
the names in scope."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dio_mc import lang
from dio_mc.frontend.declare import members_of
from dio_mc.kernel.crash import HARDWARE, Crashes
from dio_mc.lang.declarations import VarDeclaration
from dio_mc.lang.model import ROLE, Model, OperationRole
from dio_mc.mutation.bodies import Body, bodies_of, called_by, definition, stretches
from dio_mc.mutation.locks import locks_of


@dataclass(frozen=True)
class Surroundings:
    """One model class."""

    model: type[Model]

    @cached_property
    def bodies(self) -> tuple[Body, ...]:
        """All functions that run."""
        return tuple(body for body in bodies_of(self.model) if not _is_language(body))

    @cached_property
    def known(self) -> tuple[Body, ...]:
        """Those, and operations that nobody calls with the functions they reach: a vocabulary has
        more than is used."""
        found = {body.function: body for body in self.bodies}
        ahead = [definition(self.model, name) for name in members_of(self.model).operations]
        while ahead:
            body = ahead.pop()
            if body is not None and body.function not in found and not _is_language(body):
                found[body.function] = body
                ahead += called_by(body, self.model)
        return tuple(found.values())

    @cached_property
    def editable(self) -> tuple[Body, ...]:
        """The functions that a subclass can replace: operations as the class has them, and threads
        that do more than call."""
        return tuple(body for body in self.bodies if self._is_editable(body))

    @cached_property
    def locks(self) -> dict[str, type]:
        """The locks, by attribute."""
        return locks_of(self.model)

    @cached_property
    def data(self) -> dict[str, VarDeclaration]:
        """The variables that are not locks, without those of `Crashes`: no program can know whether
        the power will fail, or wait for it not to."""
        members = members_of(self.model).data
        declared = {name: value for name, (value, owner) in members.items() if owner is not Crashes}
        return {n: v for n, v in declared.items() if isinstance(v, VarDeclaration) and n not in self.locks}

    @cached_property
    def read(self) -> frozenset[str]:
        """The variables that some function reads; a variable that only properties read is a
        record."""
        return frozenset(name for body in self.bodies for name in _attributes(body, ast.Load) if name in self.data)

    @cached_property
    def written(self) -> frozenset[str]:
        """The variables that some function stores to."""
        return frozenset().union(*(self._own_stores[body.function] for body in self.bodies))

    def is_entry(self, body: Body) -> bool:
        """Whether threads call it directly: a system call, or all the work of a daemon."""
        return any(entry.function is body.function for entry in self._entries)

    def is_hardware(self, body: Body) -> bool:
        """Whether a function belongs to the power supply or the drive: it is neither edited nor
        copied."""
        return body.name in HARDWARE and issubclass(body.owner, Crashes)

    @property
    def sources(self) -> tuple[Body, ...]:
        """The functions whose conditions, stores and calls may be used elsewhere."""
        return tuple(body for body in self.bodies if not self.is_hardware(body))

    def stores(self, body: Body) -> frozenset[str]:
        """The variables that a function stores to, including the operations that it calls and
        spawns."""
        return frozenset().union(*(self._own_stores[b.function] for b in self._below(body)))

    def stored_by(self, statement: ast.stmt, body: Body) -> frozenset[str]:
        """The variables that a statement of a function stores to, including the operations that it
        calls."""
        names = {t.attr for n in ast.walk(statement) for t in _targets(n) if isinstance(t, ast.Attribute)}
        called = [self.operation_of(node, body) for node in ast.walk(statement)]
        below = [self.stores(c) for c in called if c is not None and c.function in self._reached]
        return frozenset(names & self.data.keys()).union(*below)

    def may_store(self, body: Body) -> frozenset[str]:
        """The variables to which a function may store without any call of a thread storing to a
        variable to which it did not before."""
        entries = [entry for entry in self._entries if any(b.function is body.function for b in self._below(entry))]
        found = [self.stores(entry) for entry in entries]
        return frozenset.intersection(*found) if found else self.stores(body)

    def calls(self, caller: Body, called: Body) -> bool:
        """Whether a function is reached from another, or is that one."""
        return any(body.function is called.function for body in self._below(caller))

    def reaches(self, caller: Body, functions: Collection[Any]) -> bool:
        """Whether one of these functions is reached from a function, or is that one."""
        return any(body.function in functions for body in self._below(caller))

    def indices(self, body: Body) -> tuple[str, ...]:
        """The parameters and loop variables of a function that select an element of an array."""
        return self._indices.get(body.function, ())

    def _is_editable(self, body: Body) -> bool:
        final = definition(self.model, body.name)
        if final is None or final.function is not body.function or body.pure:
            return False
        if self.is_hardware(body):
            return False
        if getattr(body.function, "__dio_atomic__", False):
            return False
        if isinstance(getattr(body.function, ROLE, None), OperationRole):
            return True
        names = set(_attributes(body, ast.Store)) | set(_attributes(body, ast.Load))
        return body.thread and bool(set(_attributes(body, ast.Store)) or names & set(self.locks))

    @cached_property
    def _own_stores(self) -> dict[Any, frozenset[str]]:
        return {b.function: frozenset(n for n in _attributes(b, ast.Store) if n in self.data) for b in self.known}

    def _below(self, body: Body) -> list[Body]:
        return self._reached[body.function]

    @cached_property
    def _reached(self) -> dict[Any, list[Body]]:
        known = {body.function for body in self.known}
        direct = {b.function: [c for c in called_by(b, self.model) if c.function in known] for b in self.known}
        return {body.function: _closure(body, direct) for body in self.known}

    @cached_property
    def _entries(self) -> list[Body]:
        """The operations that threads call, and the threads that do the work themselves."""
        threads = [body for body in self.bodies if body.thread]
        called = {b.function: b for body in threads for b in called_by(body, self.model)}
        entries = [body for body in self.bodies if body.function in called and not body.pure]
        return entries + [body for body in threads if self._own_stores[body.function]]

    @cached_property
    def _indices(self) -> dict[Any, tuple[str, ...]]:
        found: dict[Any, set[str]] = {body.function: _subscripts(body) & _named(body) for body in self.known}
        before = -1
        while before != (before := sum(map(len, found.values()))):
            for body in self.known:
                found[body.function] |= self._passed_on(body, found) & _named(body)
        return {function: tuple(sorted(names)) for function, names in found.items()}

    def _passed_on(self, body: Body, known: dict[Any, set[str]]) -> set[str]:
        """The names that are passed to a parameter which is an index."""
        names: set[str] = set()
        for node in ast.walk(body.tree):
            called = self.operation_of(node, body)
            if called is not None and isinstance(node, ast.Call):
                pairs = zip(parameters(called), node.args, strict=False)
                indices = known.get(called.function, set())
                names |= {a.id for p, a in pairs if isinstance(a, ast.Name) and p in indices}
        return names

    def operation_of(self, node: ast.AST, body: Body) -> Body | None:
        """The method that a call ``self.name(...)`` reaches."""
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)) if name == body.receiver:
                return definition(self.model, attribute)
            case _:
                return None


def parameters(body: Body) -> list[str]:
    """The names of a method's parameters, without `self`."""
    return [argument.arg for argument in body.tree.args.args[1:]]


def globals_of(body: Body, text: ast.AST) -> dict[str, Any]:
    """The names in a part of a function that refer to its module."""
    scope = body.function.__globals__
    names = {n.id for n in ast.walk(text) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return {name: scope[name] for name in sorted(names) if name in scope and name not in _bound(body)}


def _bound(body: Body) -> set[str]:
    stored = {n.id for n in ast.walk(body.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {argument.arg for argument in body.tree.args.args}


def free_names(body: Body, text: ast.AST) -> set[str]:
    """The locals that a part of a function uses, without those that it binds itself."""
    loaded = {n.id for n in ast.walk(text) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    stored = {n.id for n in ast.walk(text) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return (loaded & _bound(body)) - stored - {body.receiver}


def _is_language(body: Body) -> bool:
    return Path(body.file).parent == Path(lang.__file__).parent


def _closure(body: Body, direct: dict[Any, list[Body]]) -> list[Body]:
    found = {body.function: body}
    ahead = [body]
    while ahead:
        for called in direct.get(ahead.pop().function, []):
            if called.function not in found and called.function in direct:
                found[called.function] = called
                ahead.append(called)
    return list(found.values())


def _attributes(body: Body, context: type[ast.expr_context]) -> Iterator[str]:
    """The attributes of ``self`` that are stored to, or loaded; ``self.a[i] = 1`` stores to `a`."""
    targets = {id(t) for node in ast.walk(body.tree) for t in _targets(node)}
    for node in ast.walk(body.tree):
        if (id(node) in targets) != (context is ast.Store):
            continue
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == body.receiver:
                yield attribute
            case _:
                pass


def _targets(node: ast.AST) -> Iterator[ast.AST]:
    """The attributes that an assignment stores to, below indices and fields."""
    given: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        given = list(node.targets)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        given = [node.target]
    while given:
        target = given.pop()
        if isinstance(target, ast.Tuple):
            given += target.elts
        elif isinstance(target, ast.Subscript):
            given.append(target.value)
        elif isinstance(target, ast.Attribute):
            if isinstance(target.value, ast.Name):
                yield target
            else:
                given.append(target.value)


def _subscripts(body: Body) -> set[str]:
    slices = [node.slice for node in ast.walk(body.tree) if isinstance(node, ast.Subscript)]
    return {n.id for s in slices for n in ast.walk(s) if isinstance(n, ast.Name)}


def _named(body: Body) -> set[str]:
    return {*parameters(body), *(name for stretch in stretches(body) for name in stretch.counted)}
