"""What ends a search early: the budget's clock and memory, and whoever asked to be polled.

States and depth are counted by the search itself, exactly; time and memory are looked at now and then, so a run that
they cut is not reproducible to the state.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Final

from dio_mc.memory import RESERVE, available_bytes, resident_bytes
from dio_mc.semantics.search import Budget
from dio_mc.semantics.stop import OUT_OF_MEMORY, Poll, Stop, StopKind, requested

LOOKED_AT: Final = 4
"""Available memory is read at every n-th look only, because that takes longer than the other checks."""


def _now() -> float:
    return time.monotonic()


@dataclass(slots=True)
class Limits:
    """The limits of one search; the clock runs from its creation."""

    budget: Budget
    stop: Poll | None = None
    started: float = field(default_factory=_now)
    looks: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return _now() - self.started

    def exceeded(self) -> Stop | None:
        """Why the search has to end now, or None. A `Guard` may ask while the search does."""
        with self._lock:
            return self._exceeded()

    def _exceeded(self) -> Stop | None:
        if self.stop is not None and (reason := self.stop()) is not None:
            return requested(reason)
        timeout, max_memory = self.budget.timeout, self.budget.max_memory
        if timeout is not None and self.seconds >= timeout:
            return Stop(StopKind.TIMEOUT, timeout)
        if max_memory is not None and resident_bytes() >= max_memory:
            return Stop(StopKind.MAX_MEMORY, max_memory)
        self.looks += 1
        if self.looks % LOOKED_AT == 1 and available_bytes() < RESERVE:
            return OUT_OF_MEMORY
        return None
