"""Whether some thread is like this: asked by properties, and kept with the common data.

"Not at rest" says that some thread has not ended, and two threads that have ended cannot tell. So for such a question,
one about a thread's location and row alone, the common data has one more truth: that some thread is like this. A step
keeps it up: it is true when the thread that stepped, or one that was started, is like this; when the thread was like
this before and is no longer, the others are asked, as by code (`alone`); otherwise it stays. Nothing is guessed: the
truth is that of the state in every instance.
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
"""Truths of this kind that are kept: each may double the states of the common data."""


@dataclass(frozen=True, slots=True)
class Existing:
    """That some thread is like this: `variable` holds it, `decides` says it of the first member of each kind asked."""

    variable: int
    decides: tuple[tuple[int, Expr], ...]


class Existence:
    """The questions of a program's properties, and the properties with the answers in their place. The variables of the
    answers are numbered from `first`."""

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
        """A question of whether there is a thread, with its answer in the place of the operands that ask it."""
        found = sort_operands(self._places, operands)
        wanted = [self._wanted(question, isinstance(expr, And)) for question in found.questions]
        moments = {after for _, _, moments in wanted for after in moments}
        if not wanted or len(moments) != 1 or not all(is_about for _, is_about, _ in wanted):
            return expr, operands
        variable = self._variable(tuple((q.kind, one) for q, (one, _, _) in zip(found.questions, wanted, strict=True)))
        if variable is None:
            return expr, operands
        told = Load(variable, (), BOOL, total=True, after=moments.pop())
        left = (*found.plain, *found.single, Not(told) if isinstance(expr, And) else told)
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
        """What the first member of a kind must be like, whether that is about this thread alone, and whether it is said
        of the state before a step, after it, or both."""
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
    """The same of the present state."""
    expr = rebuilt(expr, _now)
    return replace(expr, after=False) if isinstance(expr, AtLocation | LocalOf | Load) else expr
