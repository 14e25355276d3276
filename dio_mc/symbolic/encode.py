"""The graph of a property's IR -> z3, and the z3 constants that both translations use.

There is one constant per cell of the state (bool cells are Bool, others Int) and one Bool per control proposition.
Their names begin with ``self.`` or ``after.``, so that they do not clash with names in the author's own z3py: a
quantifier over ``Int("x")`` must not capture the model's `x`.

The meaning of a proposition is not part of the formulas. `Symbols.facts` states it, together with the bounds of all
cells, so the solver knows how propositions and locations of threads are related.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_never

import z3

from dio_mc.ir.expr import ArithOp, AtLocation, CompareOp
from dio_mc.ir.types import BoolType, bounds
from dio_mc.semantics.evaluator import Observation
from dio_mc.symbolic.graph import Graph, Node, cell_observation

Encoded = Any
"""z3.ExprRef, or a Python int for a constant."""
Leaf = Callable[[Observation], Encoded]


class Symbols:
    """The z3 constants of one property, created on demand."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._constants: dict[Observation, Any] = {}

    def constant(self, observation: Observation) -> Any:
        """The constant for an observation."""
        found = self._constants.get(observation)
        if found is None:
            name = observation.name if observation.after else f"self.{observation.name}"
            truth = observation.cell is None or isinstance(self._graph.layout.types[observation.cell], BoolType)
            found = self._constants[observation] = z3.Bool(name) if truth else z3.Int(name)
        return found

    def value(self, observation: Observation, value: int) -> Any:
        """An integer as a z3 value of the observation's sort."""
        return z3.BoolVal(bool(value)) if z3.is_bool(self.constant(observation)) else z3.IntVal(value)

    def equals(self, observation: Observation, value: int) -> Any:
        """The formula "the observation has this value"."""
        constant = self.constant(observation)
        return constant == value if not z3.is_bool(constant) else constant if value else z3.Not(constant)

    def within(self, observation: Observation, domain: range) -> Any:
        """The formula "the observation's value is in `domain`"."""
        constant = self.constant(observation)
        return True if z3.is_bool(constant) else z3.And(constant >= domain[0], constant <= domain[-1])

    def read(self, model: Any, observation: Observation, default: int) -> int:
        """The observation's value in a z3 model; `default` if the model leaves it open."""
        found = model.eval(self.constant(observation))
        return (
            found.as_long() if z3.is_int_value(found) else default if not z3.is_bool(found) else int(z3.is_true(found))
        )

    def made(self) -> dict[str, Observation]:
        """The observations of all constants so far, by the constant's name."""
        return {constant.decl().name(): observation for observation, constant in self._constants.items()}

    def facts(self) -> list[Any]:
        """The bounds of every cell, and the definition of every proposition."""
        facts: list[Any] = []
        for observation in list(self._constants):
            if observation.proposition is not None:
                meaning = encode(self._graph, self._graph.lower(observation.proposition), self._definition)
                facts.append(self.constant(observation) == meaning)
        for observation in self._constants:
            if observation.cell is not None:
                low, high = bounds(self._graph.layout.types[observation.cell])
                facts.append(self.within(observation, range(low, high + 1)))
        return facts

    def _definition(self, observation: Observation) -> Any:
        """A proposition about one thread as a formula over its pc; any other proposition as its constant."""
        at = observation.proposition
        if not isinstance(at, AtLocation):
            return self.constant(observation)
        pc = self.constant(cell_observation(self._graph.layout, self._graph.layout.pc[at.thread], at.after))
        return z3.Or([pc == location for location in sorted(at.locations)])


def encode(graph: Graph, root: int, leaf: Leaf) -> Any:
    """A node of type bool as a z3 formula; `leaf` gives the term for an observation."""
    done: dict[int, Encoded] = {}
    for number in graph.below([root]):
        node = graph.nodes[number]
        done[number] = _encode(node, [done[a] for a in node.args], leaf)
    return _formula(done[root])


def _encode(node: Node, args: list[Encoded], leaf: Leaf) -> Encoded:
    match node.op:
        case "const":
            return node.data
        case "observation":
            return leaf(node.data)
        case "not":
            return z3.Not(_formula(args[0]))
        case "and":
            return z3.And([_formula(a) for a in args])
        case "or":
            return z3.Or([_formula(a) for a in args])
        case "implies":
            return z3.Implies(_formula(args[0]), _formula(args[1]))
        case "ite":
            return _choice(_formula(args[0]), args[1], args[2])
        case "compare":
            return _compare(node.data, args[0], args[1])
        case "arith":
            return _arithmetic(node.data, _number(args[0]), _number(args[1]))
        case "select":
            return _select(_number(args[0]), args[1:])
        case _:
            assert_never(node.op)


def _formula(value: Encoded) -> Any:
    """Convert to a formula; a choice between two constants is a number, 0 or 1."""
    if isinstance(value, int):
        return z3.BoolVal(bool(value))
    return value != 0 if isinstance(value, z3.ArithRef) else value


def _number(value: Encoded) -> Encoded:
    """Convert to an integer term. A Python int stays one: z3 converts it beside a z3 operand."""
    return z3.If(value, z3.IntVal(1), z3.IntVal(0)) if isinstance(value, z3.BoolRef) else value


def _choice(condition: Any, then: Encoded, orelse: Encoded) -> Any:
    if isinstance(then, z3.BoolRef) or isinstance(orelse, z3.BoolRef):
        return z3.If(condition, _formula(then), _formula(orelse))
    return z3.If(condition, z3.IntVal(then) if isinstance(then, int) else then, orelse)


def _select(index: Encoded, elements: list[Encoded]) -> Any:
    if isinstance(index, int):
        return elements[index] if 0 <= index < len(elements) else elements[-1]
    found = elements[-1]
    for position, element in reversed(list(enumerate(elements[:-1]))):
        found = _choice(index == position, element, found)
    return found


def _compare(op: CompareOp, left: Encoded, right: Encoded) -> Any:
    if op in ("==", "!=") and isinstance(left, z3.BoolRef) and isinstance(right, z3.BoolRef):
        return left == right if op == "==" else left != right
    left, right = _number(left), _number(right)
    match op:
        case "==":
            return _formula(left == right)
        case "!=":
            return _formula(left != right)
        case "<":
            return _formula(left < right)
        case "<=":
            return _formula(left <= right)
        case ">":
            return _formula(left > right)
        case ">=":
            return _formula(left >= right)
        case _:
            assert_never(op)


def _arithmetic(op: ArithOp, left: Encoded, right: Encoded) -> Encoded:
    """Divisors are positive constants, for which z3's division agrees with Python's."""
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "//":
            return left // right if isinstance(left, int) else left / right
        case "%":
            return left % right
        case _:
            assert_never(op)
