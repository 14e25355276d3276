"""Which operations race under which rule: every pair (or triple) of operations under every rule,
one verdict each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

from dio_mc.guard import Latch
from dio_mc.semantics.search import Budget
from dio_mc.semantics.stop import Stop
from dio_mc.study.outcomes import outcomes
from dio_mc.study.registry import Registry, Rule, Workload, together
from dio_mc.study.tags import RANK, worst
from dio_mc.trace.trace import Trace

NOT_THERE = "n/a"
"""The verdict if a rule does not support an operation."""


@dataclass(frozen=True, slots=True)
class General:
    """The result for any number of the operations `many`, which write nothing, beside one of each
    of `single`. `reason` says why that is not proved, and is empty if it is; `stopped`: a limit
    ended the attempt."""

    many: tuple[str, ...]
    single: tuple[str, ...]
    reason: str = ""
    stopped: bool = False

    @property
    def proved(self) -> bool:
        """Whether it holds for any number."""
        return not self.reason

    @property
    def words(self) -> str:
        """What holds, or why it is not known."""
        if not self.proved:
            return f"not for any number: {self.reason}"
        beside = f" and one {' and one '.join(self.single)}" if self.single else ""
        return f"any number of {' and of '.join(self.many)}{beside}"


@dataclass(frozen=True, slots=True)
class Cell:
    """Concurrent operations under a rule. `layouts` has the verdict per layout of the file;
    `outcome`, `reasons` and `trace` are those of the worst outcome, unless the cell is ok.
    `general` is the result for any number, if that was requested and the cell is ok."""

    operations: tuple[str, ...]
    rule: str
    verdict: str
    layouts: tuple[tuple[str, str], ...] = ()
    outcome: str = ""
    reasons: tuple[str, ...] = ()
    trace: Trace | None = None
    states: int = 0
    general: General | None = None

    @property
    def name(self) -> str:
        """A name for files and links."""
        return "-".join([self.rule, *self.operations])

    @property
    def shown(self) -> str:
        """The operations as they are displayed."""
        return " x ".join(self.operations)


@dataclass(frozen=True, slots=True)
class Pairing:
    """The subject of a cell: concurrent operations, and the rule."""

    workload: Workload
    rule: Rule

    def undetermined(self) -> Cell:
        """The cell if no search took place."""
        return Cell(self.workload.calls, self.rule.name, "undetermined" if self.is_there else NOT_THERE)

    @property
    def is_there(self) -> bool:
        """Whether the rule supports all the operations, on so many pages."""
        return not self.rule.unsupported & set(self.workload.calls) and self.workload.pages <= self.rule.most_pages


Solve = Callable[[Sequence[Pairing]], Iterator[Cell]]
"""Computes the cell of each pairing, in order. Pairings come rule by rule."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """All cells, group by group, of two or three operations. A page has `sectors` sectors, a call
    acts on up to `pages` pages."""

    rules: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    cells: tuple[Cell, ...]
    sectors: int = 1
    pages: int = 1

    def __str__(self) -> str:
        """The table as the command line prints it."""
        from dio_mc.study.tables import matrix_text

        return matrix_text(self)

    @property
    def noun(self) -> str:
        """The name of a group: pair or triple."""
        return "triple" if any(len(group) == 3 for group in self.groups) else "pair"

    def row(self, *operations: str) -> tuple[Cell, ...]:
        """The cells of a group, rule by rule."""
        return tuple(c for c in self.cells if c.operations == operations)

    def cell(self, rule: str, *operations: str) -> Cell:
        """One cell; the order of the operations does not matter."""
        found = {tuple(sorted(c.operations)): c for c in self.cells if c.rule == rule}
        return found[tuple(sorted(operations))]


def matrix(
    registry: Registry,
    rules: Sequence[Rule],
    operations: Sequence[str],
    budget: Budget | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    size: int = 2,
    sectors: int = 1,
    pages: int = 1,
    exceeded: Callable[[], Stop | None] = lambda: None,
    solve: Solve | None = None,
) -> Matrix:
    """Explore each group of `size` operations (an operation with itself included) under each rule.
    With two `sectors` per page an IO can be torn, with several `pages` a call. After a limit is
    `exceeded`, all further cells are undetermined. `solve` computes the cells elsewhere, in several
    processes, within limits of its own."""
    groups = tuple(combinations_with_replacement(operations, size))
    met = Latch(exceeded)
    workloads = [together(registry, group, sectors, pages) for group in groups]
    pairings = [Pairing(workload, rule) for rule in rules for workload in workloads]  # cells of a rule share code
    cells: list[Cell] = []
    for cell in (solve or one_by_one(budget, met))(pairings):
        cells.append(cell)
        if progress is not None:
            progress(len(cells), len(pairings))
    ordered = [cell for number in range(len(groups)) for cell in cells[number :: len(groups)]]
    return Matrix(tuple(rule.name for rule in rules), groups, tuple(ordered), sectors, pages)


def one_by_one(budget: Budget | None, met: Latch) -> Solve:
    """Computes cells in this process."""
    return lambda pairings: (cell_of(one, budget, met) for one in pairings)


def cell_of(pairing: Pairing, budget: Budget | None, met: Latch) -> Cell:
    """Explore one pairing."""
    workload, rule = pairing.workload, pairing.rule
    group = workload.calls
    if not pairing.is_there:
        return Cell(group, rule.name, NOT_THERE)
    found = outcomes(workload, rule, budget, witnesses=(), exceeded=met)
    verdict = worst([f.verdict for f in found])
    layouts = tuple((f.layout, f.verdict) for f in found)
    states = sum(f.states for f in found)
    if verdict in ("ok", "undetermined"):
        return Cell(group, rule.name, verdict, layouts, states=states)
    known = next(f for f in found if f.verdict == verdict)
    again = replace(workload, layouts=(known.layout,))
    (told,) = outcomes(again, rule, budget, witnesses=(verdict,), exceeded=met)
    shown = [o for o in (*told.outcomes, *known.outcomes) if o.verdict == verdict]
    return Cell(group, rule.name, verdict, layouts, shown[0].text, shown[0].reasons, shown[0].trace, states)


def counts(found: Matrix) -> dict[str, int]:
    """The number of cells with each verdict, the worst first."""
    listed = [c.verdict for c in found.cells]
    return {v: listed.count(v) for v in (*RANK, NOT_THERE) if v in listed}
