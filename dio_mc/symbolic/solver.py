"""Questions to z3, with limits that are counted in its own steps: the same answer on any machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import z3

STEPS_PER_MILLISECOND = 10_000
"""What z3 5 does in a millisecond of a 2020 machine, about."""


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
    """Whether some values make all formulas true; None if the solver gives up."""
    found = model_of(formulas, budget_ms)
    return None if found is None else found is not False


def valid(formula: Any, budget_ms: int) -> bool | None:
    """Whether a formula is true however its free symbols are read; None if the solver gives up."""
    if isinstance(formula, bool):
        return formula
    simple = z3.simplify(formula)
    if z3.is_true(simple) or z3.is_false(simple):
        return bool(z3.is_true(simple))
    refuted = satisfiable([z3.Not(simple)], budget_ms)
    return None if refuted is None else not refuted
