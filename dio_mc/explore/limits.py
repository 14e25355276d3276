"""What ends a search early: the budget's clock and memory, and whoever asked to be polled.

States and depth are counted by the search itself, exactly; time and memory are looked at now and then, so a run that
they cut is not reproducible to the state.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dio_mc.semantics.contract import Budget

Stop = Callable[[], str | None]
"""Asked from time to time; a reason in words ends the search."""

_STATM: Final = Path("/proc/self/statm")


def _now() -> float:
    return time.monotonic()


@dataclass(slots=True)
class Limits:
    """The limits of one search; the clock runs from its creation."""

    budget: Budget
    stop: Stop | None = None
    started: float = field(default_factory=_now)

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
        return None


def show_bytes(size: int) -> str:
    """A number of bytes as the command line takes it: ``2G``, ``512M``, ``1000``."""
    for shift, letter in ((30, "G"), (20, "M"), (10, "K")):
        if size and size % (1 << shift) == 0:
            return f"{size >> shift}{letter}"
    return str(size)


def resident_bytes() -> int:
    """Bytes of this process in memory now; where the system does not tell, the most there ever were (0: unknown)."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return _peak_bytes()


def _peak_bytes() -> int:
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
