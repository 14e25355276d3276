"""What the compiled search reads and writes: one array of 64-bit numbers per worker, by name."""

from __future__ import annotations

from typing import Final

NAMES: Final = (
    "table", "slots", "limit", "count", "most",
    "states", "next", "stop", "end", "transitions",
    "news", "news_length", "news_most", "watched",
    "flags", "seen", "out", "ring", "ring_mask", "lag",
    "max_states", "full", "spill", "spill_most",
    "me", "workers", "boxes", "boxed", "boxes_most",
    "found", "found_length", "goal", "survey", "reduced",
    "recent", "owners",
)  # fmt: skip
"""``table`` of ``slots`` home places (``limit`` with those behind the last) holds ``count`` states, ``most`` before it
must grow; ``states`` in the order of discovery: ``next`` to expand, up to ``stop``, the last before ``end``. ``news``
are states (edges) with a valuation not seen before, ``watched`` the tables of valuations. ``ring`` holds successors
whose place is being fetched, at most ``lag`` long. ``boxes``: per worker address and length of what goes to it,
``boxed`` in all. ``found``: results of ``examine`` and ``prune``. ``reduced``: whether states are exchanged for their
representatives. ``recent``: states that were found lately (`recent_states`).
``owners``: two bytes per part, the worker that has its states (`division`)."""

INDEX: Final = {name: number for number, name in enumerate(NAMES)}
SIZE: Final = len(NAMES)

RECENT: Final = 1 << 18
"""Bytes of ``recent``: they should stay in the second level of a core's caches."""

SLACK: Final = 1 << 12
"""Places behind the last home place."""
DONE, GROW, NEWS, FULL, BOXES, LOST = range(6)
"""Why ``expand`` came back: at its end; the table must grow; news must be taken; `max_states`; a box is full; the table
has no place left (its hash is worse than anybody thought)."""


def recent_states(words: int) -> int:
    """How many states ``recent`` holds: a power of two."""
    return 1 << (RECENT // (8 * words)).bit_length() - 1
