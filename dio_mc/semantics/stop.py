"""The reasons why a search ends before every reachable state is expanded and judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from dio_mc.wording import show_bytes

Poll = Callable[[], str | None]
"""Called from time to time during a search; returns a reason in words to end it, or None."""


class StopKind(Enum):
    """What ended a search. The value is its name on the command line."""

    FIRST = "--first"
    MAX_STATES = "--max-states"
    MAX_DEPTH = "--max-depth"
    TIMEOUT = "--timeout"
    MAX_MEMORY = "--max-memory"
    SIMULATE = "--simulate"
    PREEMPTIONS = "--preemptions"
    APPROXIMATE = "--approximate"
    INTERRUPTED = "interrupted"
    OUT_OF_MEMORY = "out of memory"
    DISK = "--disk"
    RAY = "--ray"
    REQUESTED = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """The reason that ended a search, and the limit that was reached.

    `limit` counts states, levels, seconds, bytes, runs or preemptions; for `APPROXIMATE` it names the storage, for
    `DISK` and `RAY` it says what does not work there, for `REQUESTED` it is the caller's reason in words. The other
    kinds have none.
    """

    kind: StopKind
    limit: int | float | str | None = None

    def __str__(self) -> str:
        """``--max-states 100``, ``--max-memory 2G``, ``interrupted``, ``Ctrl-C``."""
        if self.limit is None:
            return str(self.kind.value)
        if self.kind is StopKind.REQUESTED:
            return str(self.limit)
        return f"{self.kind.value} {self._limit_in_words()}"

    def _limit_in_words(self) -> str:
        if self.kind is StopKind.MAX_MEMORY and isinstance(self.limit, int):
            return show_bytes(self.limit)
        return f"{self.limit:g}" if self.kind is StopKind.TIMEOUT else f"{self.limit}"


FIRST = Stop(StopKind.FIRST)
INTERRUPTED = Stop(StopKind.INTERRUPTED)
OUT_OF_MEMORY = Stop(StopKind.OUT_OF_MEMORY)


def requested(reason: str) -> Stop:
    """The stop for a reason that a `Poll` returned."""
    return Stop(StopKind.REQUESTED, reason)
