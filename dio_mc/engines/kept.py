"""What is kept from one search of a program to the next: decisions of evaluators, and violations.

An exploration may take several searches: a small one of all states, a reduced one, one without partial order for the
canonical counterexamples. A violation that one of them has established is one of the program, whatever becomes of the
others: a later search that a limit ends too early does not take it back, and a later one that went over all that it had
to go over, and says otherwise, is a fault of dio-mc. An interrupt or a lack of memory may come at any moment, also
between the end of a search and its report. So every search is followed from its first state on: what it knows to be
violated is asked of itself, and is told without a schedule where it came to no report.
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
    """An evaluator that is asked by two engines in turn, and about each valuation once."""

    def __init__(self, evaluator: PropertyEvaluator) -> None:
        self._evaluator = evaluator
        self._known: dict[tuple[int, ...], Decision] = {}

    @property
    def observations(self) -> tuple[Observation, ...]:
        """As the evaluator's."""
        return self._evaluator.observations

    @property
    def formulas(self) -> tuple[Expr, ...]:
        """As the evaluator's."""
        return self._evaluator.formulas

    @property
    def property(self) -> Property:
        """As the evaluator's."""
        return self._evaluator.property

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        """One decision per valuation, the new ones by the evaluator."""
        new = [valuation for valuation in valuations if valuation not in self._known]
        if new:
            self._known.update(zip(new, self._evaluator.decide(new), strict=True))
        return [self._known[valuation] for valuation in valuations]


class Established:
    """The violations (and witnesses) that the searches of one exploration have found so far, the best of each property:
    a canonical one before others, then the shorter. `last` is what the last of the searches found."""

    def __init__(self, program: Program, evaluators: Sequence[PropertyEvaluator]) -> None:
        self.last: Exploration | None = None
        self._program = program
        self._ranks = {evaluator.property.name: rank for rank, evaluator in enumerate(evaluators)}
        self._best: dict[str, tuple[Violation, str]] = {}
        self._unshown: set[str] = set()
        self._names: list[Names] = []

    def follow(self, names: Names) -> None:
        """A search begins."""
        self._names.append(names)

    def note(self, found: Exploration) -> None:
        """Keep what a search has found: it is at its end."""
        self.last = found
        self._unshown |= set(found.unshown)
        for violation in found.violations:
            known = self._best.get(violation.property)
            if known is None or _worth(violation) > _worth(known[0]):
                self._best[violation.property] = violation, found.engine
        self._names.clear()

    def interrupted(self) -> bool:
        """Keep what a search has found that was ended before its report. Whether anything is established."""
        self._unshown |= {name for names in self._names for name in names()}
        return bool(self._best or self._unshown)

    def is_canonical(self, name: str) -> bool:
        """Whether the canonical counterexample of a property is known."""
        return name in self._best and self._best[name][0].canonical

    def confirm(self, found: Exploration, names: Iterable[str], search: str) -> None:
        """A search that went over all that it had to go over must have found these. Raises `InternalError`, with
        the schedules that say so, where it did not find one."""
        there = {violation.property for violation in found.violations} | set(found.unshown)
        lost = sorted(set(names) - there, key=self._order)
        if lost:
            told = [line for name in lost for line in self._shown(name)]
            raise InternalError(
                f"{search} of {self._program.name} by engine {found.engine} has lost what another search found: "
                f"{', '.join(lost)}",
                told,
            )

    def answer(self, found: Exploration) -> Exploration:
        """The answer of an exploration: what the deciding search says, with every violation that is established.

        Raises `InternalError` where that search is complete and has not found one of them.
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
        """A violation replayed, in lines. Raises `InternalError` where it does not replay."""
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
    """The same, with no counterexample known to be the canonical one, but those without a step: they have no rival."""
    violations = tuple(replace(one, canonical=not one.schedule) for one in found.violations)
    return replace(found, violations=violations)


def is_whole(name: str, length: int, whole: int) -> bool:
    """Whether a search that expanded `whole` levels to the end has seen each violation of a property after `length`
    steps that comes before those it has seen. A deadlock is seen when a state is expanded, others when it is found;
    initial states are found in their order."""
    if name == "deadlock":
        return length < whole
    return length == 0 or length <= whole


def violation_order(name: str, ranks: dict[str, int]) -> tuple[int, str, str, int]:
    """The author's properties first, then the deadlock, then faults (``kind@line``, ``kind@file:line``)."""
    if name in ranks:
        return ranks[name], "", "", 0
    if name == "deadlock":
        return len(ranks), "", "", 0
    kind, _, place = name.partition("@")
    file, _, line = place.rpartition(":")
    return len(ranks) + 1, kind, file, int(line or 0)
