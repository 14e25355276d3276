"""Conditions, stores and calls of a model, as text that fits into its other functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dio_mc import lang
from dio_mc.fix.surroundings import Surroundings, free_names, globals_of, parameters
from dio_mc.frontend.declare import members_of
from dio_mc.kernel import Crashes
from dio_mc.lang.locks import DrainCounter
from dio_mc.lang.model import ROLE, OperationRole
from dio_mc.mutation.bodies import Body
from dio_mc.mutation.locks import use_of


@dataclass(frozen=True, slots=True)
class Piece:
    """A condition or statement. `free` are the names in it that select an element, `words` those of
    the module that it comes from; `about` is the variable that it stores to, `called` the operation
    that it calls."""

    text: str
    free: tuple[str, ...] = ()
    words: Mapping[str, Any] = field(default_factory=dict, compare=False)
    about: str = ""
    called: Body | None = field(default=None, compare=False)

    def fitted(self, body: Body, names: Iterable[str]) -> Iterator[str]:
        """Its text for a function in which these names select an element."""
        scope = body.function.__globals__
        if body.receiver != "self" or any(scope.get(n, value) is not value for n, value in self.words.items()):
            return
        names = tuple(names)
        if set(self.free) <= set(names):
            yield self.text
        elif len(self.free) == 1:
            for name in names:
                yield re.sub(rf"\b{self.free[0]}\b", name, self.text)


def conditions(around: Surroundings) -> list[Piece]:
    """The conditions that the model waits for or tests, and its boolean variables; each with its
    negation."""
    found: dict[str, Piece] = {}
    for body in (body for body in around.bodies if body.owner is not Crashes):
        for test in _tests(body):
            for part in [test, *(test.values if isinstance(test, ast.BoolOp) else [])]:
                piece = _piece(ast.unparse(part), part, body, around)
                if piece is not None and not _is_settled(part, around):
                    found |= {p.text: p for p in _either_way(piece)}
    for name, declared in around.data.items():
        if declared.type is bool and name in around.read | around.written and not declared.ghost:
            element = _element(name, declared.size)
            if element is not None:
                found |= {p.text: p for p in _either_way(element)}
    return _distinct(found.values())


def _is_settled(condition: ast.expr, around: Surroundings) -> bool:
    """Whether a condition is about parameters alone, which no run changes."""
    names = {node.attr for node in ast.walk(condition) if isinstance(node, ast.Attribute)}
    return bool(names) and names <= members_of(around.model).params.keys()


def stores(around: Surroundings) -> list[Piece]:
    """Assignments of one value that the model uses for the variable, to every variable that some
    function reads."""
    targets: dict[str, Piece] = {}
    values: dict[str, dict[str, Mapping[str, Any]]] = {}
    for body in around.sources:
        for target, value in _assigned(body):
            piece = _piece(ast.unparse(target), target, body, around)
            name = _variable(target, body)
            if piece is not None and name in around.read and is_constant(value):
                targets.setdefault(name, piece)
                values.setdefault(name, {})[ast.unparse(value)] = globals_of(body, value)
        for name, value in _compared(body):
            values.setdefault(name, {}).setdefault(ast.unparse(value), globals_of(body, value))
    return [
        Piece(f"{piece.text} = {value}", piece.free, {**piece.words, **words}, name)
        for name, piece in targets.items()
        for value, words in values[name].items()
    ]


def calls(around: Surroundings) -> list[Piece]:
    """Calls of operations that store, wait or lock, and waits of counters."""
    found: dict[str, Piece] = {}
    for name, cls in around.locks.items():
        if issubclass(cls, DrainCounter):
            found[name] = Piece(f"self.{name}.wait()")
    for body in around.sources:
        for node in ast.walk(body.tree):
            called = around.operation_of(node, body)
            if called is not None and _does_something(called, around) and isinstance(node, ast.Call):
                piece = _piece(ast.unparse(node), node, body, around)
                if piece is not None:
                    found.setdefault(piece.text, Piece(piece.text, piece.free, piece.words, called=called))
    for body in around.known:
        names = parameters(body)
        if not around.is_hardware(body) and _does_something(body, around) and set(names) <= set(around.indices(body)):
            text = f"self.{body.name}({', '.join(names)})"
            found.setdefault(text, Piece(text, tuple(names), called=body))
    return _distinct(found.values())


def is_constant(value: ast.expr) -> bool:
    """Whether an expression is a constant: ``True``, ``None``, ``1``, ``Block.MAPPED``."""
    return isinstance(value, ast.Constant) or (
        isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.value.id[:1].isupper()
    )


def _piece(text: str, node: ast.AST, body: Body, around: Surroundings) -> Piece | None:
    """A piece of a function, if all its locals select elements."""
    free = free_names(body, node)
    if body.receiver != "self" or not free <= set(around.indices(body)):
        return None
    if not any(isinstance(n, ast.Name) and n.id == "self" for n in ast.walk(node)):
        return None
    return Piece(text, tuple(sorted(free)), globals_of(body, node))


def _distinct(pieces: Iterable[Piece]) -> list[Piece]:
    """One of several pieces that differ only in the name of their index."""
    found: dict[str, Piece] = {}
    for piece in pieces:
        plain = piece.text
        for number, name in enumerate(piece.free):
            plain = re.sub(rf"\b{name}\b", f"_{number}", plain)
        found.setdefault(plain, piece)
    return list(found.values())


def _either_way(piece: Piece) -> list[Piece]:
    return [piece, Piece(opposite(piece.text), piece.free, piece.words)]


_FLIPPED = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is}


def opposite(text: str) -> str:
    """The negation of a condition."""
    node = ast.parse(text, mode="eval").body
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ast.unparse(operand)
        case ast.Compare(ops=[operator]) if type(operator) in _FLIPPED:
            node.ops = [_FLIPPED[type(operator)]()]
            return ast.unparse(node)
        case _:
            return ast.unparse(ast.UnaryOp(ast.Not(), node))


def _element(name: str, size: Any) -> Piece | None:
    if size is None:
        return Piece(f"self.{name}")
    return None if isinstance(size, tuple) else Piece(f"self.{name}[i]", ("i",))


def _tests(body: Body) -> Iterator[ast.expr]:
    for node in ast.walk(body.tree):
        match node:
            case ast.Call(func=word, args=[condition]) if body.names(word, lang.wait_until):
                yield condition
            case ast.If(test=test) | ast.While(test=test) if not isinstance(test, ast.Constant):
                yield test
            case _:
                pass


def _assigned(body: Body) -> Iterator[tuple[ast.expr, ast.expr]]:
    for node in ast.walk(body.tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                yield from zip(targets, values, strict=False)
            case ast.Assign(targets=[target], value=value):
                yield target, value
            case _:
                pass


def _compared(body: Body) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(body.tree):
        match node:
            case ast.Compare(left=left, comparators=[right]) if is_constant(right):
                name = _variable(left, body)
                if name:
                    yield name, right
            case _:
                pass


def _variable(target: ast.expr, body: Body) -> str:
    while isinstance(target, ast.Subscript):
        target = target.value
    match target:
        case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == body.receiver:
            return attribute
        case _:
            return ""


def _does_something(body: Body, around: Surroundings) -> bool:
    """Whether it is an operation that stores, waits or locks, and not one that threads call first:
    calling that would make another program."""
    if not isinstance(getattr(body.function, ROLE, None), OperationRole):
        return False
    if around.is_entry(body) and around.stores(body):
        return False
    return bool(around.stores(body)) or any(
        (isinstance(node, ast.Call) and below.names(node.func, lang.wait_until))
        or use_of(node, below, around.locks) is not None
        for below in around.known
        if around.calls(body, below)
        for node in ast.walk(below.tree)
    )
