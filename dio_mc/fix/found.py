"""The results of a search for fixes: edits that were tried, fixes, near misses, and missing
properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dio_mc.fix.edit import Edit
from dio_mc.source import Span

Fate = Literal["passes", "open", "invalid", "undecided"]
"""``passes``: everything asked for holds with the model's parameters. ``open``: something is
violated. ``invalid``: it is not a model. ``undecided``: a limit came first."""


@dataclass(frozen=True, slots=True)
class Open:
    """A property that an edit leaves violated. `steps` is the length of the shortest schedule, -1
    if a state cannot be reached; `params` are the bindings; `why` is a remark."""

    property: str
    steps: int
    params: tuple[tuple[str, int], ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """An edit, given by the numbers of its parts, and its result. `changed` says what it changes
    when the threads run one after the other, `cells` are the variables concerned."""

    parts: tuple[int, ...]
    fate: Fate
    open: tuple[Open, ...] = ()
    states: int = 0
    changed: str = ""
    cells: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class EditText:
    """An edit in words: kind, function, text and place; `size` counts statements."""

    kind: str
    text: str
    function: str
    span: Span
    size: int
    parts: tuple[int, ...]

    @classmethod
    def of(cls, edit: Edit, parts: tuple[int, ...]) -> EditText:
        """The description of an edit."""
        return cls(edit.kind, edit.text, edit.function, edit.span, edit.size, parts)


@dataclass(frozen=True, slots=True)
class Waits:
    """The share of states, in per cent, in which a thread that has not ended cannot continue,
    before and with an edit."""

    thread: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A check of the written fix: the bindings, the verdict, the number of states."""

    params: tuple[tuple[str, int], ...]
    verdict: str
    states: int


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that is a fix, checked from its written source.

    `text` is the file with the subclass, `difference` the change of the author's files;
    `any_number` what is known for any number of its threads; `changed` as in `Tried`. `alike` is
    the number of edits of the same kind in the same function that passed as well and are larger or
    leave fewer states; they were not written.
    """

    edit: EditText
    text: str
    difference: str
    checked: tuple[Checked, ...]
    waits: tuple[Waits, ...]
    any_number: str = ""
    changed: str = ""
    alike: int = 0

    @property
    def states(self) -> int:
        """The number of states with the model's parameters."""
        return self.checked[0].states


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An edit that is not a fix, with the violations that it leaves and the schedule of the
    first."""

    edit: EditText
    open: tuple[Open, ...]
    schedule: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """All results of a search. `goals` are the properties that were to hold, with the length of
    each counterexample before; `spared` are those violated before and not asked for. `counts` are
    the numbers of edits by result. `missing` are sentences on properties that the model lacks.
    `stopped` says why the search is not complete."""

    model: str
    file: str
    params: Mapping[str, int]
    goals: tuple[Open, ...]
    spared: tuple[str, ...]
    states: int
    singles: int
    pairs: int
    counts: Mapping[str, int]
    fixes: tuple[Fix, ...]
    near: tuple[NearMiss, ...]
    missing: tuple[str, ...]
    stopped: str = ""

    @property
    def exit_code(self) -> int:
        """0 with a fix, 1 without one, 3 if the search was stopped before its end, whatever was
        found."""
        return 3 if self.stopped else 0 if self.fixes else 1
