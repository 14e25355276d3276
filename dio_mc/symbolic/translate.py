"""Both translations of one property, over the same z3 constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import z3

from dio_mc.ir.expr import Expr
from dio_mc.ir.program import Program, Property
from dio_mc.ir.types import show_value
from dio_mc.semantics.evaluator import Observation
from dio_mc.source import Span
from dio_mc.symbolic.disjunctions import premises_of_disjunctions
from dio_mc.symbolic.encode import Symbols, encode
from dio_mc.symbolic.errors import FormulaError, TranslationMismatch
from dio_mc.symbolic.formula import formula_of
from dio_mc.symbolic.graph import Graph, cell_observation, graph_of, probe_order
from dio_mc.symbolic.solver import model_of
from dio_mc.symbolic.terms import Term
from dio_mc.symbolic.world import World


@dataclass(frozen=True, slots=True)
class SymbolicCells:
    """The cells and propositions of the model as z3 constants."""

    graph: Graph
    symbols: Symbols

    def cell(self, cell: int, after: bool) -> Term:
        """The constant of a cell."""
        return self.symbols.constant(cell_observation(self.graph.layout, cell, after))

    def atom(self, text: str, meaning: Expr, after: bool) -> Term:
        """The constant of a control proposition."""
        node = self.graph.nodes[self.graph.atom(text, meaning, after)]
        return bool(node.data) if node.op == "const" else self.symbols.constant(node.data)


@dataclass(frozen=True, slots=True)
class Translations:
    """The two translations. `root` is the node of the IR in the graph, None if there is no IR; `formula` is made from
    the Python source (a Python bool if it does not depend on the state). `premises` and `formula_premises` are those of
    ``Implies``, with positions: nodes of the IR, formulas of the source. `natives` names the z3 functions that the
    source uses, except connectives."""

    program: Program
    property: Property
    graph: Graph
    symbols: Symbols
    root: int | None
    formula: Term
    premises: tuple[tuple[Span, int], ...]
    formula_premises: tuple[tuple[Span, Term], ...]
    natives: tuple[str, ...]

    def encoded(self, node: int) -> Any:
        """A node of the graph as a z3 formula."""
        return encode(self.graph, node, self.symbols.constant)

    def quoted(self) -> Any:
        """The formula as a z3 object."""
        return z3.BoolVal(self.formula) if isinstance(self.formula, bool) else self.formula

    def support(self) -> tuple[Observation, ...]:
        """The observations that the simplified formula and its premises read."""
        names = constants_of(z3.simplify(self.quoted()))
        names |= {
            n for _, premise in self.formula_premises if not isinstance(premise, bool) for n in constants_of(premise)
        }
        found = [observation for name, observation in self.symbols.made().items() if name in names]
        return tuple(sorted(found, key=probe_order))


def translate(program: Program, property_: Property) -> Translations:
    """Make both translations. Raises `FormulaError` if the source cannot be expressed in z3, and `TranslationMismatch`
    if the frontend compiled a property that cannot."""
    graph = graph_of(program)
    symbols = Symbols(graph)
    world = World(program, property_.model, SymbolicCells(graph, symbols))
    try:
        formula = formula_of(property_.function, world)
    except FormulaError as error:
        if property_.expr is None:
            raise
        raise TranslationMismatch(f"{property_.name} is compiled, but is not a formula", [str(error)]) from error
    root: int | None = None
    premises: tuple[tuple[Span, int], ...] = ()
    if property_.expr is not None:
        for atom in property_.atoms:
            graph.atom(atom.text, atom.meaning, atom.text.startswith("after."))
        root = graph.abstract(graph.lower(property_.expr))
        listed = [*graph.implications]
        if property_.kind in ("invariant", "step"):
            listed += [(property_.span, graph.lower(p)) for p in premises_of_disjunctions(property_.expr)]
        premises = tuple((span or property_.span, graph.abstract(node)) for span, node in listed)
    return Translations(
        program, property_, graph, symbols, root, formula, premises, tuple(world.implications), tuple(world.natives)
    )  # fmt: skip


def constants_of(formula: Any) -> set[str]:
    """The names of the free constants of a formula."""
    names: set[str] = set()
    seen: set[int] = set()
    waiting = [formula]
    while waiting:
        term = waiting.pop()
        if term.get_id() in seen:
            continue
        seen.add(term.get_id())
        if z3.is_const(term) and term.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            names.add(term.decl().name())
        waiting += term.children()
    return names


def prove_equal(both: Translations, budget_ms: int) -> bool:
    """Whether z3 proved that the two translations agree on every typed valuation; False if it gave up.

    Raises `TranslationMismatch` with a valuation on which they differ.
    """
    assert both.root is not None
    compiled, formula = both.encoded(both.root), both.quoted()
    difference = z3.simplify(compiled != formula)
    if z3.is_false(difference):
        return True
    model = model_of([*both.symbols.facts(), difference], budget_ms)
    if model is None:
        return False
    if model is False:
        return True
    raise _mismatch(both, model, z3.is_true(model.eval(compiled, model_completion=True)))


def _mismatch(both: Translations, model: Any, compiled: bool) -> TranslationMismatch:
    """The error, with the valuation in the author's names."""
    shown: list[str] = []
    for one in sorted(both.symbols.made().values(), key=probe_order):
        value = both.symbols.read(model, one, 0)
        types = both.graph.layout.types
        shown.append(f"{one.name} = {show_value(types[one.cell], value) if one.cell is not None else bool(value)}")
    said = f"the compiled form is {compiled}, the formula {not compiled}"
    return TranslationMismatch(f"two translations of {both.property.name} differ: {said}", [", ".join(shown)])
