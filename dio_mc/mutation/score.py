"""The verdicts on the mutants of a class, and the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dio_mc.mutation.fixed import ChangedLine
from dio_mc.mutation.mutants import Mutant
from dio_mc.mutation.proposals import Proposal

Fate = Literal["caught", "survived", "equivalent", "undetermined", "invalid"]
"""``caught``: a property, the deadlock check or a fault distinguishes it from the model.
``survived``: everything holds as before. ``equivalent``: it survived, and was proved to behave as
the model does. ``undetermined``: a limit or a signal ended its search. ``invalid``: it cannot be
built, so it is not a model."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A mutant with its verdict. `why` says what caught it and in how many steps, or why it is
    undecided; for a survivor, why no property was found that catches it. `proposal` is the name of
    one that does (`Score.proposals`)."""

    mutant: Mutant
    fate: Fate
    why: str = ""
    proposal: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """A fix: the class `before` that it fixes, what is violated there (`stands`: ``violates size_ok
    in 4 steps``) with the same bindings, the `lines` that differ, and the names of `data` that both
    declare differently."""

    before: str
    stands: str
    lines: tuple[ChangedLine, ...]
    data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """The results for one class. `bindings` are the parameters it was checked with, as text;
    `states` those of the model itself, for the binding that has most. `skipped` says why it was not
    mutated: the model itself does not hold or, if `undetermined` is set, could not be decided.
    `fix` is set if the class fixes another one. `proposals` are properties that hold for the class
    and catch survivors, by name."""

    model: str
    file: str
    bindings: tuple[str, ...]
    states: int
    judged: tuple[Judged, ...]
    skipped: str = ""
    undetermined: bool = False
    fix: Fix | None = None
    proposals: Mapping[str, Proposal] = field(default_factory=dict)

    def of(self, fate: Fate) -> tuple[Judged, ...]:
        """The mutants with this verdict, in order."""
        return tuple(j for j in self.judged if j.fate == fate)

    def without(self, line: ChangedLine) -> Judged | None:
        """The mutant that undoes a line of the fix, if there is one."""
        return next((j for j in self.judged if j.mutant.line == line), None)

    @property
    def counted(self) -> int:
        """The mutants that could have been caught and were decided."""
        return len(self.of("caught")) + len(self.of("survived"))

    @property
    def percent(self) -> float | None:
        """The share of these that were caught, in per cent; None if there are none."""
        return 100 * len(self.of("caught")) / self.counted if self.counted else None


def exit_code(scores: tuple[Score, ...], least: float) -> int:
    """1 if fewer than `least` per cent of the mutants were caught; otherwise 3 if a mutant, or the
    class itself, is undetermined; otherwise 0."""
    if any(score.percent is not None and score.percent < least for score in scores):
        return 1
    return 3 if any(score.undetermined or score.of("undetermined") for score in scores) else 0
