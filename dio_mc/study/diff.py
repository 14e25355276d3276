"""What a change of rules changes: outcomes and deadlocks that the second rule adds or removes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dio_mc.semantics.search import Budget
from dio_mc.study.outcomes import Outcome, Outcomes, outcomes
from dio_mc.study.shelf import Rule, Workload
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
        """What kind of change: ``opened`` and ``repaired`` are about bad outcomes."""
        if self.outcome.verdict in BAD:
            return "opened" if self.added else "repaired"
        return "adds" if self.added else "removes"


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes from one rule to another. Compared were so many named `workloads` and `groups` of operations side by
    side, on so many files (`compared`); `left_out` are those that one of the rules cannot run. `complete` is False when
    a budget cut one of them short."""

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
        """1 when something bad is new, 3 when that is not known."""
        opened = any(change.word == "opened" for change in self.changes)
        return 1 if opened else 0 if self.complete else 3


def diff(
    before: Rule,
    after: Rule,
    workloads: Sequence[Workload],
    budget: Budget | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Difference:
    """Compare two rules on workloads. A workload that one of them cannot run is left out, and named."""
    changes: list[Change] = []
    compared, complete, left_out = 0, True, []
    for number, workload in enumerate(workloads, start=1):
        if (before.unsupported | after.unsupported) & set(workload.calls):
            left_out.append(workload.name)
            continue
        old = {o.layout: o for o in outcomes(workload, before, budget)}
        new = {o.layout: o for o in outcomes(workload, after, budget)}
        for layout in (name for name in old if name in new):
            compared += 1
            complete = complete and old[layout].complete and new[layout].complete
            changes += _changes(workload.name, layout, old[layout], new[layout])
        if progress is not None:
            progress(number, len(workloads))
    ran = [w for w in workloads if w.name not in left_out]
    named = sum(not w.calls for w in ran)
    return Difference(
        before.name, after.name, tuple(changes), compared, complete, named, len(ran) - named, tuple(left_out)
    )


def _changes(workload: str, layout: str, old: Outcomes, new: Outcomes) -> list[Change]:
    known, now = {o.key for o in old.outcomes}, {o.key for o in new.outcomes}
    removed = [Change(workload, layout, False, o) for o in old.outcomes if o.key not in now]
    added = [Change(workload, layout, True, o) for o in new.outcomes if o.key not in known]
    return removed + added
