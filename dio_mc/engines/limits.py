"""The limits that end a search early: the budget's time and memory, and a caller's stop request.

The search counts states and depth itself, exactly. Time and memory are only sampled, so a search
that they end is not reproducible to the state.
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
"""Available memory is read only on every n-th check, because reading it takes longer than the rest
of a check."""


def _now() -> float:
    return time.monotonic()


@dataclass(slots=True)
class Limits:
    """The limits of one search. The clock starts when the object is created.

    `stop` is polled: it returns the reason to stop as text, or None. The object may be polled from
    several threads.
    """

    budget: Budget
    stop: Poll | None = None
    started: float = field(default_factory=_now)
    looks: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    @property
    def seconds(self) -> float:
        """Wall-clock seconds since the start."""
        return _now() - self.started

    def exceeded(self) -> Stop | None:
        """The reason to end the search now, or None.

        A `Guard` may poll from its own thread while the search polls as well, hence the lock.
        """
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
        if self.looks % LOOKED_AT == 0 and available_bytes() < RESERVE:
            return OUT_OF_MEMORY
        return None
