"""The engines for tests, one call each, from a program, its evaluators and a budget; the requests
are made here."""

from __future__ import annotations

from typing import Any

from dio_mc.engines import agree, choose
from dio_mc.engines.choose import EngineName, Strategy
from dio_mc.engines.compiled import compiled
from dio_mc.engines.limits import Limits
from dio_mc.engines.native import engine as machine
from dio_mc.engines.native.search import Search, Work
from dio_mc.engines.reference import engine as reference
from dio_mc.engines.reference import partial as parts
from dio_mc.engines.reference.search import Part, Taken
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import (
    NO_REDUCTION,
    Budget,
    Exploration,
    Partial,
    Reductions,
    Representatives,
    Sampled,
    SearchRequest,
    Selection,
)


def request(program: Program, evaluators, budget: Budget | None = None, **rest: Any) -> SearchRequest:
    return SearchRequest(program, evaluators, budget or Budget(), **rest)


def explore(
    program: Program, evaluators, budget: Budget | None = None, *, engine: EngineName = "auto", workers: int = 1,
    reductions: Reductions = NO_REDUCTION, partial: Partial | None = None, **rest: Any,
) -> Exploration:  # fmt: skip
    """Explore with the engine chosen; `rest` are fields of the request."""
    return choose.explore(request(program, evaluators, budget, **rest), Strategy(engine, workers, reductions, partial))


def explore_reference(
    program: Program, evaluators, budget: Budget | None = None, *, representatives: Representatives | None = None,
    within: Part | None = None, selection: Selection | None = None, interpreter: Interpreter | None = None, **rest: Any,
) -> Exploration:  # fmt: skip
    """Explore with the reference engine."""
    taken = Taken(representatives, within, selection)
    return reference.explore(request(program, evaluators, budget, **rest), taken, interpreter)


def explore_partly(
    program: Program, evaluators, partial: Sampled, budget: Budget | None = None, **rest: Any
) -> tuple[Exploration, str]:
    """Explore a part of the states with the reference engine."""
    return parts.explore_partly(request(program, evaluators, budget, **rest), partial)


def native(
    program: Program, evaluators, budget: Budget | None = None, *, workers: int = 1, representatives=None, sets=None,
    quick: bool = False, **rest: Any,
) -> Exploration:  # fmt: skip
    """Explore in machine code."""
    asked = request(program, evaluators, budget, **rest)
    prepared = machine.prepare(asked, representatives, sets=sets, quick=quick)
    return compiled(prepared, asked, Limits(asked.budget, asked.stop), workers, prepared.able)


def verify_reduction(
    found: Exploration, program: Program, evaluators, budget: Budget | None = None, *, engine: EngineName = "auto",
    workers: int = 1, partial_order: bool | None = False,
) -> list[str]:  # fmt: skip
    strategy = Strategy(engine, workers, Reductions(partial_order=partial_order))
    return agree.verify_reduction(found, request(program, evaluators, budget), strategy)


def prepare(program: Program, evaluators=(), **rest: Any) -> machine.Prepared:
    """A program compiled to machine code."""
    return machine.prepare(request(program, evaluators), **rest)


def search_of(prepared: machine.Prepared, clock, workers: int = 1) -> Search:
    """A search in machine code that has not been run."""
    return Search(prepared, request(prepared.interpreter.program, ()), clock, Work(workers))


def searched(prepared: machine.Prepared, clock, workers: int = 1) -> machine.Outcome:
    """The result of a search in machine code."""
    return machine.search(prepared, request(prepared.interpreter.program, ()), clock, workers)
