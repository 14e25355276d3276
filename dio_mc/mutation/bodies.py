"""The functions that a model runs: threads, the operations and pure methods that they reach, and
the file of each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from dio_mc import lang
from dio_mc.frontend.calls import is_pure
from dio_mc.frontend.declare import members_of
from dio_mc.lang.model import ROLE, Model, PropertyRole, ThreadRole
from dio_mc.source import function_tree


@dataclass(frozen=True, slots=True)
class Body:
    """A function of the program. `pure` is a named condition, `thread` the body of a thread."""

    name: str
    function: FunctionType
    owner: type
    tree: ast.FunctionDef
    pure: bool
    thread: bool

    @property
    def file(self) -> str:
        """The file in which it is defined."""
        return self.function.__code__.co_filename

    @property
    def receiver(self) -> str:
        """The name of its first parameter."""
        return self.tree.args.args[0].arg if self.tree.args.args else ""

    def names(self, node: ast.expr, word: Any) -> bool:
        """Whether an expression names this object of the language, under any alias."""
        match node:
            case ast.Name(id=name):
                return self.function.__globals__.get(name) is word
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                return getattr(self.function.__globals__.get(module), name, None) is word
            case _:
                return False


def bodies_of(model: type[Model]) -> list[Body]:
    """All functions that are executed, each once, in the order of files and lines. An overridden
    function is included only if it is called through ``super()``."""
    found: dict[FunctionType, Body] = {}
    ahead = [(name, model.__mro__) for name in members_of(model).threads]
    while ahead:
        name, classes = ahead.pop()
        body = _definition(name, classes)
        if body is not None and body.function not in found:
            found[body.function] = body
            ahead += _reached(body, model)
    return sorted(found.values(), key=lambda body: (body.file, body.tree.lineno))


def definition(model: type[Model], name: str) -> Body | None:
    """The definition of a method of the model; None if its source is not available."""
    return _definition(name, model.__mro__)


def called_by(body: Body, model: type[Model]) -> list[Body]:
    """The methods that a body calls, spawns or uses in conditions, each once."""
    found = [_definition(name, classes) for name, classes in _reached(body, model)]
    return list({b.function: b for b in found if b is not None}.values())


def asked_by_properties(model: type[Model]) -> frozenset[str]:
    """The names of the methods that properties use, directly or through others: a mutant must not
    change these."""
    ahead = list(members_of(model).properties)
    seen: set[str] = set()
    while ahead:
        name = ahead.pop()
        body = _definition(name, model.__mro__)
        if name not in seen and body is not None and body.pure:
            seen.add(name)
            ahead += [reached for reached, _ in _reached(body, model)]
    return frozenset(seen)


def _definition(name: str, classes: tuple[type, ...]) -> Body | None:
    for owner in classes:
        if name in vars(owner):
            function = vars(owner)[name]
            tree = function_tree(function)
            if tree is None or not isinstance(function, FunctionType) or not tree.args.args:
                return None
            role = getattr(function, ROLE, None)
            pure = is_pure(function) or isinstance(role, PropertyRole)
            return Body(name, function, owner, tree, pure, isinstance(role, ThreadRole))
    return None


def _reached(body: Body, model: type[Model]) -> Iterator[tuple[str, tuple[type, ...]]]:
    """The methods that a body names, with the classes in which each is looked up."""
    for node in ast.walk(body.tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == body.receiver:
                yield attribute, model.__mro__
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=attribute):
                yield attribute, model.__mro__[model.__mro__.index(body.owner) + 1 :]
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                further_up = body.function.__globals__.get(name)  # Base.operation(self, i)
                if isinstance(further_up, type) and further_up in model.__mro__:
                    yield attribute, further_up.__mro__
            case _:
                pass


@dataclass(frozen=True, slots=True)
class Stretch:
    """Statements that follow one another, whether they are part of one atomic step, and the loops
    around them."""

    statements: list[ast.stmt]
    atomic: bool
    loops: tuple[ast.For | ast.While, ...] = ()

    @property
    def counted(self) -> tuple[str, ...]:
        """The variables of the loops."""
        targets = [loop.target for loop in self.loops if isinstance(loop, ast.For)]
        return tuple(node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))


def stretches(body: Body) -> Iterator[Stretch]:
    """Every list of statements of a body, outer ones first."""
    ahead = [Stretch(body.tree.body, bool(getattr(body.function, "__dio_atomic__", False)))]
    while ahead:
        stretch = ahead.pop(0)
        yield stretch
        for statement in stretch.statements:
            atomic = stretch.atomic or is_atomic_block(statement, body)
            inner = [getattr(statement, part, []) for part in ("body", "orelse")]
            loops = (*stretch.loops, statement) if isinstance(statement, ast.For | ast.While) else stretch.loops
            ahead += [Stretch(statements, atomic, loops) for statements in inner if statements]


def is_atomic_block(statement: ast.stmt, body: Body) -> bool:
    """Whether a statement is ``with atomic():``."""
    match statement:
        case ast.With(items=[ast.withitem(context_expr=ast.Call(func=word))]):
            return body.names(word, lang.atomic)
        case _:
            return False
