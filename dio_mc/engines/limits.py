"""What ends a search early: the budget's clock and memory, and whoever asked to be polled.

States and depth are counted by the search itself, exactly; time and memory are looked at now and then, so a run that
they cut is not reproducible to the state.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from dio_mc.memory import RESERVE, available_bytes, resident_bytes
from dio_mc.semantics.search import Budget

OUT_OF_MEMORY: Final = "out of memory"
"""Why a search ends that would otherwise take what the machine, or its share of it, has left."""

Stop = Callable[[], str | None]
"""Asked from time to time; a reason in words ends the search."""

LOOKED_AT: Final = 4
"""Memory left is asked for at every so manieth look: that takes longer than the rest."""


def _now() -> float:
    return time.monotonic()


@dataclass(slots=True)
class Limits:
    """The limits of one search; the clock runs from its creation."""

    budget: Budget
    stop: Stop | None = None
    started: float = field(default_factory=_now)
    looks: int = 0

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return _now() - self.started

    def exceeded(self) -> str | None:
        """Why the search has to end now, in words, or None."""
        if self.stop is not None and (reason := self.stop()) is not None:
            return reason
        timeout, max_memory = self.budget.timeout, self.budget.max_memory
        if timeout is not None and self.seconds >= timeout:
            return f"--timeout {timeout:g}"
        if max_memory is not None and resident_bytes() >= max_memory:
            return f"--max-memory {show_bytes(max_memory)}"
        self.looks += 1
        if self.looks % LOOKED_AT == 1 and available_bytes() < RESERVE:
            return OUT_OF_MEMORY
        return None


def show_bytes(size: int) -> str:
    """A number of bytes as the command line takes it: ``2G``, ``512M``, ``1000``."""
    for shift, letter in ((30, "G"), (20, "M"), (10, "K")):
        if size and size % (1 << shift) == 0:
            return f"{size >> shift}{letter}"
    return str(size)
