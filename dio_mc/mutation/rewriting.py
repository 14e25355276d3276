"""Syntax trees with some nodes replaced, and a model class whose functions have such trees."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any

from dio_mc.lang.model import Model
from dio_mc.source import TREE

Replacement = ast.expr | list[ast.stmt]
"""An expression for an expression, or any number of statements for a statement."""


def rewritten(tree: ast.FunctionDef, changes: Mapping[ast.AST, Replacement]) -> ast.FunctionDef:
    """A copy of a function with nodes replaced; a block that loses its last statement gets
    ``pass``. A statement of the function that occurs in a replacement is moved or kept, with the
    replacements inside it applied."""
    fresh = copy.deepcopy(tree)
    twins = {id(node): twin for node, twin in zip(ast.walk(tree), ast.walk(fresh), strict=True)}
    changed = _Replacing({id(twins[id(node)]): new for node, new in changes.items() if id(node) in twins}, twins)
    edited: ast.FunctionDef = changed.inside(fresh)
    return edited


def joined(
    one: Mapping[ast.AST, Replacement], other: Mapping[ast.AST, Replacement]
) -> dict[ast.AST, Replacement] | None:
    """Both changes of one function; None if they replace the same expression. If both replace the
    same statement, the second is applied to the result of the first."""
    found = {**one, **other}
    for node in one.keys() & other.keys():
        first, second = one[node], other[node]
        if not isinstance(first, list) or not isinstance(second, list):
            return None
        found[node] = [s for new in second for s in (first if new is node else [new])]
    return found


class _Replacing(ast.NodeTransformer):
    def __init__(self, changes: Mapping[int, Replacement], twins: Mapping[int, ast.AST]) -> None:
        self.changes, self.twins = changes, twins

    def visit(self, node: ast.AST) -> Any:
        if id(node) not in self.changes:
            return self.inside(node)
        new = self.changes[id(node)]
        return [self._placed(s) for s in new] if isinstance(new, list) else copy.deepcopy(new)

    def inside(self, node: Any) -> Any:
        """The node with the replacements inside it applied."""
        self.generic_visit(node)
        if isinstance(node, ast.FunctionDef | ast.If | ast.While | ast.For | ast.With) and not node.body:
            node.body = [ast.copy_location(ast.Pass(), node)]
        return node

    def _placed(self, statement: ast.stmt) -> ast.stmt:
        """A statement of a replacement: a statement of the function, or a new one, which may
        contain some."""
        twin = self.twins.get(id(statement))
        if twin is not None:
            kept: ast.stmt = self.inside(twin)
            return kept
        new = copy.copy(statement)
        for name, value in ast.iter_fields(statement):
            is_block = isinstance(value, list) and any(isinstance(v, ast.stmt) for v in value)
            setattr(new, name, [self._placed(s) for s in value] if is_block else copy.deepcopy(value))
        return new


def located(text: str, place: ast.AST) -> list[ast.stmt]:
    """The statements of a text, located at a node."""
    statements = ast.parse(text).body
    for statement in statements:
        for part in ast.walk(statement):
            ast.copy_location(part, place)
    return statements


def located_expression(text: str, place: ast.AST) -> ast.expr:
    """The expression of a text, located at a node."""
    (statement,) = located(text, place)
    assert isinstance(statement, ast.Expr)
    return statement.value


def regrown(
    model: type[Model], edits: Sequence[tuple[FunctionType, ast.FunctionDef]], words: Mapping[str, Any]
) -> type[Model]:
    """The class with some of its functions, including inherited ones, changed. All its base classes
    are copied, so that ``super()`` and ``Base.operation(self)`` reach the copies; the model itself
    is unchanged. `words` are further names for the new trees."""
    copier = _Copier(dict(edits), words)
    clones: dict[type, type] = {object: object, Model: Model}
    for cls in reversed(model.__mro__):
        if cls not in clones:
            clones[cls] = _clone(cls, tuple(clones.get(base, base) for base in cls.__bases__), copier)
    copier.rename(clones)
    return clones[model]


def _clone(cls: type, bases: tuple[type, ...], copier: _Copier) -> type:
    members = {
        name: copier.copy(value) if isinstance(value, FunctionType) else value
        for name, value in vars(cls).items()
        if name not in ("__dict__", "__weakref__")
    }
    clone = type(cls.__name__, bases, members)
    for name in ("__dio_place__", "__dio_abstract__", "__dio_expectations__"):
        if name in members:
            setattr(clone, name, members[name])
    return clone


class _Copier:
    """Copies functions, with changed trees where given. The copies of a module's functions share
    their globals, in which the names of copied classes refer to the copies."""

    def __init__(self, trees: Mapping[FunctionType, ast.FunctionDef], words: Mapping[str, Any]) -> None:
        self._trees, self._words = trees, words
        self._scopes: dict[int, dict[str, Any]] = {}

    def copy(self, function: FunctionType) -> FunctionType:
        names = function.__globals__
        scope = self._scopes.setdefault(id(names), {**names, **self._words})
        copied = FunctionType(function.__code__, scope, function.__name__, function.__defaults__, function.__closure__)
        copied.__dict__.update(function.__dict__)
        copied.__kwdefaults__ = function.__kwdefaults__
        if function in self._trees:
            setattr(copied, TREE, self._trees[function])
        return copied

    def rename(self, clones: Mapping[type, type]) -> None:
        """Let a name of a copied class refer to its copy."""
        for scope in self._scopes.values():
            scope |= {
                name: clones[value] for name, value in scope.items() if isinstance(value, type) and value in clones
            }
