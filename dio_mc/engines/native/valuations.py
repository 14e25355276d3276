"""One evaluator in the compiled search: states -> valuations -> decisions, and the byte table that
machine code reads."""

from __future__ import annotations

import ctypes

from dio_mc.analysis.values.facts import Facts
from dio_mc.analysis.values.sets import high, low
from dio_mc.engines.native.memory import Region
from dio_mc.errors import InternalError
from dio_mc.ir.expr import Expr
from dio_mc.semantics.evaluator import Decision, PropertyEvaluator
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State

SEEN_BYTE = 1
"""A valuation that has been seen."""
WANTED_BYTE = 2
"""A valuation that was decided as a violation, or as a witness of a reachable property."""


class Valuations:
    """The valuations of one evaluator, and their table of one byte each.

    `length` is the length of the shortest paths to a violation (for a reachable property, to a
    witness), None while none is known. `unknown` is set when the evaluator could not decide some
    valuation.
    """

    def __init__(
        self,
        evaluator: PropertyEvaluator,
        interpreter: Interpreter,
        facts: Facts,
        size: int,
        formulas: tuple[Expr, ...],
    ) -> None:
        self.evaluator = evaluator
        self.length: int | None = None
        self.unknown = False
        self.stepwise = evaluator.property.kind == "step"
        self.wanted = Decision.HOLDS if evaluator.property.kind == "reachable" else Decision.VIOLATED
        self.table = Region(size)
        self._interpreter = interpreter
        self._facts = facts
        self._formulas = formulas
        self._waiting: dict[tuple[int, ...], int] = {}
        self._found: set[tuple[int, ...]] = set()
        self._known: set[tuple[int, ...]] = set()
        for observation in evaluator.observations:
            if observation.after and not self.stepwise:
                raise InternalError(f"{evaluator.property.name} reads the state after a step, but is not about steps")

    def of(self, state: State, after: State | None) -> tuple[int, ...]:
        """The valuation of a state, or of the edge from `state` to `after`."""
        values: list[int] = []
        for observation in self.evaluator.observations:
            side = after if observation.after and after is not None else state
            if observation.cell is not None:
                values.append(side[observation.cell])
            elif observation.proposition is not None:
                values.append(self._atom(observation.proposition, observation.after, state, after))
        return tuple(values)

    def _atom(self, atom: Expr, later: bool, state: State, after: State | None) -> int:
        evaluate, reads_after = self._interpreter.compiled(atom)
        if reads_after and after is not None:
            return evaluate(state + after)
        return evaluate(after if later and after is not None else state)

    def note(self, state: State, after: State | None) -> None:
        """Record a state or edge with a new valuation; `decide` will decide it."""
        valuation = self.of(state, after)
        self._waiting[valuation] = self._place(valuation, state, after)

    def recall(self, state: State, after: State | None) -> None:
        """Like `note`, for a valuation of an earlier run: it is marked as seen, so that machine
        code does not report it again."""
        valuation = self.of(state, after)
        place = self._waiting[valuation] = self._place(valuation, state, after)
        ctypes.c_uint8.from_address(self.table.address + place).value = SEEN_BYTE

    def decide(self, length: int) -> None:
        """Decide the new valuations in sorted order; `length` is the number of steps to the states
        or edges that have them."""
        if not self._waiting:
            return
        places = self._waiting
        valuations = sorted(places)
        decisions = self.evaluator.decide(valuations)
        if len(decisions) != len(valuations):
            raise InternalError(f"the evaluator of {self.evaluator.property.name} left valuations undecided")
        self._known.update(valuations)
        for valuation, decision in zip(valuations, decisions, strict=True):
            self.unknown |= decision is Decision.UNKNOWN
            if decision is self.wanted:
                self._found.add(valuation)
                ctypes.c_uint8.from_address(self.table.address + places[valuation]).value = WANTED_BYTE
                if self.length is None:
                    self.length = length
        self._waiting = {}  # only now: after an interrupt the same valuations are decided again

    def is_wanted(self, state: State, after: State | None) -> bool:
        """Return whether a state or edge is a violation (for a reachable property, a witness).
        Unknown valuations are decided at once."""
        valuation = self.of(state, after)
        if valuation not in self._known:
            self._known.add(valuation)
            if self.evaluator.decide([valuation])[0] is self.wanted:
                self._found.add(valuation)
        return valuation in self._found

    def _place(self, valuation: tuple[int, ...], state: State, after: State | None) -> int:
        """The index of a valuation in the table: its own number, or that of the truth values of the
        formulas."""
        place = 0
        if self._formulas:
            for formula in self._formulas:
                place = place * 2 + bool(self._atom(formula, False, state, after))
            return place
        for observation, value in zip(self.evaluator.observations, valuation, strict=True):
            least, most = 0, 1
            if observation.cell is not None:
                values = self._facts.cells[observation.cell]
                least, most = low(values), high(values)
            if most > least:
                place = place * (most - least + 1) + value - least
        return place
