"""Windows by brute force: a search of its own that shares nothing with the one tested but the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from brute_lasso import is_lost, stays_away
from explained import Case
from naive import Broken

from dio_mc.ir.program import LIVENESS
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action, Step, fault_name


class Restricted:
    """Every state and step where nobody else moves while a thread stands in a window and can run."""

    def __init__(self, case: Case, places: set[tuple[int, int]]) -> None:
        threads = case.interpreter.program.threads
        self.steps: dict[State, list[Step]] = {}
        self.places, self.templates = places, [thread.template for thread in threads]
        todo = list(case.interpreter.starting())
        while todo:
            state = todo.pop()
            if state in self.steps:
                continue
            steps = case.interpreter.successors(state)
            held = [s for s in steps if (threads[s.action.thread].template, s.action.location) in places]
            self.steps[state] = held or steps
            todo += [step.state for step in self.steps[state] if step.state is not None]

    def inside(self, state: State) -> bool:
        """Whether somebody stands in the window who can run."""
        return any((self.templates[s.action.thread], s.action.location) in self.places for s in self.steps[state])


class OneStep:
    """The same with every way through the window as one step of whom it begins with; `edges` as `brute_lasso` wants
    them. A way that meets the goal is told as broken: nobody stays away on it. `spins`: some way does not end."""

    def __init__(self, graph: Restricted, goal: Callable[[State], bool]) -> None:
        self.graph, self.goal = graph, goal
        self.spins = False
        self.edges: dict[State, list[tuple[Action, object]]] = {}
        for state, steps in graph.steps.items():
            ways = [(step.action, end) for step in steps for end in self.ends(step.state, ())]
            if not graph.inside(state):
                self.edges[state] = ways

    def ends(self, state: State | None, passed: tuple[State, ...]) -> list[object]:
        """Where the ways through the window come out."""
        if state is None or any(self.goal(s) for s in passed):
            return [Broken("", 0)]
        if not self.graph.inside(state):
            return [state]
        if state in passed:
            self.spins = True
            return []
        return [end for step in self.graph.steps[state] for end in self.ends(step.state, (*passed, state))]


def brute_force(case: Case, pair: tuple[int, int]) -> bool:
    """Whether the violation is gone, and the last step of the pair and one out of the window still happen, when the
    window is atomic."""
    first, last = pair
    thread = case.actions[first - 1].thread
    threads = case.interpreter.program.threads
    stands = {n: a.location for n, a in enumerate(case.actions, start=1) if a.thread == thread}
    stands |= {len(case.actions) + 1: a.location for a in case.schedule.pending if a.thread == thread}
    template = threads[thread].template
    places = {(template, place) for number, place in stands.items() if first < number <= last}
    graph = Restricted(case, places)
    if _still_wrong(case, graph):
        return False
    through = out = False
    for steps in graph.steps.values():
        for step in steps:
            here = (threads[step.action.thread].template, step.action.location)
            through |= here == (template, stands[last])
            if step.state is not None and here in places:
                out |= (template, step.state[case.interpreter.layout.pc[step.action.thread]]) not in places
    return through and out


def _still_wrong(case: Case, graph: Restricted) -> bool:
    property_ = case.property
    if property_ is None or property_.expr is None or property_.kind not in LIVENESS:
        return any(_wrong(case, state, steps) for state, steps in graph.steps.items())
    expr = property_.expr

    def goal(state: State) -> bool:
        return bool(case.interpreter.evaluate(expr, state))

    if property_.kind == "always_reachable":
        edges = {s: [(step.action, step.state or Broken("", 0)) for step in steps] for s, steps in graph.steps.items()}
        return any(is_lost(SimpleNamespace(edges=edges), state, goal) for state in edges)  # type: ignore[arg-type]  # has the edges
    one_step = OneStep(graph, goal)
    stay = any(stays_away(one_step, state, goal, property_.fairness) for state in one_step.edges)  # type: ignore[arg-type]  # has the edges
    return stay or one_step.spins


def _wrong(case: Case, state: State, steps: list[Step]) -> bool:
    interpreter, program = case.interpreter, case.interpreter.program
    if case.trace.property_kind == "deadlock":
        daemons = [program.template_of(t).daemon for t in range(len(program.threads))]
        stuck = any(state[pc] != 0 and not daemons[t] for t, pc in enumerate(interpreter.layout.pc))
        return stuck and not steps
    if case.trace.property_kind == "fault":
        faults = [s.fault for s in steps if s.fault is not None]
        return case.trace.property in {fault_name(f.kind, f.span, program.file) for f in faults}
    assert case.property is not None
    assert case.property.expr is not None
    if case.property.kind == "step":
        after = [s.state for s in steps if s.state is not None]
        return any(not interpreter.evaluate(case.property.expr, state, s) for s in after)
    return not interpreter.evaluate(case.property.expr, state)
