"""What a workload can end with under a rule: each outcome in words, with a run that shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dio_mc.kernel.words import Data
from dio_mc.semantics.search import Budget
from dio_mc.study.observe import Observed
from dio_mc.study.shelf import LAYOUTS, Rule, Workload, product
from dio_mc.study.tags import BAD, RANK, Tagged, tag, worst
from dio_mc.trace.trace import Trace


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of the things that can come out. `key` is what makes two outcomes the same; `reasons` are those of the
    nearest run."""

    results: tuple[tuple[str, str], ...]
    after: str
    reasons: tuple[str, ...]
    verdict: str
    trace: Trace | None

    @property
    def key(self) -> tuple[object, ...]:
        """What the threads were given, the file afterwards, the verdict."""
        return self.results, self.after, self.verdict

    @property
    def text(self) -> str:
        """One line: what the threads were given, and the file afterwards."""
        given = ", ".join(f"{name} {result}" for name, result in self.results)
        return f"{given}; file {self.after}" if self.after != "-" else given


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All outcomes of a workload under a rule on a file of one layout, the worst first."""

    workload: str
    rule: str
    layout: str
    outcomes: tuple[Outcome, ...]
    complete: bool
    states: int

    @property
    def verdict(self) -> str:
        """The worst of all; a search that was cut short can only say bad things for sure."""
        found = worst([o.verdict for o in self.outcomes])
        return found if self.complete or found in BAD else "undetermined"


def outcomes(
    workload: Workload, rule: Rule, budget: Budget | None = None, *, witnesses: Iterable[str] = RANK
) -> tuple[Outcomes, ...]:
    """Explore a workload under a rule, once per layout that both know. Outcomes whose verdict is among `witnesses` get
    the canonical run that ends with them."""
    wanted = frozenset(witnesses)
    programs = product(workload, rule)
    return tuple(
        _outcomes(workload.name, rule.name, layout, Observed(program, budget), wanted)
        for layout, program in programs.items()
    )


def _outcomes(workload: str, rule: str, layout: str, observed: Observed, wanted: frozenset[str]) -> Outcomes:
    initial = Data.OLD.name if LAYOUTS[layout][1] is Data.OLD else Data.ZERO.name
    nearest: dict[tuple[object, ...], Tagged] = {}
    for observation in sorted(observed.goals, key=lambda o: (observed.goals[o].length, o)):
        tagged = tag(observation, initial)
        nearest.setdefault((tagged.results, tagged.after, tagged.verdict), tagged)
    ordered = sorted(nearest.values(), key=lambda t: (RANK.index(t.verdict), t.results, t.after))
    rows = tuple(_outcome(observed, one, one.verdict in wanted) for one in ordered)
    return Outcomes(workload, rule, layout, rows, observed.complete, observed.states)


def _outcome(observed: Observed, one: Tagged, witness: bool) -> Outcome:
    """With its run, which says in its words what it ends with."""
    found = Outcome(one.results, one.after, one.reasons, one.verdict, None)
    trace = observed.trace(one.observation) if witness else None
    if trace is None:
        return found
    doc = ": ".join([found.text, one.verdict]) + (f" ({'; '.join(one.reasons)})" if one.reasons else "") + "."
    return replace(found, trace=replace(trace, doc=doc))
