"""No shortest schedule of a shipped model's violation has fewer context switches: every one of them is looked at."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from render_traces import all_explored

from dio_mc.ir.program import LIVENESS, Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Violation
from dio_mc.semantics.step import count_switches, fault_name

MOST_STATES = 2_000
MOST_PATHS = 30_000


@cache
def violations() -> tuple[tuple[Program, Violation], ...]:
    """Of every model with so few states."""
    found: list[tuple[Program, Violation]] = []
    for run in all_explored():
        lasting = {p.name for p in run.program.properties if p.kind in LIVENESS}
        if run.found.complete and run.found.states <= MOST_STATES:
            shown = (v for v in run.found.violations if v.schedule and v.property not in lasting)
            found += [(run.program, violation) for violation in shown]
    return tuple(found)


class Paths:
    """All paths of a length from the initial states to where a property is violated, each as its threads."""

    def __init__(self, program: Program, violation: Violation) -> None:
        self.interpreter, self.violation = Interpreter(program), violation
        self.property = next((p for p in program.properties if p.name == violation.property), None)
        self.length = len(violation.schedule)
        level = set(self.interpreter.starting())
        self.levels = [level]
        for _ in range(self.length):
            level = {s.state for state in level for s in self.interpreter.successors(state) if s.state is not None}
            self.levels.append(level)

    def ends(self, state: State, after: State | None, fault: str | None) -> bool:
        """Whether a last step is one after which the property is violated."""
        if self.violation.fault is not None:
            return fault == self.violation.property
        if after is None:
            return False
        if self.property is None:
            return (
                self.interpreter.program.check_deadlock and not self.interpreter.successors(after) and self.alive(after)
            )
        assert self.property.expr is not None
        if self.property.kind == "step":
            return not self.interpreter.evaluate(self.property.expr, state, after)
        return bool(self.interpreter.evaluate(self.property.expr, after)) == (self.property.kind == "reachable")

    def alive(self, state: State) -> bool:
        program = self.interpreter.program
        pcs = enumerate(self.interpreter.layout.pc)
        return any(state[pc] != 0 and not program.template_of(thread).daemon for thread, pc in pcs)

    def fewest(self) -> int | None:
        """Over every path, walked one by one; None when there are too many."""
        wanted = self._leading()
        walked, best = 0, None
        todo: list[tuple[State, int, tuple[int, ...]]] = [(s, 0, ()) for s in self.levels[0] if s in wanted[0]]
        while todo:
            state, depth, threads = todo.pop()
            for step in self.interpreter.successors(state):
                path = (*threads, step.action.thread)
                if depth + 1 == self.length:
                    if self.ends(state, step.state, self._name(step)):
                        walked += 1
                        switches = sum(a != b for a, b in pairwise(path))
                        best = switches if best is None else min(best, switches)
                elif step.state is not None and step.state in wanted[depth + 1]:
                    todo.append((step.state, depth + 1, path))
            if walked > MOST_PATHS or len(todo) > MOST_PATHS:
                return None
        assert best is not None, "no path of that length ends in a violation"
        return best

    def _leading(self) -> list[set[State]]:
        """Per depth the states from which a violation is exactly the rest of the length away."""
        wanted: list[set[State]] = [set() for _ in range(self.length)]
        for depth in range(self.length - 1, -1, -1):
            for state in self.levels[depth]:
                for step in self.interpreter.successors(state):
                    last = depth == self.length - 1
                    if (last and self.ends(state, step.state, self._name(step))) or (
                        not last and step.state in wanted[depth + 1]
                    ):
                        wanted[depth].add(state)
        return wanted

    def _name(self, step) -> str | None:  # type: ignore[no-untyped-def]  # a step of the interpreter
        return fault_name(step.fault.kind, step.fault.span, self.interpreter.program.file) if step.fault else None


@pytest.mark.parametrize(
    ("program", "violation"),
    violations(),
    ids=lambda value: getattr(value, "name", "") or getattr(value, "property", ""),
)
def test_no_shortest_path_has_fewer(program: Program, violation: Violation) -> None:
    fewest = Paths(program, violation).fewest()
    assert fewest is not None, f"more than {MOST_PATHS} shortest paths"
    assert violation.switches == count_switches(violation.schedule) == fewest


def test_there_are_many_such_models() -> None:
    assert len(violations()) > 60
    assert len({program.name for program, _ in violations()}) > 30
