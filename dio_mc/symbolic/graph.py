"""A property's IR expression as a graph of shared nodes; z3 formulas and Python functions are generated from it.

Lowering removes types and indexes: a load with a fixed index is a cell, any other a `select` among cells (an index
outside its dimension selects the last). Equal expressions become one node. A second pass replaces the definitions of
control propositions (`Atom`) by the propositions, so that a valuation has one truth value for ``inside("mapped",
index=0)`` instead of a location per thread. Replacing an expression by an equivalent proposition is always sound; if
one is missed, the propositions of single locations are read instead.

This module does not use z3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

from dio_mc.errors import InternalError
from dio_mc.ir.expr import (
    And,
    Arith,
    AtLocation,
    Compare,
    Const,
    Expr,
    Implies,
    Ite,
    Load,
    Local,
    LocalOf,
    Me,
    Not,
    Or,
    type_of,
)
from dio_mc.ir.program import Program
from dio_mc.ir.types import bounds
from dio_mc.semantics.evaluator import Observation
from dio_mc.semantics.layout import Layout, layout_of
from dio_mc.source import Span

Op = Literal["const", "observation", "not", "and", "or", "implies", "ite", "compare", "arith", "select"]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation on earlier nodes. `data` is the value of a const, the `Observation`, or the operator of a
    comparison or of arithmetic. The first argument of a select is the index, the others are the elements."""

    op: Op
    args: tuple[int, ...] = ()
    data: Any = None


@dataclass(slots=True)
class Graph:
    """Numbered nodes; equal nodes share a number. `implications` lists (position, premise) of every ``Implies``."""

    program: Program
    layout: Layout
    nodes: list[Node] = field(default_factory=list)
    implications: list[tuple[Span | None, int]] = field(default_factory=list)
    _numbers: dict[Node, int] = field(default_factory=dict)
    _lowered: dict[int, tuple[Expr, int]] = field(default_factory=dict)
    _atoms: dict[int, int] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def add(self, op: Op, args: tuple[int, ...] = (), data: Any = None) -> int:
        """The number of a node, which is added if it is new."""
        node = Node(op, args, data)
        number = self._numbers.get(node)
        if number is None:
            number = self._numbers[node] = len(self.nodes)
            self.nodes.append(node)
        return number

    def cell(self, cell: int, after: bool) -> int:
        """The node of a cell of the state (with `after`: of the state after the step)."""
        return self.add("observation", (), cell_observation(self.layout, cell, after))

    # -- lowering ---------------------------------------------------------------------------------------------------

    def lower(self, expr: Expr) -> int:
        """The node of an expression; a shared sub-expression is visited once."""
        known = self._lowered.get(id(expr))
        if known is None:
            known = self._lowered[id(expr)] = (expr, self._lower(expr))  # the expression is kept, so its id stays taken
        return known[1]

    def _lower(self, expr: Expr) -> int:
        match expr:
            case Const(value):
                return self.add("const", (), value)
            case Load():
                return self._load(expr)
            case AtLocation() as at:
                return self.add("observation", (), at_observation(self.program, at))
            case LocalOf(thread, index, _, after):
                return self.cell(self.layout.local_base[thread] + index, after)
            case Not(operand):
                return self.add("not", (self.lower(operand),))
            case And(operands) | Or(operands):
                return self.add("and" if isinstance(expr, And) else "or", tuple(self.lower(o) for o in operands))
            case Implies(premise, conclusion, span):
                given = self.lower(premise)
                self.implications.append((span, given))
                return self.add("implies", (given, self.lower(conclusion)))
            case Ite(condition, then, orelse):
                return self.add("ite", (self.lower(condition), self.lower(then), self.lower(orelse)))
            case Compare(op, left, right):
                return self.add("compare", (self.lower(left), self.lower(right)), op)
            case Arith(op, left, right):
                return self.add("arith", (self.lower(left), self.lower(right)), op)
            case Local() | Me():
                raise InternalError(f"{type(expr).__name__} has no meaning in a property")
            case _:
                assert_never(expr)

    def _load(self, load: Load) -> int:
        return self._element(load, 0, 0)

    def _element(self, load: Load, dimension: int, offset: int) -> int:
        """The element reached by the first `dimension` indexes, whose row-major offset is `offset`."""
        shape = self.program.variables[load.variable].shape
        if dimension == len(shape):
            return self.cell(self.layout.variable_base[load.variable] + offset, load.after)
        extent, index = shape[dimension], load.indices[dimension]
        low, high = (index.value,) * 2 if isinstance(index, Const) else bounds(type_of(index))
        meant = {i if 0 <= i < extent else extent - 1 for i in range(max(low, -1), min(high, extent) + 1)}
        meant = meant or {extent - 1}
        below = {i: self._element(load, dimension + 1, offset * extent + i) for i in sorted(meant)}
        if len(below) == 1:
            return next(iter(below.values()))
        spare = next(iter(below.values()))  # fills positions that the index never takes
        return self.add("select", (self.lower(index), *(below.get(i, spare) for i in range(extent))))

    # -- control propositions ---------------------------------------------------------------------------------------

    def atom(self, text: str, meaning: Expr, after: bool) -> int:
        """The node of a proposition. Propositions with the same meaning share a node."""
        lowered = self.lower(meaning)
        if self.nodes[lowered].op == "const":
            return lowered
        if lowered not in self._atoms:
            name = text if text not in self._names else f"{text} #{len(self._names)}"
            self._names.add(name)
            self._atoms[lowered] = self.add("observation", (), Observation(name, None, meaning, after))
        return self._atoms[lowered]

    def definitions(self) -> list[tuple[int, int]]:
        """(proposition, meaning) of every atom so far."""
        return [(atom, meaning) for meaning, atom in self._atoms.items()]

    def abstract(self, root: int) -> int:
        """The node with definitions replaced by their propositions, the longest first."""
        done: dict[int, int] = {}
        runs = [(self.nodes[m].op, self.nodes[m].args, a) for m, a in self._atoms.items()]
        runs = sorted((r for r in runs if r[0] in ("and", "or")), key=lambda r: (-len(r[1]), r[2]))
        for number in self.below([root]):
            node = self.nodes[number]
            if number in self._atoms:
                done[number] = self._atoms[number]
            elif node.op in ("and", "or"):
                done[number] = self._join(node.op, _replace_runs(node, runs, done))
            else:
                done[number] = self.add(node.op, tuple(done[a] for a in node.args), node.data)
        return done[root]

    def _join(self, op: Literal["and", "or"], args: tuple[int, ...]) -> int:
        return args[0] if len(args) == 1 else self.add(op, args)

    # -- traversal --------------------------------------------------------------------------------------------------

    def below(self, roots: list[int]) -> list[int]:
        """All nodes that these nodes depend on, operands first, including themselves."""
        seen: set[int] = set()
        waiting = list(roots)
        while waiting:
            number = waiting.pop()
            if number not in seen:
                seen.add(number)
                waiting += self.nodes[number].args
        return sorted(seen)

    def observations(self, roots: list[int]) -> tuple[Observation, ...]:
        """The observations that these nodes read: cells in the order of the state, then cells after the step, then
        propositions."""
        found = {self.nodes[n].data for n in self.below(roots) if self.nodes[n].op == "observation"}
        return tuple(sorted(found, key=probe_order))


def _replace_runs(node: Node, runs: list[tuple[Op, tuple[int, ...], int]], done: dict[int, int]) -> tuple[int, ...]:
    """The operands, with runs of operands that define a proposition replaced by it (the frontend flattens
    connectives)."""
    out: list[int] = []
    position = 0
    while position < len(node.args):
        rest = node.args[position:]
        run = next((r for r in runs if r[0] == node.op and rest[: len(r[1])] == r[1]), None)
        out.append(run[2] if run else done[rest[0]])
        position += len(run[1]) if run else 1
    return tuple(out)


def probe_order(observation: Observation) -> tuple[bool, bool, int, str]:
    """The sort key of observations: cells, then cells after the step, then propositions."""
    return observation.cell is None, observation.after, observation.cell or 0, observation.name


def cell_observation(layout: Layout, cell: int, after: bool) -> Observation:
    """The observation of a cell, named as in the layout."""
    return Observation(f"after.{layout.names[cell]}" if after else layout.names[cell], cell, None, after)


def at_observation(program: Program, at: AtLocation) -> Observation:
    """The observation of "this thread is at one of these locations"."""
    places = ",".join(f"L{n}" for n in sorted(at.locations))
    text = f"at({program.threads[at.thread].name}, {places})"
    return Observation(f"after.{text}" if at.after else text, None, at, at.after)


def graph_of(program: Program) -> Graph:
    """An empty graph."""
    return Graph(program, layout_of(program))
