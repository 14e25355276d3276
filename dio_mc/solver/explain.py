"""Why a property fails on a state: its failing conjuncts, with the values of what they read.

Works on plain values: the author's source is rewritten as for z3, and run over a state.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import z3

from dio_mc.ir.program import Program, Property
from dio_mc.ir.types import BoolType, ScalarType, show_value
from dio_mc.semantics.layout import Layout, State, layout_of
from dio_mc.solver import operators
from dio_mc.solver.rewrite import _Rewriter, namespace
from dio_mc.solver.views import FormulaError, View
from dio_mc.source import function_tree

MOST = 3
"""Conjuncts shown; a counterexample is read, not searched."""


@dataclass(frozen=True, slots=True)
class Conjunct:
    """A failing part of a formula: its source with loop variables put in, and the values it read."""

    text: str
    values: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The failing conjuncts, at most `MOST`, and how many more there are."""

    conjuncts: tuple[Conjunct, ...]
    more: int = 0


class Code(int):
    """A scalar's code that knows its type, so that None and enum members can be compared with it."""

    dio_type: ScalarType


@dataclass(slots=True)
class StateSource:
    """Cells as plain values of a state (and of the state behind the step); remembers what was read."""

    program: Program
    before: State
    after: State
    layout: Layout = field(init=False)
    seen: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.layout = layout_of(self.program)

    def read(self, variable: int, indices: Sequence[Any], after: bool) -> Any:
        """A cell; an index outside reads the last element."""
        flat = 0
        for index, extent in zip(indices, self.program.variables[variable].shape, strict=True):
            at = int(index)
            flat = flat * extent + (at if 0 <= at < extent else extent - 1)
        return self._cell(self.layout.variable_base[variable] + flat, after)

    def at(self, thread: int, locations: frozenset[int], after: bool) -> Any:
        """Whether a thread stands at one of some locations."""
        return (self.after if after else self.before)[self.layout.pc[thread]] in locations

    def local(self, thread: int, index: int, after: bool) -> Any:
        """A thread's local."""
        return self._cell(self.layout.local_base[thread] + index, after)

    def _cell(self, cell: int, after: bool) -> Any:
        value, type_ = (self.after if after else self.before)[cell], self.layout.types[cell]
        self.seen[("after." if after else "") + self.layout.names[cell]] = show_value(type_, value)
        if isinstance(type_, BoolType):
            return bool(value)
        found = Code(value)
        found.dio_type = type_
        return found


def explain(program: Program, property_: Property, before: State, after: State) -> Explanation:
    """The conjuncts of a property that are false on `before` (and `after`, for a step invariant); those of a
    `reachable` property that are true. Nothing where the source is too unusual to be taken apart."""
    tree = function_tree(property_.function)
    if tree is None or not isinstance(property_.function, FunctionType):
        return Explanation(())
    source = StateSource(program, before, after)
    view = View(source, program.root, model=property_.model)
    scope = namespace(property_.function, source, receiver=view)
    names = [a.arg for a in tree.args.args]
    scope[names[0]] = view
    if len(names) > 1:
        scope[names[1]] = View(source, program.root, after=True, model=property_.model)
    try:
        found = list(_walk(tree, scope, source, property_.kind == "reachable"))
    except (FormulaError, z3.Z3Exception, TypeError, AttributeError, KeyError, ValueError):
        return Explanation(())
    return Explanation(tuple(found[:MOST]), max(0, len(found) - MOST))


def _walk(tree: ast.FunctionDef, scope: dict[str, Any], source: StateSource, positive: bool) -> Iterator[Conjunct]:
    body = [s for s in tree.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    for statement in body[:-1]:
        module = ast.fix_missing_locations(ast.Module([_Rewriter().visit(copy.deepcopy(statement))], []))
        exec(compile(module, "<property>", "exec"), scope)  # the model's own code, rewritten
    last = body[-1]
    if isinstance(last, ast.Return) and last.value is not None:
        yield from _failing(last.value, scope, source, positive)


def _failing(node: ast.expr, scope: dict[str, Any], source: StateSource, positive: bool) -> Iterator[Conjunct]:
    """Take conjunctions and ``all`` apart (for a witness, ``any``); anything else is a conjunct."""
    match node:
        case ast.BoolOp(op=ast.And(), values=values) if not positive:
            for value in values:
                yield from _failing(value, scope, source, positive)
        case ast.Call(func=ast.Name(id=("all" | "any") as name), args=[ast.GeneratorExp() as generator]) if (
            name == "any"
        ) is positive:
            for element, inner in _instances(generator, generator.generators, scope):
                yield from _failing(element, inner, source, positive)
        case _:
            source.seen.clear()
            if _truth(_evaluate(node, scope)) is positive:
                values_ = ", ".join(f"{name}={value}" for name, value in source.seen.items())
                yield Conjunct(ast.unparse(node), values_)


def _instances(
    node: ast.GeneratorExp, generators: list[ast.comprehension], scope: dict[str, Any]
) -> Iterator[tuple[ast.expr, dict[str, Any]]]:
    """The element once per combination of the loop variables, their values put in."""
    if not generators:
        yield node.elt, scope
        return
    first = generators[0]
    if not isinstance(first.target, ast.Name):
        raise FormulaError("a quantifier binds one name")
    for value in operators.elements(_evaluate(first.iter, scope)):
        inner = {**scope, first.target.id: value}
        if all(_truth(_evaluate(test, inner)) for test in first.ifs):
            for element, deeper in _instances(node, generators[1:], inner):
                yield _Put(first.target.id, value).visit(copy.deepcopy(element)), deeper


class _Put(ast.NodeTransformer):
    """A number or enum member in place of a loop variable."""

    def __init__(self, name: str, value: Any) -> None:
        self._name, self._value = name, value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Only plain numbers read well; anything else keeps its name."""
        plain = isinstance(self._value, int) and not isinstance(self._value, Code)
        return ast.copy_location(ast.Constant(self._value), node) if node.id == self._name and plain else node


def _evaluate(node: ast.expr, scope: dict[str, Any]) -> Any:
    expression = ast.fix_missing_locations(ast.Expression(_Rewriter().visit(copy.deepcopy(node))))
    return eval(compile(expression, "<property>", "eval"), scope)  # the model's own code, rewritten


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return bool(z3.is_true(z3.simplify(value)))
