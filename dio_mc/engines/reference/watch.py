"""Observation of a search: violated properties, faults, deadlocks, coverage.

Properties are not decided here. Each evaluator lists the few values it reads (its observations). Every new state, or
for a step invariant every edge, is projected onto them, and each distinct valuation is passed to the evaluator once, in
one batch at the end of the level in which it first occurred.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from dio_mc.engines.reference.canonical import End, Goal
from dio_mc.engines.reference.components import Graph
from dio_mc.engines.reference.liveness import Violated, violated
from dio_mc.errors import InternalError
from dio_mc.ir.program import LIVENESS, PropertyKind
from dio_mc.semantics.evaluator import Decision, Observation, PropertyEvaluator
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Violation
from dio_mc.semantics.step import Fault, Step, fault_name

Valuation = tuple[int, ...]
Cells = tuple[int, ...]


class Tracker:
    """One evaluator and its state: decisions by valuation, valuations to be decided at the end of the level, the
    nearest ends.

    `goal` is the nearest violation (for a reachable property: witness). The kinds `LIVENESS` have none, since no single
    state or edge shows a violation. `unknown` is set if the evaluator could not decide some valuation.
    """

    def __init__(self, evaluator: PropertyEvaluator, interpreter: Interpreter) -> None:
        self.evaluator = evaluator
        self.goal: Goal | None = None
        self.unknown = False
        self._wanted = _wanted(evaluator.property.kind)
        self._project = _projection(evaluator, interpreter)
        self._decided: dict[Valuation, Decision] = {}
        self._waiting: dict[Valuation, list[End]] = {}

    def see(self, cells: Cells, end: End, length: int) -> None:
        """Observe a state, or for a step invariant an edge as ``state + after``; `length` is that of the paths to
        it."""
        valuation = self._project(cells)
        decision = self._decided.get(valuation)
        if decision is None:
            ends = self._waiting.setdefault(valuation, [])
            if self.goal is None and self._wanted is not None:  # a known goal is of an earlier level, and nearer
                ends.append(end)
        elif decision is self._wanted:
            self._reached(end, length)

    def flush(self, length: int) -> None:
        """Decide the waiting valuations at the end of a level. Raises `InternalError` if the evaluator returns too few
        decisions."""
        if not self._waiting:
            return
        valuations = list(self._waiting)
        decisions = self.evaluator.decide(valuations)
        if len(decisions) != len(valuations):
            raise InternalError(f"the evaluator of {self.evaluator.property.name} left valuations undecided")
        for valuation, decision in zip(valuations, decisions, strict=True):
            self._decided[valuation] = decision
            self.unknown |= decision is Decision.UNKNOWN
            if decision is self._wanted:
                for end in self._waiting[valuation]:
                    self._reached(end, length)
        self._waiting.clear()

    def truth(self, state: State) -> Decision:
        """The decision on a state that was observed; UNKNOWN if the search ended before it was decided."""
        return self._decided.get(self._project(state), Decision.UNKNOWN)

    def is_end(self, cells: Cells) -> bool:
        """Whether a state (or an edge: ``state + after``) is an end; the evaluator decides it if necessary."""
        valuation = self._project(cells)
        if valuation not in self._decided:
            self._decided[valuation] = self.evaluator.decide([valuation])[0]
        return self._decided[valuation] is self._wanted

    def _reached(self, end: End, length: int) -> None:
        if self.goal is None:
            self.goal = Goal(length, [])
        if self.goal.length == length:
            self.goal.ends.append(end)


def _wanted(kind: PropertyKind) -> Decision | None:
    """The decision that makes a state an end."""
    if kind in LIVENESS:
        return None
    return Decision.HOLDS if kind == "reachable" else Decision.VIOLATED


def _projection(evaluator: PropertyEvaluator, interpreter: Interpreter) -> Callable[[Cells], Valuation]:
    """Maps the cells of a state (or of an edge: ``state + after``) to the values that the evaluator reads."""
    size = interpreter.layout.size
    stepwise = evaluator.property.kind == "step"
    if not stepwise and any(observation.after for observation in evaluator.observations):
        raise InternalError(f"{evaluator.property.name} reads the state after a step, but is not about steps")
    seen = evaluator.observations
    cells = [one.cell + size if one.after else one.cell for one in seen if one.cell is not None]
    if len(cells) == len(evaluator.observations) >= 2:
        return operator.itemgetter(*cells)
    reads = tuple(_read(observation, interpreter) for observation in evaluator.observations)
    return lambda cells: tuple([read(cells) for read in reads])


def _read(observation: Observation, interpreter: Interpreter) -> Callable[[Cells], int]:
    size = interpreter.layout.size
    if observation.cell is not None:
        return operator.itemgetter(observation.cell + size if observation.after else observation.cell)
    if observation.proposition is None:
        raise InternalError(f"observation {observation.name} reads nothing")
    evaluate, reads_after = interpreter.compiled(observation.proposition)
    if observation.after and not reads_after:
        return lambda cells: evaluate(cells[size:])
    return evaluate


class Watch:
    """The `search.Watcher` of a program: its evaluators, deadlock, faults, coverage.

    `fired` and `blocked` are (template, location) pairs of expanded states; a step that ends in a fault has fired.
    `graph` has the steps of the expanded states if some property is of the kinds `LIVENESS`; `found_lasting` are the
    violations of those.
    """

    def __init__(self, interpreter: Interpreter, evaluators: Sequence[PropertyEvaluator]) -> None:
        self._interpreter = interpreter
        self._program = interpreter.program
        self.fired: set[tuple[int, int]] = set()
        self.blocked: set[tuple[int, int]] = set()
        self.trackers = [Tracker(evaluator, interpreter) for evaluator in evaluators]
        self.is_live = any(t.evaluator.property.kind in LIVENESS for t in self.trackers)
        self.graph = Graph()
        self.found_lasting: list[tuple[str, Violated]] = []
        self._on_states = [t for t in self.trackers if t.evaluator.property.kind != "step"]
        self._on_edges = [t for t in self.trackers if t.evaluator.property.kind == "step"]
        self._deadlock: Goal | None = None
        self._faults: dict[str, Goal] = {}
        self._at_start: dict[str, Violation] = {}
        threads = enumerate(self._program.threads)
        self._threads = tuple((t, interpreter.layout.pc[t], thread.template) for t, thread in threads)
        self._daemon = tuple(self._program.template_of(t).daemon for t, _, _ in self._threads)

    def discovered(self, state: State, depth: int) -> None:
        """Evaluate a new state."""
        for tracker in self._on_states:
            tracker.see(state, End(state), depth)

    def expanded(self, state: State, steps: Sequence[Step], depth: int) -> None:
        """Evaluate the edges; record faults, a deadlock, and which locations fired or were blocked."""
        if self.is_live:
            self.graph.steps[state] = steps
        for step in steps:
            if step.fault is not None:
                self._note_fault(step.fault, End(state, step.action, step.fault), depth + 1)
            elif step.state is not None and self._on_edges:
                edge, end = state + step.state, End(state, step.action)
                for tracker in self._on_edges:
                    tracker.see(edge, end, depth + 1)
        moving = {step.action.thread for step in steps}
        for thread, pc, template in self._threads:
            if location := state[pc]:
                (self.fired if thread in moving else self.blocked).add((template, location))
        if not steps and self._program.check_deadlock and self._unfinished(state):
            self._note_deadlock(state, depth)

    def level_ends(self, depth: int) -> bool:
        """Decide the level's new valuations. Returns whether a violation (other than a witness) is known."""
        for tracker in self.trackers:
            tracker.flush(depth)
        broken = any(t.goal is not None and t.evaluator.property.kind != "reachable" for t in self.trackers)
        return broken or self._deadlock is not None or bool(self._faults) or bool(self._at_start)

    def violated_names(self) -> list[str]:
        """The names of the properties violated (or witnessed) so far."""
        goals, violations = self.found()
        return [
            *(name for name, _ in goals),
            *(one.property for one in violations),
            *(name for name, _ in self.found_lasting),
        ]

    def found(self) -> tuple[list[tuple[str, Goal]], list[Violation]]:
        """The nearest ends by property name, and violations without a path (faults before the first state)."""
        goals = [(t.evaluator.property.name, t.goal) for t in self.trackers if t.goal is not None]
        if self._deadlock is not None:
            goals.append(("deadlock", self._deadlock))
        goals += [(name, goal) for name, goal in self._faults.items() if name not in self._at_start]
        return goals, list(self._at_start.values())

    def violated_at_last(self, levels: Sequence[Sequence[State]]) -> list[tuple[str, Violated]]:
        """The violated properties of the kinds `LIVENESS`, by name, after the search has ended."""
        live = [t for t in self.trackers if t.evaluator.property.kind in LIVENESS]
        found = [(t.evaluator.property, violated(t.evaluator.property, self.graph, levels, t.truth)) for t in live]
        return [(property_.name, one) for property_, one in found if one is not None]

    def ends_at(self, name: str, state: State) -> list[End]:
        """The edges out of a state that are ends of a step property or of a fault."""
        steps = self._interpreter.successors(state)
        tracker = next((t for t in self._on_edges if t.evaluator.property.name == name), None)
        if tracker is not None:
            return [End(state, s.action) for s in steps if s.state is not None and tracker.is_end(state + s.state)]
        faults = [(s, s.fault) for s in steps if s.fault is not None]
        named = [(s, f) for s, f in faults if fault_name(f.kind, f.span, self._program.file) == name]
        return [End(state, step.action, fault) for step, fault in named]

    def _unfinished(self, state: State) -> bool:
        """Whether a thread that is not a daemon has not ended; running spawned instances count, idle slots are at
        location 0."""
        return any(state[pc] != 0 and not self._daemon[thread] for thread, pc, _ in self._threads)

    def _note_deadlock(self, state: State, depth: int) -> None:
        if self._deadlock is None:
            self._deadlock = Goal(depth, [])
        if self._deadlock.length == depth:
            self._deadlock.ends.append(End(state))

    def _note_fault(self, fault: Fault, end: End, length: int) -> None:
        name = fault_name(fault.kind, fault.span, self._program.file)
        goal = self._faults.setdefault(name, Goal(length, []))
        if goal.length == length:
            goal.ends.append(end)

    def started(self) -> None:
        """Record faults before the first state, once all initial states are known. A search stopped before that has no
        such faults."""
        for position, fault in self._interpreter.initial_faults:
            name = fault_name(fault.kind, fault.span, self._program.file)
            self._at_start.setdefault(name, Violation(name, position, (), 0, fault))
