"""The difference of two rules: outcomes and deadlocks that the second one adds or removes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dio_mc.guard import Latch
from dio_mc.semantics.search import Budget
from dio_mc.semantics.stop import Stop
from dio_mc.study.outcomes import Outcome, Outcomes, outcomes
from dio_mc.study.registry import Rule, Workload
from dio_mc.study.tags import BAD


@dataclass(frozen=True, slots=True)
class Change:
    """One outcome that only one of the rules has."""

    workload: str
    layout: str
    added: bool
    outcome: Outcome

    @property
    def word(self) -> str:
        """The kind of change: ``opened`` and ``repaired`` are about bad outcomes."""
        if self.outcome.verdict in BAD:
            return "opened" if self.added else "repaired"
        return "adds" if self.added else "removes"


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes from one rule to another. `workloads` and `groups` are the numbers of named
    workloads and of groups of operations that were compared, on `compared` files; `left_out` are
    those that one of the rules cannot run. `complete` is False if a limit cut a search short; an
    outcome that one rule adds is then reported only where all of the other are known."""

    before: str
    after: str
    changes: tuple[Change, ...]
    compared: int
    complete: bool
    workloads: int = 0
    groups: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 if a bad outcome is new, 3 if that is not known."""
        opened = any(change.word == "opened" for change in self.changes)
        return 1 if opened else 0 if self.complete else 3


def diff(
    before: Rule,
    after: Rule,
    workloads: Sequence[Workload],
    budget: Budget | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    exceeded: Callable[[], Stop | None] = lambda: None,
) -> Difference:
    """Compare two rules on workloads. A workload that one of them cannot run is left out, and
    named. After a limit is `exceeded`, the comparisons made so far are kept."""
    met = Latch(exceeded)
    changes: list[Change] = []
    compared, complete, left_out, ran = 0, True, [], {True: 0, False: 0}
    for number, workload in enumerate(workloads, start=1):
        if (before.unsupported | after.unsupported) & set(workload.calls):
            left_out.append(workload.name)
            continue
        old = {o.layout: o for o in outcomes(workload, before, budget, exceeded=met)}
        new = {o.layout: o for o in outcomes(workload, after, budget, exceeded=met)}
        both = [name for name in old if name in new]
        for layout in both:
            changes += _changes(workload.name, layout, old[layout], new[layout])
        whole = sum(old[layout].complete and new[layout].complete for layout in both)
        compared += whole
        complete = complete and whole == len(both)
        ran[bool(workload.calls)] += whole > 0 or not both
        if progress is not None:
            progress(number, len(workloads))
    return Difference(
        before.name, after.name, tuple(changes), compared, complete, ran[False], ran[True], tuple(left_out)
    )


def _changes(workload: str, layout: str, old: Outcomes, new: Outcomes) -> list[Change]:
    """Outcomes that only one of them has; a search that was stopped early is not assumed to lack
    any."""
    known, now = {o.key for o in old.outcomes}, {o.key for o in new.outcomes}
    removed = [Change(workload, layout, False, o) for o in old.outcomes if o.key not in now and new.complete]
    added = [Change(workload, layout, True, o) for o in new.outcomes if o.key not in known and old.complete]
    return removed + added
