"""The clock of a search, and the moment more that what comes after it may take."""

from __future__ import annotations

import time
from typing import Final, Protocol

from dio_mc.semantics.search import Budget
from dio_mc.semantics.stop import Stop, StopKind

MOMENT: Final = 1.0
"""Seconds that the way back to a violation may take, once a limit has ended the search,"""
SHARE: Final = 0.1
"""and this part of the time of the search, if the limit was not a signal."""


class Clock(Protocol):
    """What ends a search early."""

    budget: Budget

    @property
    def seconds(self) -> float:
        """Since the start."""
        ...

    def exceeded(self) -> Stop | None:
        """The reason to stop, or None."""
        ...


class Moment:
    """The clock of what comes after a search: it has what the search has left, and a moment more."""

    budget = Budget()

    def __init__(self, clock: Clock) -> None:
        self._clock, self._started = clock, time.monotonic()
        self._allowed = MOMENT + SHARE * clock.seconds

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    def pressed(self) -> Stop | None:
        """A limit of the search, once half of the moment has passed."""
        return None if self.seconds < MOMENT / 2 else self._clock.exceeded()

    def exceeded(self) -> Stop | None:
        """As the search's, but for the moment."""
        if self.seconds < MOMENT:
            return None
        stop = self._clock.exceeded()
        is_signal = stop is not None and stop.kind is StopKind.REQUESTED
        return stop if is_signal or self.seconds >= self._allowed else None
