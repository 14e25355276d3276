"""The messages between a search and the parts that hold its states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dio_mc.engines.native.module import Module
from dio_mc.engines.native.prepared import Reduced

Handle = object
"""A reference to an answer, which may not have arrived yet. As an argument of a request it stands
for the answer's value."""

News = tuple[int, tuple[int, ...], tuple[int, ...]]
"""A new valuation: the number of the evaluator, the words of the state and those of its
successor."""


@dataclass(frozen=True, slots=True)
class Share:
    """The setup of a part: the program, the reductions of the search, the number of `parts`, the
    folder for files (None: a local one), a `token` that names the search's subfolder, and the
    memory limit of the part's process in bytes."""

    module: Module
    by: Reduced
    parts: int
    folder: str | None
    token: str
    max_memory: int | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """The progress of a part within a level: states found, transitions, states expanded, and states
    left to expand."""

    states: int
    transitions: int
    expanded: int
    left: int


@dataclass(frozen=True, slots=True)
class LevelReport:
    """The result of a part for a level. `sent` bytes went to other parts; `news` are the new
    valuations of the level; `flags` and `seen` are cumulative."""

    states: int
    transitions: int
    expanded: int
    sent: int
    news: tuple[News, ...]
    flags: bytes
    seen: bytes


@dataclass(frozen=True, slots=True)
class Ref:
    """A handle in the process that talks to Ray, by number."""

    number: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A cluster is available, for this number of parts."""

    parts: int


@dataclass(frozen=True, slots=True)
class Refused:
    """No cluster is available: the code of the error, and the reason."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class CutOff:
    """Replaces an answer: the part has `died`, or could not execute the request."""

    reason: str
    died: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, or a `CutOff`."""

    value: object


class Died(Exception):
    """A part has died, and its answers are lost."""


class Cluster(Protocol):
    """The parts of a search. Each part executes its requests in the order in which they were
    sent."""

    parts: int

    def ask(self, part: int, name: str, *arguments: object, answers: int = 1) -> Sequence[Handle]:
        """Send a request, the name of a method of `Partition`, to a part; return the handles of its
        `answers` results."""
        ...

    def put(self, data: bytes) -> Handle:
        """Store data that is an argument of several requests."""
        ...

    def answers(self, handles: Sequence[Handle], patience: float) -> Sequence[object] | None:
        """The answers, or None if some have not arrived within `patience` seconds. Raises
        `Died`."""
        ...

    def drop(self, handles: Sequence[Handle]) -> None:
        """Discard answers that will not be requested."""
        ...

    def renew(self, part: int) -> None:
        """Replace a part by a new, empty one."""
        ...

    def close(self) -> None:
        """End all parts."""
        ...
