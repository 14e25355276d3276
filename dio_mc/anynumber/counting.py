"""Finds the places in a model's source that depend on the number of threads or pages.

The number of threads may count instances, size arrays, and bound the range of a quantifier; the number of pages may
also bound a loop. Any other use (a range, a sum, a length) could make the model behave differently for a large number
than for a small one, and no comparison of two small numbers would show this.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache
from types import FunctionType
from typing import Any

from dio_mc.anynumber.asked import Asked
from dio_mc.anynumber.conditions import OF_PAGES, unmet
from dio_mc.errors import Diagnostic
from dio_mc.frontend.declare import attribute_span, members_of
from dio_mc.lang.declarations import Choice, ParamDeclaration, ParamExpr, Range, VarDeclaration
from dio_mc.lang.model import Model, Part
from dio_mc.source import function_tree, span_of

_COUNTING = frozenset({"sum", "len", "min", "max", "tuple", "list"})
_FUNCTIONS = 1_024
"""Functions whose text is kept as it was read: those that classes inherit are examined for each of them."""
_QUANTIFIERS = frozenset({"any", "all"})


def uses_of_numbers(model: type[Model], asked: Asked, unchanging: frozenset[str]) -> list[Diagnostic]:
    """Every place that uses the number of threads or pages in a way that is not allowed (DIO261). The declarations of
    `unchanging` data are not examined, since they do not affect any step."""
    owners = [c for c in model.__mro__ if c not in (object, Model)]
    parts = [type(p) for p in _parts(model)]
    classes = dict.fromkeys((*owners, *(c for p in parts for c in p.__mro__ if c is not object)))
    functions = _functions(owners, [c for c in classes if c not in owners])
    computed = {name for owner in owners for name, value in vars(owner).items() if _mentions(value, asked)}
    numbers = frozenset({*asked.counted, *computed})
    per_thread = frozenset(_per_thread(model, parts, asked))
    of_pages = frozenset(_of_pages(model, asked))
    found = [*_declarations(model, asked, unchanging)]
    for function in functions:
        found += _in_function(function, numbers, per_thread, of_pages, asked.pages)
    return list(dict.fromkeys(found))


def _functions(owners: Sequence[type], parts: Sequence[type]) -> list[FunctionType]:
    """The functions that a model may use. An overridden function is included only if its name is used on an object
    other than ``self``, for example on ``super()``."""
    every = [(name, f) for c in (*owners, *parts) for name, f in vars(c).items() if isinstance(f, FunctionType)]
    asked_for = frozenset().union(*(_named_elsewhere(function) for _, function in every))
    found = [f for c in parts for f in vars(c).values() if isinstance(f, FunctionType)]
    overridden: set[str] = set()
    for owner in owners:
        mine = {name: f for name, f in vars(owner).items() if isinstance(f, FunctionType)}
        found += [f for name, f in mine.items() if name not in overridden or name in asked_for]
        overridden.update(vars(owner))
    return found


@lru_cache(maxsize=_FUNCTIONS)
def _named_elsewhere(function: FunctionType) -> frozenset[str]:
    """The names that a function uses on objects other than ``self``."""
    tree = function_tree(function)
    found = set()
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Attribute(value=ast.Name(id="self")):
                pass
            case ast.Attribute(attr=name):
                found.add(name)
            case _:
                pass
    return frozenset(found)


@lru_cache(maxsize=_FUNCTIONS)
def _body(function: FunctionType) -> tuple[ast.AST, ...]:
    """Every node of a function's statements, statement by statement."""
    tree = function_tree(function)
    return () if tree is None else tuple(part for statement in tree.body for part in ast.walk(statement))


def _parts(model: type[Model]) -> Iterator[Part]:
    waiting = [declared for declared, _ in members_of(model).data.values()]
    while waiting:
        declared = waiting.pop()
        if isinstance(declared, VarDeclaration):
            declared = (
                declared.type()
                if isinstance(declared.type, type) and issubclass(declared.type, Part)
                else declared.type
            )
        if isinstance(declared, Part):
            yield declared
            waiting += declared.declarations().values()


def _per_thread(model: type[Model], parts: list[type[Part]], asked: Asked) -> Iterator[str]:
    """The names of arrays with one element per thread."""
    declared = {name: value for name, (value, _) in members_of(model).data.items()}
    for part in parts:
        declared |= {name: value for c in reversed(part.__mro__) for name, value in vars(c).items()}
    for name, value in declared.items():
        if isinstance(value, VarDeclaration):
            sizes = value.size if isinstance(value.size, tuple) else (value.size,)
            counted = any(isinstance(s, ParamDeclaration) and s.name in asked.counted for s in sizes)
            if value.per_thread or counted:
                yield name


def _of_pages(model: type[Model], asked: Asked) -> Iterator[str]:
    """The names of arrays with one element per page."""
    for name, (declared, _) in members_of(model).data.items():
        size = getattr(declared, "size", None)
        if isinstance(size, ParamDeclaration) and size.name == asked.pages:
            yield name


# --- declarations -----------------------------------------------------------------------------------------------------


def _declarations(model: type[Model], asked: Asked, unchanging: frozenset[str]) -> Iterator[Diagnostic]:
    for name, (declared, owner) in members_of(model).data.items():
        if not isinstance(declared, VarDeclaration) or name in unchanging:
            continue
        sizes = declared.size if isinstance(declared.size, tuple) else (declared.size,)
        computed = any(isinstance(s, ParamExpr) and _mentions(s, asked) for s in sizes)
        if computed or _mentions(declared.type, asked) or _mentions(declared.init, asked):
            what = _what(declared, asked)
            message = f"`{name}` depends on the number of {what}"
            yield unmet("DIO261", message, attribute_span(owner, name), _hint(what))


def _hint(what: str) -> str:
    return OF_PAGES if what == "pages" else ""


def _what(declared: VarDeclaration, asked: Asked) -> str:
    sizes = declared.size if isinstance(declared.size, tuple) else (declared.size,)
    of_pages = Asked((), (), asked.pages)
    return "pages" if any(_mentions(part, of_pages) for part in (*sizes, declared.type, declared.init)) else "threads"


def _mentions(value: Any, asked: Asked) -> bool:
    match value:
        case ParamDeclaration():
            return value.name in asked.counted
        case ParamExpr():
            return any(_mentions(operand, asked) for operand in value.operands)
        case Range(low, high):
            return _mentions(low, asked) or _mentions(high, asked)
        case Choice(members):
            return any(_mentions(member, asked) for member in members)
        case list() | tuple():
            return any(_mentions(item, asked) for item in value)
        case _:
            return False


# --- functions --------------------------------------------------------------------------------------------------------


def _in_function(
    function: FunctionType,
    numbers: frozenset[str],
    per_thread: frozenset[str],
    of_pages: frozenset[str],
    pages: str | None,
) -> Iterator[Diagnostic]:
    tree = function_tree(function)
    if tree is None:
        return
    file = function.__code__.co_filename
    nodes = _body(function)
    allowed = {*_quantified_ranges(nodes), *(_loops(nodes, pages) if pages is not None else ())}
    for node in nodes:
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in numbers and id(node) not in allowed:
                what = "pages" if name == pages else "threads"
                message = f"`{name}`, the number of {what}, is used as a value"
                yield unmet("DIO261", message, span_of(node, file), _hint(what))
            case ast.Call(func=ast.Name(id=name)) if name in _COUNTING and _over_threads(node, per_thread, tree):
                what = _elements(node, of_pages)
                message = f"`{name}` over {what} depends on how many there are"
                yield unmet("DIO261", message, span_of(node, file), _hint(what))


def _quantified_ranges(nodes: Sequence[ast.AST]) -> Iterator[int]:
    """The identities of the nodes ``self.n`` in ``for k in range(self.n)`` inside a quantifier."""
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.GeneratorExp(generators=generators)]) if (
                name in _QUANTIFIERS
            ):
                for generator in generators:
                    match generator.iter:
                        case ast.Call(func=ast.Name(id="range"), args=[ast.Attribute() as number]):
                            yield id(number)
                        case _:
                            pass
            case _:
                pass


def _loops(nodes: Sequence[ast.AST], pages: str) -> Iterator[int]:
    """The identities of the nodes ``self.pages`` in ``for i in range(self.pages)``, ``for i in self.pages`` and
    ``choose(range(self.pages))``."""
    for node in nodes:
        match node:
            case ast.For(iter=ast.Call(func=ast.Name(id="range"), args=[ast.Attribute(attr=name) as number])):
                found = (name, number)
            case ast.For(iter=ast.Attribute(attr=name) as number):
                found = (name, number)
            case ast.Call(
                func=ast.Name(id="choose"),
                args=[ast.Call(func=ast.Name(id="range"), args=[ast.Attribute(attr=name) as number])],
            ):
                found = (name, number)
            case _:
                continue
        if found[0] == pages:
            yield id(found[1])


def _elements(call: ast.Call, of_pages: frozenset[str]) -> str:
    names = {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)}
    return "pages" if names & of_pages else "threads"


def _over_threads(call: ast.Call, per_thread: frozenset[str], tree: ast.FunctionDef) -> bool:
    """Return whether the call may aggregate over threads: over arrays with an element per thread, over thread ids, or
    over a parameter of the function."""
    handed = {a.arg for a in tree.args.args[1:]}
    alone = len(call.args) == 1
    for node in (part for argument in call.args for part in ast.walk(argument)):
        match node:
            case ast.Attribute(attr=name) if name in per_thread:
                return True
            case ast.Call(func=ast.Name(id="threads")):
                return True
            case ast.Name(id=name) if alone and name in handed and not isinstance(call.args[0], ast.GeneratorExp):
                return True
            case ast.comprehension(iter=ast.Name(id=name)) if name in handed:
                return True
            case _:
                pass
    return False
