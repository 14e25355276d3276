"""Explains why a property is false on a state or on a step: the conjunct, or the instance of an ``all(...)``, that
fails, as the author wrote it, with the values that it reads.

``all(self.seen[i] != Data.STALE for i in range(self.pages))`` is reported as ``self.seen[0] != Data.STALE`` with
``seen[0]=STALE``. For a `reachable` property, the parts that hold are reported.

The code that makes a property's formula (`formula`) evaluates the syntax tree on the values of the state. z3 is queried
only for terms that it alone can decide.
"""

from __future__ import annotations

import ast
import contextlib
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from types import FunctionType
from typing import Any

import z3

from dio_mc.ir.expr import AtLocation, Expr
from dio_mc.ir.program import Program, Property
from dio_mc.ir.types import BoolType, show_value
from dio_mc.semantics.evaluation import Scope, compile_expr
from dio_mc.semantics.layout import Layout, State, layout_of
from dio_mc.source import Span, function_tree
from dio_mc.symbolic import algebra, formula, world
from dio_mc.symbolic.errors import FormulaError
from dio_mc.symbolic.formula import Frame
from dio_mc.symbolic.solver import valid
from dio_mc.symbolic.terms import Term
from dio_mc.symbolic.values import Coded, ThreadNumber, Value, View
from dio_mc.symbolic.world import Method, World

MOST = 8
"""The largest number of conjuncts reported."""
BUDGET_MS = 200


@dataclass(frozen=True, slots=True)
class Conjunct:
    """A part of the property that decides its value: its source with loop variables replaced by their values, and the
    values that it reads (``seen[0]=STALE, block[0]=HOLE``)."""

    text: str
    values: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts that decide a property on a state; at least one unless the source cannot be evaluated."""

    conjuncts: tuple[Conjunct, ...]


@dataclass(slots=True)
class StateCells:
    """The values of one state, or of the two states of a step; records which were read."""

    program: Program
    layout: Layout
    state: State
    after: State | None
    read: dict[str, str] = field(default_factory=dict)

    def cell(self, cell: int, after: bool) -> Term:
        """A cell's value."""
        source = self.after if after and self.after is not None else self.state
        type_, value = self.layout.types[cell], source[cell]
        self.read[f"{'after.' if after else ''}{self.layout.names[cell]}"] = show_value(type_, value)
        return bool(value) if isinstance(type_, BoolType) else value

    def atom(self, text: str, meaning: Expr, after: bool) -> Term:
        """The truth of a control proposition."""
        evaluate = compile_expr(meaning, Scope(self.program, self.layout, None))
        found = bool(evaluate(self.state + (self.after or self.state)))
        if not (isinstance(meaning, AtLocation) and text.removeprefix("after.").startswith("at(")):
            self.read[text] = str(found)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A part of a property: its syntax node, and the meaning of names in it: a literal, or the expression assigned to
    the name. For a disjunction or implication with narrowed operands, `parts` holds these."""

    node: ast.expr
    frame: Frame
    names: dict[str, ast.expr | Spot]
    negated: bool = False
    parts: tuple[Spot, ...] = ()

    def at(self, node: ast.expr) -> Spot:
        """Another node of the same function."""
        return replace(self, node=node)


def explain(program: Program, property_: Property, state: State, after: State | None = None) -> Explanation:
    """Explain why the property is false on `state` (a step invariant: on the step to `after`; a reachable property: why
    it is true).

    If the property is not false there, or cannot be evaluated, the whole property is reported.
    """
    successor = after if property_.kind == "step" else None
    cells = StateCells(program, layout_of(program), state, successor)
    spot = _start(property_, World(program, property_.model, cells))
    if spot is None:
        return Explanation(())
    try:
        found = _narrow(spot, property_.kind == "reachable")
    except FormulaError:
        found = [spot]
    return Explanation(tuple(_conjunct(one, cells) for one in found[:MOST]))


def _start(property_: Property, around: World) -> Spot | None:
    tree, function = function_tree(property_.function), property_.function
    if tree is None or not isinstance(function, FunctionType):
        return None
    names = [a.arg for a in tree.args.args]
    views = {n: around.view(after=bool(k)) for k, n in enumerate(names)}
    return _returned(tree, Frame(around, function, dict(views)), {})


def _returned(tree: ast.FunctionDef, frame: Frame, names: dict[str, ast.expr | Spot]) -> Spot | None:
    """The expression after a function's ``return``, with the names assigned before it; None for functions of another
    form."""
    for statement in tree.body:
        match statement:
            case ast.Return(value=ast.expr() as value):
                return Spot(value, frame, names)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                origin = Spot(value, replace(frame, names=dict(frame.names)), dict(names))
                formula.bind(ast.Name(name), formula.evaluate(value, frame), frame)
                names = {**names, name: origin}
            case ast.Expr():
                continue
            case _:
                return None
    return None


# --- narrowing --------------------------------------------------------------------------------------------------------


def _truth(spot: Spot) -> bool | None:
    try:
        return valid(formula.condition_of(spot.node, spot.frame), BUDGET_MS)
    except FormulaError:
        return None


def _narrow(spot: Spot, value: bool) -> list[Spot]:
    """The smallest parts that give `spot` the value `value`; `spot` itself if no part does alone."""
    match spot.node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _negated(spot, operand, value)
        case ast.BoolOp(op=op, values=operands):
            return _narrow_operands(spot, isinstance(op, ast.And), [spot.at(o) for o in operands], value)
        case ast.Name(id=name) if isinstance(origin := spot.names.get(name), Spot):
            return _narrow(replace(origin, negated=spot.negated), value)
        case ast.Call():
            return _narrow_call(spot, spot.node, value)
        case _:
            return [spot]


def _negated(spot: Spot, operand: ast.expr, value: bool) -> list[Spot]:
    return _narrow(replace(spot, node=operand, negated=not spot.negated), not value)


def _narrow_operands(spot: Spot, conjunction: bool, operands: list[Spot], value: bool) -> list[Spot]:
    """A false operand makes a conjunction false, a true one makes a disjunction true. A conjunction that holds is
    reported as its operands, a disjunction that fails as the failing parts of its operands."""
    if value is not conjunction:
        decide = [o for o in operands if _truth(o) is value]
        return [part for o in decide[: MOST if conjunction else 1] for part in _narrow(o, value)] or [spot]
    if spot.negated:
        return [spot]
    if conjunction:
        return [part for o in operands for part in _narrow(o, True)]
    return _together(spot, operands, [_narrow(o, False) for o in operands])


def _together(spot: Spot, operands: list[Spot], narrowed: list[list[Spot]]) -> list[Spot]:
    """The same connective applied to the first failing part of each operand."""
    firsts = tuple(parts[0] for parts in narrowed)
    return [spot] if all(a is b for a, b in zip(firsts, operands, strict=True)) else [replace(spot, parts=firsts)]


def _narrow_call(spot: Spot, node: ast.Call, value: bool) -> list[Spot]:
    callee = formula.evaluate(node.func, spot.frame)
    if callee in (all, any) and len(node.args) == 1:
        return _narrow_quantifier(spot, node.args[0], callee is all, value)
    if callee is z3.Not and len(node.args) == 1:
        return _negated(spot, node.args[0], value)
    if callee is z3.Implies and len(node.args) == 2 and not value and not spot.negated:
        premise, conclusion = (spot.at(a) for a in node.args)
        return _together(spot, [premise, conclusion], [[premise], _narrow(conclusion, False)])
    if callee in (z3.And, z3.Or):
        listed = node.args[0].elts if isinstance(node.args[0], ast.List | ast.Tuple) else node.args
        if any(isinstance(a, ast.Starred | ast.ListComp | ast.GeneratorExp) for a in listed):
            return _narrow_quantifier(spot, node.args[0], callee is z3.And, value)
        return _narrow_operands(spot, callee is z3.And, [spot.at(a) for a in listed], value)
    inside = _body(spot, node, callee)
    if inside is None:
        return [spot]
    parts = _narrow(inside, value)
    return [spot] if parts[0] is inside else parts


def _narrow_quantifier(spot: Spot, body: ast.expr, universal: bool, value: bool) -> list[Spot]:
    """The instances that fail an ``all``, or one that satisfies an ``any``."""
    if value is universal:
        return [spot]
    found: list[Spot] = []
    for instance in _instances(spot, body):
        if len(found) < (MOST if universal or spot.negated else 1) and _truth(instance) is value:
            found += _narrow(instance, value)
    return found or [spot]


def _instances(spot: Spot, body: ast.expr) -> Iterator[Spot]:
    if isinstance(body, ast.GeneratorExp | ast.ListComp):
        for inner in _combinations(spot, body.generators):
            yield inner.at(body.elt)
    elif not isinstance(body, ast.Starred):
        count = len(algebra.sequence(formula.evaluate(body, spot.frame)))
        for position in range(count):
            yield spot.at(_element(body, position))


def _combinations(spot: Spot, generators: list[ast.comprehension]) -> Iterator[Spot]:
    if not generators:
        yield spot
        return
    first, rest = generators[0], generators[1:]
    around = formula.evaluate(first.iter, spot.frame)
    for position, value in enumerate(algebra.sequence(around)):
        frame = spot.frame.inner(first.target, value)
        names = dict(spot.names)
        if isinstance(first.target, ast.Name):
            element = spot.at(_element(first.iter, position))
            names[first.target.id] = element if isinstance(around, View) else _literal(value) or element
        inner = replace(spot, frame=frame, names=names)
        if all(_truth(inner.at(test)) is not False for test in first.ifs):
            yield from _combinations(inner, rest)


def _element(body: ast.expr, position: int) -> ast.expr:
    index = ast.copy_location(ast.Constant(position), body)
    return ast.copy_location(ast.Subscript(body, index, ast.Load()), body)


def _body(spot: Spot, node: ast.Call, callee: Any) -> Spot | None:
    """The expression that a pure function returns, with its parameters bound to the arguments; None for other calls."""
    function = callee.function if isinstance(callee, Method) else callee
    if not isinstance(function, FunctionType) or function.__module__.startswith(("z3", "dio_mc.lang")):
        return None
    if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
        return None
    if (isinstance(callee, Method) and world.is_proposition(callee)) or hasattr(function, "__dio_role__"):
        return None
    tree = function_tree(function)
    if tree is None or spot.frame.depth > formula.DEEPEST:
        return None
    given = [spot.at(a) for a in node.args]
    bound = [formula.evaluate(a, spot.frame) for a in node.args]
    if isinstance(callee, Method):
        if not isinstance(node.func, ast.Attribute):
            return None
        given, bound = [spot.at(node.func.value), *given], [callee.receiver, *bound]
    parameters = [a.arg for a in tree.args.args]
    if len(parameters) != len(bound):
        return None
    frame = Frame(spot.frame.world, function, dict(zip(parameters, bound, strict=True)), spot.frame.depth + 1)
    inside = _returned(tree, frame, dict(zip(parameters, given, strict=True)))
    return replace(inside, negated=spot.negated) if inside is not None else None


# --- reported form ----------------------------------------------------------------------------------------------------


def _conjunct(spot: Spot, cells: StateCells) -> Conjunct:
    cells.read.clear()
    for part in spot.parts or (spot,):
        _read(part)
    read = ", ".join(f"{name}={value}" for name, value in cells.read.items())
    return Conjunct(ast.unparse(_shown(spot)), read, spot.frame.span(spot.node))


def _read(spot: Spot) -> None:
    """Evaluate the part again, and the expressions assigned to its names, to record the cells that are read."""
    for name in (n.id for n in ast.walk(spot.node) if isinstance(n, ast.Name)):
        if isinstance(origin := spot.names.get(name), Spot):
            _read(origin)
    with contextlib.suppress(FormulaError):
        formula.evaluate(spot.node, spot.frame)


def _shown(spot: Spot) -> ast.expr:
    """The expression as it is reported: a narrowed connective with its narrowed operands."""
    if not spot.parts:
        shown = _substituted(spot)
    elif isinstance(spot.node, ast.Call):
        shown = ast.Call(spot.node.func, [_shown(part) for part in spot.parts], [])
    else:
        shown = ast.BoolOp(ast.Or(), [_shown(part) for part in spot.parts])
    return ast.UnaryOp(ast.Not(), shown) if spot.negated else shown


def _substituted(spot: Spot) -> ast.expr:
    """The expression with names replaced by their meaning."""
    return _Substitute(spot.names).visit(copy.deepcopy(spot.node))  # type: ignore[no-any-return]  # an expression


class _Substitute(ast.NodeTransformer):
    def __init__(self, names: dict[str, ast.expr | Spot]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        found = self._names.get(node.id)
        if found is None or not isinstance(node.ctx, ast.Load):
            return node
        return _substituted(found) if isinstance(found, Spot) else copy.deepcopy(found)


def _literal(value: Value) -> ast.expr | None:
    """A loop variable's value as source text."""
    match value:
        case Enum():
            return ast.Attribute(ast.Name(type(value).__name__), value.name)
        case ThreadNumber():
            return ast.Name(value.name)
        case Coded(int() as code, type_):
            return ast.Attribute(ast.Name(type_.name), type_.members[code])
        case bool() | int() | str() | None:
            return ast.Constant(value)
        case _:
            return None
