"""The clock of a search, and the grace period of the work that follows it."""

from __future__ import annotations

import time
from typing import Final, Protocol

from dio_mc.semantics.search import Budget
from dio_mc.semantics.stop import Stop, StopKind

MOMENT: Final = 1.0
"""Seconds that the backward pass to a violation may take after a limit has ended the search."""
SHARE: Final = 0.1
"""The fraction of the search time that is granted in addition, unless the search was asked to
stop."""


class Clock(Protocol):
    """The interface of `limits.Limits` that searches use."""

    budget: Budget

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        ...

    def exceeded(self) -> Stop | None:
        """The reason to stop, or None."""
        ...


class Moment:
    """The clock of the work that follows a search: it has the rest of the search's limits, and a
    grace period beyond them.

    The period is `MOMENT` seconds and `SHARE` of the search time; a request to stop is obeyed after
    `MOMENT`.
    """

    budget = Budget()

    def __init__(self, clock: Clock) -> None:
        self._clock, self._started = clock, time.monotonic()
        self._allowed = MOMENT + SHARE * clock.seconds

    @property
    def seconds(self) -> float:
        """Seconds since the search ended."""
        return time.monotonic() - self._started

    def pressed(self) -> Stop | None:
        """A limit that the search has reached, once half of `MOMENT` has passed: the work should be
        shortened."""
        return None if self.seconds < MOMENT / 2 else self._clock.exceeded()

    def exceeded(self) -> Stop | None:
        """The reason to stop, or None as long as the grace period lasts."""
        if self.seconds < MOMENT:
            return None
        stop = self._clock.exceeded()
        is_signal = stop is not None and stop.kind is StopKind.REQUESTED
        return stop if is_signal or self.seconds >= self._allowed else None
