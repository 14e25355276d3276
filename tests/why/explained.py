"""Counterexamples of the repository's models with their causes, and what a try is made of."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

from render_traces import CompiledJudge, programs

from dio_mc.explore.reference import explore
from dio_mc.ir.program import Program, Property
from dio_mc.semantics.contract import Action, Budget
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.trace.replay import build_trace, run_schedule
from dio_mc.trace.trace import Trace
from dio_mc.why.cause import why


class Case(NamedTuple):
    """A trace with its cause, and the run that it is."""

    trace: Trace
    interpreter: Interpreter
    states: tuple[State, ...]
    actions: tuple[Action, ...]
    property: Property | None

    @property
    def name(self) -> str:
        return f"{self.trace.model.name}-{self.trace.property}"


@cache
def cases() -> tuple[Case, ...]:
    """The violations found in the first states of every model."""
    return tuple(case for program in programs() for case in cases_of(program))


def cases_of(program: Program, max_states: int = 2500) -> list[Case]:
    judges = [CompiledJudge(p, p.expr) for p in program.properties if p.expr is not None]
    found = explore(program, judges, Budget(max_states=max_states))
    interpreter, cases = Interpreter(program), list[Case]()
    for violation in found.violations:
        trace = build_trace(program, violation, engine=found.engine, interpreter=interpreter)
        states = run_schedule(interpreter, violation, found.engine).states
        property_ = next((p for p in program.properties if p.name == violation.property), None)
        cause = why(interpreter, trace, states, violation.schedule, property_)
        cases.append(Case(replace(trace, why=cause), interpreter, states, violation.schedule, property_))
    return cases
