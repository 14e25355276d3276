"""Results that outlive a search: decisions of evaluators, and violations.

One exploration may consist of several searches: a small one of all states, a reduced one, one
without partial order for the canonical counterexamples. A violation that any of them has
established is a violation of the program. A later search that a limit ends early does not retract
it, and a later search that is complete and does not find it contradicts the earlier one, which is a
fault of dio-mc.

An interrupt or a lack of memory can end a search at any moment, even between its last state and its
report. Therefore each search registers a function that names its violations so far. If the search
ends without a report, these violations are reported without a schedule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dio_mc.errors import InternalError
from dio_mc.ir.expr import Expr
from dio_mc.ir.program import Program, Property
from dio_mc.semantics.evaluator import Decision, Observation, PropertyEvaluator
from dio_mc.semantics.search import Exploration, Names, Violation
from dio_mc.trace.replay import build_trace
from dio_mc.trace.trace import TraceStep


class Remembering:
    """A cache in front of an evaluator that several searches share: each valuation is decided
    once."""

    def __init__(self, evaluator: PropertyEvaluator) -> None:
        self._evaluator = evaluator
        self._known: dict[tuple[int, ...], Decision] = {}

    @property
    def observations(self) -> tuple[Observation, ...]:
        """The observations of the wrapped evaluator."""
        return self._evaluator.observations

    @property
    def formulas(self) -> tuple[Expr, ...]:
        """The formulas of the wrapped evaluator."""
        return self._evaluator.formulas

    @property
    def property(self) -> Property:
        """The property of the wrapped evaluator."""
        return self._evaluator.property

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        """One decision per valuation, in order. Only valuations that are not cached reach the
        evaluator."""
        new = [valuation for valuation in valuations if valuation not in self._known]
        if new:
            self._known.update(zip(new, self._evaluator.decide(new), strict=True))
        return [self._known[valuation] for valuation in valuations]


class Established:
    """The violations and witnesses that the searches of one exploration have found so far.

    The best one of each property is kept: a canonical one before others, then the shorter. `last`
    is the result of the last search that ended, or None.
    """

    def __init__(self, program: Program, evaluators: Sequence[PropertyEvaluator]) -> None:
        self.last: Exploration | None = None
        self._program = program
        self._ranks = {evaluator.property.name: rank for rank, evaluator in enumerate(evaluators)}
        self._best: dict[str, tuple[Violation, str]] = {}
        self._unshown: set[str] = set()
        self._names: list[Names] = []

    def follow(self, names: Names) -> None:
        """Register a search that begins. `names` returns the names of its violations so far."""
        self._names.append(names)

    def note(self, found: Exploration) -> None:
        """Record the result of a search that has ended."""
        self.last = found
        self._unshown |= set(found.unshown)
        for violation in found.violations:
            known = self._best.get(violation.property)
            if known is None or _worth(violation) > _worth(known[0]):
                self._best[violation.property] = violation, found.engine
        self._names.clear()

    def interrupted(self) -> bool:
        """Record the violations of searches that ended without a report; return whether any are
        established."""
        self._unshown |= {name for names in self._names for name in names()}
        return bool(self._best or self._unshown)

    def is_canonical(self, name: str) -> bool:
        """Return whether the canonical counterexample of the property `name` is known."""
        return name in self._best and self._best[name][0].canonical

    def confirm(self, found: Exploration, names: Iterable[str], search: str) -> None:
        """Check that a complete search has found all of `names`.

        `search` describes the search in messages. Raises `InternalError`, with the replayed
        schedules of the missing violations, if it has not.
        """
        there = {violation.property for violation in found.violations} | set(found.unshown)
        lost = sorted(set(names) - there, key=self._order)
        if lost:
            lines = [line for name in lost for line in self._shown(name)]
            raise InternalError(
                f"{search} of {self._program.name} by engine {found.engine} has lost what another search found: "
                f"{', '.join(lost)}",
                lines,
            )

    def answer(self, found: Exploration) -> Exploration:
        """The result of the exploration: that of the deciding search, with every established
        violation.

        Raises `InternalError` if that search is complete and has not found one of them.
        """
        self.note(found)
        if found.stopped is None:
            self.confirm(found, self._best, "the search")
        best = sorted((violation for violation, _ in self._best.values()), key=lambda one: self._order(one.property))
        unshown = sorted(self._unshown - self._best.keys(), key=self._order)
        return replace(found, violations=tuple(best), unshown=tuple(unshown))

    def _order(self, name: str) -> tuple[int, str, str, int]:
        return violation_order(name, self._ranks)

    def _shown(self, name: str) -> list[str]:
        """A violation replayed, one line per step. Raises `InternalError` if it does not replay."""
        violation, engine = self._best[name]
        trace = build_trace(self._program, violation, engine=engine)
        head = f"{name}: found by engine {engine}, replayed in {len(trace.steps)} steps:"
        return [head, *(f"  {_line(step)}" for step in trace.steps)]


def _worth(violation: Violation) -> tuple[bool, int]:
    return violation.canonical, -len(violation.schedule)


def _line(step: TraceStep) -> str:
    place = f"   ({step.place})" if step.place else ""
    fault = f", fault {step.fault.kind}: {step.fault.message}" if step.fault else ""
    return f"{step.number:3}  {step.head}{fault}{place}"


def uncertain(found: Exploration) -> Exploration:
    """The exploration with no counterexample marked as canonical, except those without steps, which
    no other path can precede."""
    violations = tuple(replace(one, canonical=not one.schedule) for one in found.violations)
    return replace(found, violations=violations)


def is_whole(name: str, length: int, whole: int) -> bool:
    """Return whether a search that fully expanded `whole` levels has found every violation of the
    property `name` that is `length` steps long, so that the first of them is known.

    A deadlock is detected when its state is expanded, other violations when the state or edge is
    found. Violations of length 0 need no complete level, because initial states are found in their
    order.
    """
    if name == "deadlock":
        return length < whole
    return length == 0 or length <= whole


def violation_order(name: str, ranks: dict[str, int]) -> tuple[int, str, str, int]:
    """A sort key: the author's properties in the order of `ranks`, then the deadlock, then faults
    (``kind@line``, ``kind@file:line``) by kind, file and line."""
    if name in ranks:
        return ranks[name], "", "", 0
    if name == "deadlock":
        return len(ranks), "", "", 0
    kind, _, place = name.partition("@")
    file, _, line = place.rpartition(":")
    return len(ranks) + 1, kind, file, int(line or 0)
