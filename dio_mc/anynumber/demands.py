"""Evaluates properties on views, and rejects properties for which this would not be sound.

A property of all instances is evaluated on the two threads of a view. Each universal quantifier ranges over these two
threads only. This suffices if the property in prenex form relates at most two threads (or one, for a step invariant,
because the thread that steps is in the view as well): every choice of threads is in some view. Each existential
quantifier must be witnessed by one of the two threads, which is stronger than the property. So if the property holds on
all views, it holds in all reachable states.

One fact about the threads outside a view is used: if an id cell holds the id of a thread, this thread exists. As it is
a thread of a kind like any other, a view that leaves it out although it could take the place of one of the two threads
need not be evaluated; the view that contains it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dio_mc.anynumber.conditions import NO_SOLVER, refusal
from dio_mc.anynumber.naming import named_threads, single_threads, sort_operands
from dio_mc.anynumber.places import Places
from dio_mc.anynumber.states import Common, Lone
from dio_mc.anynumber.steps import Steps
from dio_mc.frontend import logic
from dio_mc.ir.expr import And, AtLocation, Expr, Implies, Ite, Load, LocalOf, Not, Or, walk
from dio_mc.ir.program import Property
from dio_mc.ir.rebuild import rebuilt
from dio_mc.semantics.evaluation import Evaluate
from dio_mc.source import Span

MOST = 2
"""The number of threads in a view, and the number of threads that a state invariant may relate."""


def rank(places: Places, expr: Expr, span: Span, positive: bool = True, free: frozenset[int] = frozenset()) -> int:
    """The number of threads that a property relates when its quantifiers are moved to the front. `positive` is false
    under an odd number of negations; `free` are the threads bound by quantifiers around `expr`.

    Raises `Refused` if an existential quantifier is outside of a universal one (DIO259), or if the property singles out
    a thread (DIO257).
    """
    if not named_threads(places, expr) - free:
        return 0
    match expr:
        case And(operands) | Or(operands):
            return _rank_of_operands(places, operands, isinstance(expr, And) == positive, span, positive, free)
        case Not(operand):
            return rank(places, operand, span, not positive, free)
        case Implies(premise, conclusion):
            parts = [rank(places, premise, span, not positive, free), rank(places, conclusion, span, positive, free)]
            return sum(parts) if positive else max(parts)
        case Ite(condition, then, orelse) if not named_threads(places, condition) - free:
            return max(rank(places, then, span, positive, free), rank(places, orelse, span, positive, free))
        case _:
            raise refusal("DIO257", "a property names a thread or quantifies over threads inside a comparison", span)


def _rank_of_operands(
    places: Places, operands: Sequence[Expr], universal: bool, span: Span, positive: bool, free: frozenset[int]
) -> int:
    found = sort_operands(places, operands)
    for part in found.single:
        if single_threads(places, part) - free:
            raise refusal("DIO257", "a property treats one thread differently from the others", span)
    ranks = [rank(places, part, span, positive, free) for part in (*found.plain, *found.single)]
    for question in found.questions:
        bound = free | {places.kinds[question.kind].members[0]}
        inner = [rank(places, part, span, positive, bound) for part in question.parts]
        if universal:
            ranks.append(1 + max(inner))
        elif any(inner):
            raise refusal("DIO259", "a property states that some thread is related to all threads", span)
    return max(ranks, default=0) if universal else sum(ranks)


def about(places: Places, expr: Expr, present: frozenset[int]) -> Expr:
    """The property with its quantifiers restricted to the threads in `present`; fixed threads are not affected."""
    if not named_threads(places, expr) - present:
        return expr
    match expr:
        case And(operands) | Or(operands):
            kept = [about(places, o, present) for o in operands if not single_threads(places, o) - present]
            return logic.conjunction(kept) if isinstance(expr, And) else logic.disjunction(kept)
        case Not(operand):
            return logic.negation(about(places, operand, present))
        case _:
            return rebuilt(expr, lambda part: about(places, part, present))


Aspect = tuple[object, ...]
"""The part of a thread state that a property depends on, as a hashable key."""


@dataclass(frozen=True, slots=True)
class _Visibility:
    """The cells that a property depends on: positions in the common cells; for each kind, the sets of locations it asks
    for and positions in the row; and id cells."""

    common: tuple[int, ...]
    locations: tuple[tuple[frozenset[int], ...], ...]
    rows: tuple[tuple[int, ...], ...]
    flags: frozenset[int]


class Demand:
    """A property to be proved for any number of threads. The constructor raises `Refused` (DIO257, DIO259) if the
    property cannot be evaluated on views."""

    def __init__(self, steps: Steps, property_: Property) -> None:
        if property_.expr is None:
            raise refusal("DIO259", f"`{property_.name}` is decided by the solver alone", property_.span, NO_SOLVER)
        self.property, self._steps = property_, steps
        self._places = steps.places
        self.expr = property_.expr
        self.rank = rank(steps.places, property_.expr, property_.span)
        most = MOST - 1 if property_.kind == "step" else MOST
        if self.rank > most:
            what = "a step" if property_.kind == "step" else "a state"
            message = f"`{property_.name}` relates {self.rank} threads in {what}; {most} is the limit"
            raise refusal("DIO259", message, property_.span)
        self._sight = self._seen()
        self._compiled: dict[tuple[int, ...], Evaluate] = {}
        self._decided: dict[tuple[object, ...], bool] = {}

    def aspect(self, thread: Lone) -> Aspect:
        """The part of the thread state that the property depends on. The property has the same value for threads with
        equal aspects."""
        sight, kind = self._sight, thread.kind
        return (
            kind,
            tuple(thread.row[0] in locations for locations in sight.locations[kind]),
            tuple(thread.row[n] for n in sight.rows[kind]),
            tuple(flag for flag in thread.flags if flag in sight.flags),
        )

    def on_state(self, common: Common, one: Lone, other: Lone) -> bool:
        """Return whether the property holds in a state with these common cells if its quantifiers range over these two
        threads."""
        seen = tuple(common[n] for n in self._sight.common)
        key = (seen, self.aspect(one), self.aspect(other))
        known = self._decided.get(key)
        if known is None:
            positions = self._positions(one.kind, other.kind)
            state = tuple(self._steps.placed(common, list(zip(positions, (one, other), strict=True))))
            known = self._decided[key] = bool(self._function(positions)(state))
        return known

    def on_step(self, before: tuple[Common, list[Lone]], after: tuple[Common, list[Lone]]) -> bool:
        """Return whether the step invariant holds for a step if its quantifiers range over these threads, given in the
        same order before and after the step."""
        seen = tuple(common[n] for common, _ in (before, after) for n in self._sight.common)
        key = (seen, tuple(map(self.aspect, before[1])), tuple(map(self.aspect, after[1])))
        known = self._decided.get(key)
        if known is None:
            positions = self._positions(*(thread.kind for thread in before[1]))
            states = [
                tuple(self._steps.placed(common, list(zip(positions, threads, strict=True))))
                for common, threads in (before, after)
            ]
            known = self._decided[key] = bool(self._function(positions)(states[0] + states[1]))
        return known

    def is_judged_on(self, owners: frozenset[int], one: Lone, other: Lone) -> bool:
        """Return whether a view of these two threads must satisfy the property. It need not if a thread whose id is in
        one of the cells `owners` is outside the view and could take the place of one of the two."""
        inside = {*one.flags, *other.flags}
        return owners <= inside or sum(not thread.flags for thread in (one, other)) <= self.rank

    def _positions(self, *kinds: int) -> tuple[int, ...]:
        """The positions at which threads of these kinds are placed in a state: the first members of each kind."""
        members = self._places.kinds
        return tuple(members[kind].members[kinds[:n].count(kind)] for n, kind in enumerate(kinds))

    def _function(self, positions: tuple[int, ...]) -> Evaluate:
        found = self._compiled.get(positions)
        if found is None:
            cut = about(self._places, self.expr, frozenset(positions))
            found = self._compiled[positions] = self._steps.interpreter.compiled(cut)[0]
        return found

    def _seen(self) -> _Visibility:
        steps, places = self._steps, self._places
        layout, kinds = steps.cells.layout, places.kinds
        cells: set[int] = set()
        locations: list[dict[frozenset[int], None]] = [{} for _ in kinds]
        for part in walk(self.expr):
            match part:
                case Load(variable):
                    cells.update(steps.cells.cells_of(variable, steps.alone.program))
                case LocalOf(thread, index):
                    cells.add(layout.local_base[thread] + index)
                case AtLocation(thread, where) if thread in places.kind_of:
                    locations[places.kind_of[thread]][where] = None
                case AtLocation(thread):
                    cells.add(layout.pc[thread])
                case _:
                    pass
        rows = tuple(
            tuple(n for n, cell in enumerate(steps.cells.rows[kind.members[0]]) if cell in cells) for kind in kinds
        )
        common = tuple(n for n, cell in enumerate(steps.cells.common) if cell in cells)
        return _Visibility(common, tuple(map(tuple, locations)), rows, frozenset(cells) & steps.cells.ids)


def covered(properties: Sequence[Property]) -> Iterator[Property]:
    """The properties that a proof covers: invariants and step invariants."""
    for property_ in properties:
        if property_.kind in ("invariant", "step"):
            yield property_
