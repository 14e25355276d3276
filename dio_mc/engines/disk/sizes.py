"""How much memory a search on disk takes, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dio_mc.memory import RESERVE, available_bytes, resident_bytes

BLOCK: Final = 1 << 15
"""States of a block: some 100 KB of codes; Zstandard saves little more on larger ones."""
LEAST: Final = 64 << 20
"""Bytes below which nothing is saved: the rest of the process takes more."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of the `table`, bytes of `candidates` that are kept in memory, states of a `block` on disk."""

    table: int
    candidates: int
    block: int = BLOCK


def sizes_within(max_memory: int | None) -> Sizes:
    """What a search may take within a limit, or without one half of what the machine has left. Of this one half is the
    table's; candidates have an eighth, and what sorts them as much; a quarter is left for what is not counted here."""
    left = available_bytes() - RESERVE
    total = left // 2 if max_memory is None else min(max_memory - resident_bytes(), left)
    total = max(total, LEAST)
    return Sizes(total // 2, total // 8)
