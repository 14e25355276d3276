"""What a search and the parts of its states tell one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dio_mc.engines.native.module import Module
from dio_mc.engines.native.prepared import Reduced

Handle = object
"""Stands for an answer, perhaps one that is not there yet; as an argument of another question, for what it says."""

News = tuple[int, tuple[int, ...], tuple[int, ...]]
"""A valuation that was new: the evaluator, the state's words, those after the step."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a part is told at its beginning: the program, by what the search is reduced, how many `parts` there are, the
    folder for files (None: one of the machine), and how much memory its process may take."""

    module: Module
    by: Reduced
    parts: int
    folder: str | None
    token: str
    max_memory: int | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What a part has done of a level so far: states found, successors, states expanded; and how many are left to be
    expanded."""

    states: int
    transitions: int
    expanded: int
    left: int


@dataclass(frozen=True, slots=True)
class LevelReport:
    """What a part has found and noticed in a level; `sent` bytes went to others. `flags` and `seen` are those of the
    search so far."""

    states: int
    transitions: int
    expanded: int
    sent: int
    news: tuple[News, ...]
    flags: bytes
    seen: bytes


@dataclass(frozen=True, slots=True)
class Ref:
    """A handle of the process that speaks with Ray."""

    number: int


@dataclass(frozen=True, slots=True)
class Opened:
    """There is a cluster, for so many parts."""

    parts: int


@dataclass(frozen=True, slots=True)
class Refused:
    """There is none to be had: the code of the error, and why."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class CutOff:
    """In place of an answer: the part has `died`, or was asked something that it cannot do."""

    reason: str
    died: bool


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, or that there is none."""

    value: object


class Died(Exception):
    """Some part has died, and with it the answers that it owed."""


class Cluster(Protocol):
    """Has so many `parts`, which answer questions in the order in which these were asked."""

    parts: int

    def ask(self, part: int, name: str, *arguments: object, answers: int = 1) -> Sequence[Handle]:
        """Have a part do something (a method of `Partition`); handles of its answers."""
        ...

    def put(self, data: bytes) -> Handle:
        """Something that several are told."""
        ...

    def answers(self, handles: Sequence[Handle], patience: float) -> Sequence[object] | None:
        """The answers, or None where some of them are not there after so many seconds. Raises `Died`."""
        ...

    def drop(self, handles: Sequence[Handle]) -> None:
        """Nobody will ask for these answers."""
        ...

    def renew(self, part: int) -> None:
        """Begin a part anew, empty."""
        ...

    def close(self) -> None:
        """End all parts."""
        ...
