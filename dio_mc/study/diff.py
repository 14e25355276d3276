"""What a change of rules changes: outcomes and deadlocks that the second rule adds or removes."""

from __future__ import annotations

from collections.abc import Sequence
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
    """All changes from one rule to another. `compared` counts workloads times layouts; `complete` is False when a
    budget cut one of them short."""

    before: str
    after: str
    changes: tuple[Change, ...]
    compared: int
    complete: bool

    @property
    def exit_code(self) -> int:
        """1 when something bad is new, 3 when that is not known."""
        opened = any(change.word == "opened" for change in self.changes)
        return 1 if opened else 0 if self.complete else 3


def diff(before: Rule, after: Rule, workloads: Sequence[Workload], budget: Budget | None = None) -> Difference:
    """Compare two rules on workloads. A workload that one of them cannot run is left out."""
    changes: list[Change] = []
    compared, complete = 0, True
    for workload in workloads:
        if (before.unsupported | after.unsupported) & set(workload.calls):
            continue
        old = {o.layout: o for o in outcomes(workload, before, budget)}
        new = {o.layout: o for o in outcomes(workload, after, budget)}
        for layout in (name for name in old if name in new):
            compared += 1
            complete = complete and old[layout].complete and new[layout].complete
            changes += _changes(workload.name, layout, old[layout], new[layout])
    return Difference(before.name, after.name, tuple(changes), compared, complete)


def _changes(workload: str, layout: str, old: Outcomes, new: Outcomes) -> list[Change]:
    known, now = {o.key for o in old.outcomes}, {o.key for o in new.outcomes}
    removed = [Change(workload, layout, False, o) for o in old.outcomes if o.key not in now]
    added = [Change(workload, layout, True, o) for o in new.outcomes if o.key not in known]
    return removed + added
