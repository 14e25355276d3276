"""The fates of the mutants of a class, and the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dio_mc.mutation.fixed import ChangedLine
from dio_mc.mutation.mutants import Mutant
from dio_mc.mutation.proposals import Proposal

Fate = Literal["caught", "survived", "equivalent", "undetermined", "invalid"]
"""``caught``: some property, the deadlock check or a fault tells it from the model. ``survived``: everything holds as
before. ``equivalent``: it survived, and provably behaves as the model does. ``undetermined``: out of budget or stopped.
``invalid``: it cannot be built, so it is not a model."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A mutant with its fate; `why` says who caught it and in how many steps, or why nothing can be said; of a survivor
    why no property was found that catches it. `proposal` is the name of one that does (`Score.proposals`)."""

    mutant: Mutant
    fate: Fate
    why: str = ""
    proposal: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """What a class fixes: the class `before`, which `stands` with these bindings as these words say (``violates size_ok
    in 4 steps``); the `lines` that differ, and the names of `data` that both declare, each in its own way."""

    before: str
    stands: str
    lines: tuple[ChangedLine, ...]
    data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """One class. `bindings` are the parameters it was checked with, in words; `states` those of the model itself, with
    the binding that has most. `skipped` says why nothing was mutated: the model itself does not hold, or (then
    `undetermined` is set) nobody knows. `fix` is set if the class fixes another one. `proposals` are
    properties that hold for the class and catch survivors, by name."""

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
        """The mutants with this fate, in order."""
        return tuple(j for j in self.judged if j.fate == fate)

    def without(self, line: ChangedLine) -> Judged | None:
        """The mutant that undoes a line of the fix, if that was made."""
        return next((j for j in self.judged if j.mutant.line == line), None)

    @property
    def counted(self) -> int:
        """Mutants that could have been caught and were decided."""
        return len(self.of("caught")) + len(self.of("survived"))

    @property
    def percent(self) -> float | None:
        """Of those, how many were caught; None if there are none."""
        return 100 * len(self.of("caught")) / self.counted if self.counted else None


def exit_code(scores: tuple[Score, ...], least: float) -> int:
    """1 when a class caught fewer than `least` per cent of its mutants; else 3 when a mutant, or a class itself, is
    undetermined; else 0."""
    if any(score.percent is not None and score.percent < least for score in scores):
        return 1
    return 3 if any(score.undetermined or score.of("undetermined") for score in scores) else 0
