"""Auxiliary variables for existential properties: each one records whether some thread satisfies a condition.

"The system is not at rest" means that some thread has not ended, and the views of two threads that have ended cannot
decide it. For such a question, a condition on the location and the row of a single thread, the common cells get one
more boolean: some thread satisfies the condition. Each step updates it. It becomes true if the thread that stepped, or
one that it started, satisfies the condition afterwards. If that thread satisfied the condition before the step and no
longer does, the other threads decide, by a question as in code (`alone`). Otherwise it does not change. The update is
exact: in every instance the boolean has the value of the question in the current state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from dio_mc.anynumber.naming import Question, named_threads, sort_operands
from dio_mc.anynumber.places import Places
from dio_mc.frontend import logic
from dio_mc.ir.expr import And, AtLocation, Const, Expr, Implies, Ite, Load, LocalOf, Not, Or, children
from dio_mc.ir.program import Property
from dio_mc.ir.rebuild import rebuilt
from dio_mc.ir.types import BOOL

MOST: Final = 4
"""The maximum number of such variables; each one may double the number of states of the common cells."""


@dataclass(frozen=True, slots=True)
class Existing:
    """An auxiliary variable, true if some thread satisfies a condition. `variable` is its number; `decides` has, for
    each kind concerned, the condition as an expression about the first member of the kind."""

    variable: int
    decides: tuple[tuple[int, Expr], ...]


class Existence:
    """The existential questions in a program's properties. `asked` are their auxiliary variables, numbered from
    `first`; `properties` are the properties with these variables in place of the questions."""

    def __init__(self, places: Places, properties: Sequence[Property], first: int) -> None:
        self._places, self._first = places, first
        self.asked: list[Existing] = []
        self.properties = tuple(
            p if p.expr is None else replace(p, expr=self._expr(p.expr, positive=True)) for p in properties
        )

    def _expr(self, expr: Expr, *, positive: bool) -> Expr:
        if not named_threads(self._places, expr):
            return expr
        match expr:
            case And(operands) | Or(operands):
                if isinstance(expr, And) != positive:
                    expr, operands = self._answered(expr, operands)
                parts = [self._expr(operand, positive=positive) for operand in operands]
                return logic.conjunction(parts) if isinstance(expr, And) else logic.disjunction(parts)
            case Not(operand):
                return logic.negation(self._expr(operand, positive=not positive))
            case Implies(premise, conclusion):
                return replace(
                    expr,
                    premise=self._expr(premise, positive=not positive),
                    conclusion=self._expr(conclusion, positive=positive),
                )
            case Ite(_, then, orelse):
                return replace(
                    expr, then=self._expr(then, positive=positive), orelse=self._expr(orelse, positive=positive)
                )
            case _:
                return expr

    def _answered(self, expr: And | Or, operands: tuple[Expr, ...]) -> tuple[And | Or, tuple[Expr, ...]]:
        """Replace the operands that form an existential question by its variable. Returns the expression and its
        operands unchanged if the question is not about a single thread, relates two states, or exceeds `MOST`."""
        found = sort_operands(self._places, operands)
        wanted = [self._wanted(question, isinstance(expr, And)) for question in found.questions]
        moments = {after for _, _, moments in wanted for after in moments}
        if not wanted or len(moments) != 1 or not all(is_about for _, is_about, _ in wanted):
            return expr, operands
        variable = self._variable(tuple((q.kind, one) for q, (one, _, _) in zip(found.questions, wanted, strict=True)))
        if variable is None:
            return expr, operands
        answer = Load(variable, (), BOOL, total=True, after=moments.pop())
        left = (*found.plain, *found.single, Not(answer) if isinstance(expr, And) else answer)
        return (And(left) if isinstance(expr, And) else Or(left)), left

    def _variable(self, decides: tuple[tuple[int, Expr], ...]) -> int | None:
        for known in self.asked:
            if known.decides == decides:
                return known.variable
        if len(self.asked) == MOST:
            return None
        self.asked.append(Existing(self._first + len(self.asked), decides))
        return self.asked[-1].variable

    def _wanted(self, question: Question, conjunction: bool) -> tuple[Expr, bool, frozenset[bool]]:
        """The condition on the first member of a kind, whether it depends on this thread only, and the states it refers
        to: before a step (False), after it (True), or both."""
        first = self._places.kinds[question.kind].members[0]
        parts = [logic.negation(part) if conjunction else part for part in question.parts]
        asked = logic.disjunction(parts)
        return _now(asked), self._is_about(asked, first), frozenset(_moments(asked))

    def _is_about(self, expr: Expr, thread: int) -> bool:
        match expr:
            case Const():
                return True
            case AtLocation(other) | LocalOf(other):
                return other == thread
            case Load(variable, indices):
                fixed = all(isinstance(index, Const) for index in indices)
                own = named_threads(self._places, expr) == {thread}
                return fixed and own and not self._places.holds_thread[variable]
            case _:
                return all(self._is_about(part, thread) for part in children(expr))


def _moments(expr: Expr) -> list[bool]:
    own = [expr.after] if isinstance(expr, AtLocation | LocalOf | Load) else []
    return own + [moment for part in children(expr) for moment in _moments(part)]


def _now(expr: Expr) -> Expr:
    """The expression with every reference to the state after a step changed to the state before it."""
    expr = rebuilt(expr, _now)
    return replace(expr, after=False) if isinstance(expr, AtLocation | LocalOf | Load) else expr
