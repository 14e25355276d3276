"""One program: what the oracle says of it, what every configuration of the checker says, and where they differ."""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import oracle_properties
from checker import Checker
from oracle import Oracle, Reached, Shown, State
from oracle_words import Cells, Fault

from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import Exploration, Violation
from dio_mc.symbolic.evaluator import property_evaluator

from .configurations import BOTH, FULL, Configuration

LIMIT = 150
"""States of the checker beyond which a program is passed over; the oracle, which keeps dead locals, may have more."""


@dataclass
class Outcome:
    """What comparing a program gave. `refused`: dio-mc says what is wrong with it. `compared` counts answers that were
    held against another: sets of states, verdicts with their runs, whole explorations. Of each difference its kind
    (what differs, without the values) and its text are told."""

    refused: str = ""
    too_large: bool = False
    states: int = 0
    compared: int = 0
    differences: list[tuple[str, str]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    """What the program shows: kinds of properties that are violated and not, faults, reductions that reduce."""

    def hold(self, kind: str, expected: object, found: object) -> None:
        """Compare one answer."""
        self.compared += 1
        if expected != found:
            self.differences.append((kind, f"{kind}: expected {expected}, found {found}"))


def compare(
    text: str, folder: Path, configurations: Sequence[Configuration], *, params: Mapping[str, int] | None = None,
    limit: int = LIMIT,
) -> Outcome:  # fmt: skip
    """Compare all answers about the last class of a text."""
    path = folder / "model.py"
    path.write_text(text)
    try:
        return _compared(path, text, configurations, params or {}, limit)
    except Exception as error:  # whoever raises it, an answer is missing
        return Outcome(differences=[(type(error).__name__, f"{type(error).__name__}: {error}")])
    finally:
        for name in [n for n, m in sys.modules.items() if getattr(m, "__file__", None) == str(path)]:
            del sys.modules[name]
        linecache.cache.pop(str(path), None)


def _compared(
    path: Path, text: str, configurations: Sequence[Configuration], params: Mapping[str, int], limit: int
) -> Outcome:
    found = Outcome()
    try:
        model = load_module(path).models[-1]
        program = build(model, params).program
        reached = Checker(program).explore(limit)
        evaluators: list[PropertyEvaluator] = [
            property_evaluator(program, p).evaluator for p in program.properties if reached is not None
        ]
    except ModelError as error:
        _refused(found, error.diagnostics[0].message, text, params)
        return found
    checker = Checker(program)
    oracle = Oracle(text, model.__name__, params)
    graph = None if reached is None else oracle.graph(4 * limit)
    if reached is None or graph is None:
        found.too_large = True
        return found
    found.states = len(reached.states)
    _reached(found, oracle.projected(graph), reached)
    full = _explore(found, FULL, program, evaluators)
    if full is None:
        return found
    answer = oracle_properties.answer(oracle, graph)
    _answers(found, oracle, answer, full)
    for violation in full.violations:
        _replayed(found, oracle, graph, checker, violation)
    reduces: dict[str, bool] = {}
    for one in configurations:
        if one.engine == "reference" and one.reductions == BOTH and not all(reduces.values()):
            continue  # that would be one of them alone, again
        other = _explore(found, one, program, evaluators)
        if one.engine == "reference" and other is not None:
            reduces[str(one)] = bool(other.reductions)
        if other is not None:
            _explorations(found, one, other, full)
    return found


def _refused(found: Outcome, message: str, text: str, params: Mapping[str, int]) -> None:
    """Nothing that the generators write is wrong, but a property may ask about what no run ever enters."""
    found.refused = message
    asked = re.fullmatch(r'no thread ever enters (")?(\w+)"?', message)
    if asked is None:
        found.differences.append(("refused", f"refused: {message}"))
        return
    oracle = Oracle(text, params=params)
    graph = oracle.graph(LIMIT)
    if graph is not None:
        what = asked[2] if asked[1] else getattr(oracle.source.cls, asked[2])
        entered = any(oracle_properties.view(oracle, state).inside(what) for state in graph.depth)
        found.hold("whether a thread ever enters", entered, False)


def _explore(
    found: Outcome, one: Configuration, program: Program, evaluators: Sequence[PropertyEvaluator]
) -> Exploration | None:
    try:
        answer = one.explore(program, evaluators)
        return answer if answer.engine == one.engine else None
    except Exception as error:
        found.differences.append((f"{one}: {type(error).__name__}", f"{one}: {type(error).__name__}: {error}"))
        return None


# --- against the oracle -----------------------------------------------------------------------------------------------


def _reached(found: Outcome, expected: Reached, reached: Reached) -> None:
    for part in ("initial", "states", "edges", "faults", "deadlocks"):
        left, right = getattr(expected, part), getattr(reached, part)
        found.compared += 1
        lines = [f"the oracle only: {one}" for one in sorted(left - right)[:1]]
        lines += [f"dio-mc only: {one}" for one in sorted(right - left)[:1]]
        if lines:
            found.differences.append((part, f"{part}, {'; '.join(lines)}"))
    shared = ({values for values, _ in one.states} for one in (expected, reached))
    found.hold("distinct shared states", *(len(one) for one in shared))
    found.seen |= {kind for kind, _ in expected.faults} | ({"deadlock"} if expected.deadlocks else set())


def _answers(found: Outcome, oracle: Oracle, answer: oracle_properties.Answer, full: Exploration) -> None:
    """Verdicts, and how long the runs are that show them."""
    kinds = oracle_properties.kinds(oracle)
    told = {_name(v): v for v in full.violations}
    expected = {n: s for n, s in answer.written.items() if s is not None} | dict(answer.faults)
    if answer.deadlock is not None:
        expected["deadlock"] = answer.deadlock
    for name in sorted({*expected, *told, *kinds, "deadlock"}):
        kind = kinds.get(name, name.split("@")[0])
        found.hold(f"whether {kind} is shown", name in expected, name in told)
        found.seen.add(f"{kind} {'shown' if name in expected else 'not shown'}")
        if name in expected and name in told and kind != "endless_loop":
            shown, violation = expected[name], told[name]
            length = len(violation.schedule) if violation.loop is None else violation.loop
            found.compared += 1
            if not shown.least <= length <= shown.most:
                text = f"{name} in {length} steps, expected {shown.least} to {shown.most}"
                found.differences.append((f"length of {kind}", text))
            if shown.switches is not None:
                found.hold(f"switches of {kind}", shown.switches, violation.switches)
    found.hold("unknown", (), full.unknown)
    found.hold("complete", True, full.complete)


def _name(violation: Violation) -> str:
    endless = violation.fault is not None and violation.fault.kind == "endless_loop"
    return "endless_loop" if endless else violation.property


def _replayed(
    found: Outcome, oracle: Oracle, graph: oracle_properties.Graph, checker: Checker, violation: Violation
) -> None:
    """A run that is shown is one of the program, ends where the property says, and its loop is fair and stays away."""
    interpreter: Interpreter = checker.interpreter
    starts = interpreter.initial()
    if not violation.schedule and violation.fault is not None:
        return
    here = starts[violation.initial]
    possible = {s for s in graph.starts if oracle.show(s) == checker.show(here)}
    trail: list[set[State]] = [possible]
    for action in violation.schedule:
        step = next((s for s in interpreter.successors(here) if s.action == action), None)
        if step is None or step.state is None:
            break
        here = step.state
        shown = checker.show(here)
        possible = set(_following(oracle, graph, possible, action.thread, shown))
        trail.append(possible)
    found.compared += 1
    wanted = len(violation.schedule) + (violation.fault is None)
    if len(trail) < wanted or not all(trail):
        found.differences.append(("replay", f"the run of {violation.property} is none of the program: {violation}"))
        return
    _ends(found, oracle, graph, violation, trail)


def _following(
    oracle: Oracle, graph: oracle_properties.Graph, states: set[State], thread: int, shown: Shown
) -> Iterator[State]:
    for state in states:
        for mover, after in graph.edges[state]:
            if mover == thread and not isinstance(after, Fault) and oracle.show(after) == shown:
                yield after


def _ends(
    found: Outcome, oracle: Oracle, graph: oracle_properties.Graph, violation: Violation, trail: list[set[State]]
) -> None:
    """What must be true of the last state of a run, or of all states of its loop."""
    role, body = oracle.source.properties.get(violation.property, (None, None))
    if role is None:
        return
    kind = oracle_properties.kinds(oracle)[violation.property]
    Cells.in_property = True
    try:
        held = [{bool(body(oracle_properties.view(oracle, s))) for s in states} for states in trail if kind != "step"]
    finally:
        Cells.in_property = False
    if kind == "invariant":
        found.hold("an invariant at the end of its run", True, False in held[-1])
    elif kind == "reachable":
        found.hold("a witness at the end of its run", True, True in held[-1])
    elif kind == "progress" and violation.loop is not None:
        loop = range(violation.loop, len(trail))
        found.hold("the goal in a loop that stays away from it", False, any(held[n] == {True} for n in loop))
        ran = {action.thread for action in violation.schedule[violation.loop :]}
        sets: list[Any] = [
            set.intersection(*(oracle_properties.able(graph, s) for s in trail[n])) for n in loop if trail[n]
        ]
        owed = (set.intersection if role.fairness == "weak" else set.union)(*sets)
        found.hold("threads that a fair loop owes a step", set(), owed - ran)


# --- configurations against each other --------------------------------------------------------------------------------


def _explorations(found: Outcome, one: Configuration, other: Exploration, full: Exploration) -> None:
    """Everything a configuration must not change: see `dio_mc.engines.agree.differences`, and more of those in full."""
    found.seen |= {f"reduced by {name}" for name in other.reductions if other.states < full.states}
    found.seen.add(str(one))
    _runs(found, one, other, full)
    found.hold(f"{one}: unknown", full.unknown, other.unknown)
    found.hold(f"{one}: stopped", full.stopped, other.stopped)
    if not other.reductions:
        numbers = [(e.states, e.transitions, e.depth, e.open) for e in (full, other)]
        found.hold(f"{one}: states, transitions, depth, open", *numbers)
    elif "partial order" not in other.reductions:
        found.hold(f"{one}: depth", full.depth, other.depth)
    found.compared += 1
    if other.states > full.states:
        found.differences.append((f"{one}: more states", f"{one}: {other.states} states, in full {full.states}"))
    found.hold(f"{one}: coverage", full.coverage, other.coverage)


def _runs(found: Outcome, one: Configuration, other: Exploration, full: Exploration) -> None:
    """The same properties violated, by the same runs."""
    known, told = ({v.property: v for v in e.violations} for e in (full, other))
    for name in dict.fromkeys([*known, *told]):
        kind = name.split("@")[0] if name not in known or known[name].fault or name == "deadlock" else "a property"
        found.hold(f"{one}: whether {kind} is violated", name in known, name in told)
    found.hold(f"{one}: runs", _violations(full), _violations(other))


def _violations(found: Exploration) -> list[Any]:
    return [(v, None if v.fault is None else (v.fault.kind, v.fault.message, v.fault.span)) for v in found.violations]
