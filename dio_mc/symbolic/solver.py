"""Queries to z3, limited in z3's own steps rather than in time: the answer is the same on any machine.

The classes of a file differ in what threads do, and rarely in their properties; so do the runs of a class with other
parameters. So most questions have been asked before in the same process. `satisfiable` remembers the answers: z3 shares
equal formulas, and two questions with the same formulas and the same budget are one question.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import z3

STEPS_PER_MILLISECOND = 10_000
"""Approximate number of steps that z3 5 does per millisecond on a machine of 2020."""


REMEMBERED: Final = 512
"""The number of answers that are remembered, the last ones."""
_ANSWERS: Final[dict[tuple[int, ...], tuple[bool | None, list[Any]]]] = {}
"""By the budget and z3's identities of the formulas. These are kept with the answer, since z3 gives the identity of a
formula that nobody holds to another one."""


def model_of(formulas: Iterable[Any], budget_ms: int) -> Any:
    """A model of all formulas, False if there is none, None if the solver gives up."""
    listed = [formula for formula in formulas if formula is not True]
    answer = _ask(z3.SimpleSolver(), listed, budget_ms)
    return answer if answer is not None else _ask(z3.Solver(), listed, budget_ms)


def _ask(solver: Any, formulas: list[Any], budget_ms: int) -> Any:
    solver.set("rlimit", max(1, budget_ms * STEPS_PER_MILLISECOND))
    solver.add(formulas)
    answer = solver.check()
    if answer == z3.sat:
        return solver.model()
    return False if answer == z3.unsat else None


def satisfiable(formulas: Iterable[Any], budget_ms: int) -> bool | None:
    """Whether some valuation makes all formulas true; None if the solver gives up."""
    listed = [formula for formula in formulas if formula is not True]
    key = (budget_ms, *(formula.get_id() for formula in listed))
    known = _ANSWERS.get(key)
    if known is not None:
        return known[0]
    found = model_of(listed, budget_ms)
    answer = None if found is None else found is not False
    while len(_ANSWERS) >= REMEMBERED:
        del _ANSWERS[next(iter(_ANSWERS))]
    _ANSWERS[key] = answer, listed
    return answer


def valid(formula: Any, budget_ms: int) -> bool | None:
    """Whether a formula is true for every interpretation of its free symbols; None if the solver gives up."""
    if isinstance(formula, bool):
        return formula
    simple = z3.simplify(formula)
    if z3.is_true(simple) or z3.is_false(simple):
        return bool(z3.is_true(simple))
    refuted = satisfiable([z3.Not(simple)], budget_ms)
    return None if refuted is None else not refuted
