"""The z3 constants that stand for what a property reads: cells of the state, and where threads stand.

One constant per cell, named as the author writes it (``cache[0].dirty``), with ``after.`` in front for the state behind
a step. Booleans are z3 Bools; everything else is an Int with the bounds of its type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import z3

from dio_mc.ir.expr import AtLocation, Expr, LocalOf
from dio_mc.ir.program import Program
from dio_mc.ir.types import BoolType, ScalarType, bounds
from dio_mc.semantics.contract import Probe
from dio_mc.semantics.layout import Layout, layout_of

TYPE = "dio_type"
"""Attribute of a term that holds its IR type: `None` has a code only in the light of a type."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A constant, the bounds of its type, and how its value is read from a state."""

    term: Any
    probe: Probe
    type: ScalarType

    def literal(self, value: int) -> Any:
        """A value of this constant as a z3 literal."""
        return z3.BoolVal(bool(value)) if isinstance(self.type, BoolType) else z3.IntVal(value)

    def in_bounds(self) -> Any:
        """That the constant has a value of its type."""
        if isinstance(self.type, BoolType):
            return z3.BoolVal(True)
        low, high = bounds(self.type)
        return z3.And(self.term >= low, self.term <= high)


@dataclass(slots=True)
class Symbols:
    """Makes constants on demand; what was made is the support of what was translated."""

    program: Program
    layout: Layout = field(init=False)
    made: dict[tuple[int, str], Symbol] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.layout = layout_of(self.program)

    def cell(self, variable: int, flat: int, after: bool) -> Any:
        """A cell of a variable, by its row-major position."""
        return self._cell(self.layout.variable_base[variable] + flat, after)

    def local(self, thread: int, index: int, after: bool) -> Any:
        """A thread's local."""
        return self._cell(self.layout.local_base[thread] + index, after)

    def _cell(self, cell: int, after: bool) -> Any:
        name = ("after." if after else "") + self.layout.names[cell]
        type_ = self.layout.types[cell]
        return self._make((2 * cell + after, name), Probe(name, cell, None, after), type_)

    def at(self, thread: int, locations: frozenset[int], after: bool) -> Any:
        """That a thread stands at one of some locations."""
        expr = AtLocation(thread, locations, after)
        name = f"{'after.' if after else ''}at({self.program.threads[thread].name}, {sorted(locations)})"
        return self._make((2 * self.layout.pc[thread] + after, name), Probe(name, None, expr, after), BoolType())

    def _make(self, key: tuple[int, str], probe: Probe, type_: ScalarType) -> Any:
        if key not in self.made:
            term = z3.Bool(probe.name) if isinstance(type_, BoolType) else z3.Int(probe.name)
            setattr(term, TYPE, type_)
            self.made[key] = Symbol(term, probe, type_)
        return self.made[key].term

    def support(self) -> tuple[Symbol, ...]:
        """Everything made so far, in the order of the state."""
        return tuple(self.made[key] for key in sorted(self.made))

    def constraints(self) -> list[Any]:
        """The bounds of everything made so far."""
        return [s.in_bounds() for s in self.support() if not isinstance(s.type, BoolType)]


def is_control(expr: Expr) -> bool:
    """Whether an expression asks where a thread stands."""
    return isinstance(expr, AtLocation | LocalOf)
