"""The memory that a search on disk uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dio_mc.memory import RESERVE, available_bytes, resident_bytes

BLOCK: Final = 1 << 15
"""States of a block on disk, about 100 KB of codes; Zstandard saves little more on larger
blocks."""
LEAST: Final = 64 << 20
"""Bytes that a search uses at least: a smaller limit would not help, because the rest of the
process takes more."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of the `table`, bytes of `candidates` in memory, states of a `block` on disk."""

    table: int
    candidates: int
    block: int = BLOCK


def sizes_within(max_memory: int | None) -> Sizes:
    """The sizes for a memory limit in bytes; without one, for half of the memory that is available.

    Half of this is for the table, an eighth for candidates, and another eighth for the scratch
    array that sorts them; a quarter remains for everything else.
    """
    left = available_bytes() - RESERVE
    total = left // 2 if max_memory is None else min(max_memory - resident_bytes(), left)
    total = max(total, LEAST)
    return Sizes(total // 2, total // 8)
