"""Which operations race under which rule: every pair of operations under every rule, one verdict each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

from dio_mc.semantics.contract import Budget
from dio_mc.study.outcomes import Outcomes, outcomes
from dio_mc.study.shelf import Rule, Shelf, pair
from dio_mc.study.tags import RANK, worst
from dio_mc.trace.trace import Trace

NOT_THERE = "n/a"
"""The verdict where a rule does not know an operation."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A pair of operations under a rule. `layouts` has the verdict per layout of the file; `outcome`, `reasons` and
    `trace` are those of the worst outcome, unless all is well."""

    first: str
    second: str
    rule: str
    verdict: str
    layouts: tuple[tuple[str, str], ...] = ()
    outcome: str = ""
    reasons: tuple[str, ...] = ()
    trace: Trace | None = None
    states: int = 0

    @property
    def name(self) -> str:
        """A name for files and links."""
        return f"{self.rule}-{self.first}-{self.second}"


@dataclass(frozen=True, slots=True)
class Matrix:
    """All cells, pair by pair."""

    rules: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    cells: tuple[Cell, ...]

    def row(self, first: str, second: str) -> tuple[Cell, ...]:
        """The cells of a pair, rule by rule."""
        return tuple(c for c in self.cells if (c.first, c.second) == (first, second))

    def cell(self, rule: str, first: str, second: str) -> Cell:
        """One cell; the order of the operations does not matter."""
        found = {frozenset((c.first, c.second)): c for c in self.cells if c.rule == rule}
        return found[frozenset((first, second))]


def matrix(
    shelf: Shelf,
    rules: Sequence[Rule],
    operations: Sequence[str],
    budget: Budget | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Matrix:
    """Explore each pair (an operation against itself included) under each rule."""
    pairs = tuple(combinations_with_replacement(operations, 2))
    cells: list[Cell] = []
    for first, second in pairs:
        for rule in rules:
            cells.append(_cell(shelf, rule, first, second, budget))
            if progress is not None:
                progress(len(cells), len(pairs) * len(rules))
    return Matrix(tuple(rule.name for rule in rules), pairs, tuple(cells))


def _cell(shelf: Shelf, rule: Rule, first: str, second: str, budget: Budget | None) -> Cell:
    if rule.unsupported & {first, second}:
        return Cell(first, second, rule.name, NOT_THERE)
    found = outcomes(pair(shelf, first, second), rule, budget, witnesses=())
    verdict = worst([f.verdict for f in found])
    layouts = tuple((f.layout, f.verdict) for f in found)
    states = sum(f.states for f in found)
    if verdict in ("ok", "undetermined"):
        return Cell(first, second, rule.name, verdict, layouts, states=states)
    layout = next(f.layout for f in found if f.verdict == verdict)
    told = _told(shelf, rule, (first, second), layout, verdict, budget)
    worst_one = next(o for o in told.outcomes if o.verdict == verdict)
    return Cell(
        first, second, rule.name, verdict, layouts, worst_one.text, worst_one.reasons, worst_one.trace, states
    )  # fmt: skip


def _told(
    shelf: Shelf, rule: Rule, names: tuple[str, str], layout: str, verdict: str, budget: Budget | None
) -> Outcomes:
    """The outcomes on the layout that is to be shown, with traces of the verdict in question."""
    workload = replace(pair(shelf, *names), layouts=(layout,))
    return outcomes(workload, rule, budget, witnesses=(verdict,))[0]


def counts(found: Matrix) -> dict[str, int]:
    """How many cells have which verdict, the worst first."""
    listed = [c.verdict for c in found.cells]
    return {v: listed.count(v) for v in (*RANK, NOT_THERE) if v in listed}
