"""Counterexamples of the repository's models with their causes, and what a try is made of."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

from render_traces import Explored, all_explored, explored_of

from dio_mc.explain.cause import why
from dio_mc.explain.window import Schedule
from dio_mc.ir.program import Program, Property
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action
from dio_mc.trace.replay import run_schedule
from dio_mc.trace.trace import Trace


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

    @property
    def schedule(self) -> Schedule:
        """The steps, and where those stand who are not daemons and do not move at the end, or in the loop; and the
        first step in the loop of those who do."""
        if self.trace.property_kind not in ("deadlock", "progress", "always_reachable"):
            return Schedule(self.actions)
        last, program = self.states[-1], self.interpreter.program
        looped = self.actions[self.trace.loop - 1 :] if self.trace.loop is not None else ()
        moving = {a.thread for a in looped} or {s.action.thread for s in self.interpreter.successors(last)}
        stands = [(thread, last[pc]) for thread, pc in enumerate(self.interpreter.layout.pc) if last[pc]]
        still = [(t, place) for t, place in stands if t not in moving and not program.template_of(t).daemon]
        rounds = {action.thread: action for action in reversed(looped)}
        return Schedule(self.actions, [*(Action(thread, place, ()) for thread, place in still), *rounds.values()])


@cache
def cases() -> tuple[Case, ...]:
    """The violations found in the first states of every model."""
    return tuple(case for one in all_explored() for case in with_causes(one))


def cases_of(program: Program, max_states: int = 2500) -> list[Case]:
    return with_causes(explored_of(program, max_states))


def with_causes(one: Explored) -> list[Case]:
    program, found, interpreter, traces = one
    cases: list[Case] = []
    for violation, trace in zip(found.violations, traces, strict=True):
        states = run_schedule(interpreter, violation, found.engine).states
        property_ = next((p for p in program.properties if p.name == violation.property), None)
        cause = why(interpreter, trace, states, violation.schedule, property_)
        cases.append(Case(replace(trace, why=cause), interpreter, states, violation.schedule, property_))
    return cases
