"""What the compiled search reads and writes: one array of 64-bit numbers per worker, by name."""

from __future__ import annotations

from typing import Final

NAMES: Final = (
    "table", "slots", "limit", "count", "most",
    "states", "end", "source", "next", "stop", "transitions",
    "news", "news_length", "news_most", "watched",
    "flags", "seen", "out", "ring", "ring_mask", "lag",
    "max_states", "full", "overflow", "overflow_most", "overflow_length",
    "workers", "chunks", "part", "parts_left",
    "found", "found_length", "goal", "survey", "reduced", "ordered", "ends",
    "recent", "rests",
)  # fmt: skip
"""``table`` of ``slots`` home places (``limit`` with those after the last) belongs to all ``workers``. ``count``
states in it are this worker's, at ``most`` so many before the table must grow; ``states`` has them in the order of
discovery, the last before ``end``. States to expand: from ``next`` up to ``stop`` of the array ``source``; ``chunks``,
``part`` and ``parts_left`` say which are next (`chunks`). ``news`` are states (edges) with a valuation not seen before,
``watched`` the tables of valuations. ``ring`` holds successors whose place is being fetched, at most ``lag`` long.
``overflow`` holds states that are set aside while the table grows. ``found``: records of ``examine`` and ``rest``;
``rests``: what stands beside the states in the table of a level's records (`back`).
``reduced``: whether states are exchanged for their representatives; ``ordered``: whether steps are selected by partial
order; ``ends``: where those of each thread end. ``recent``: states that were found lately
(`recent_states`)."""

INDEX: Final = {name: number for number, name in enumerate(NAMES)}
SIZE: Final = len(NAMES)

RECENT: Final = 1 << 18
"""Bytes of ``recent``: they should stay in the second level of a core's caches."""

SLACK: Final = 1 << 12
"""Places after the last home place."""
DONE, GROW, NEWS, FULL, HALTED, LOST = range(6)
"""Why ``expand`` came back: nothing is left; the table must grow; news must be taken; `max_states`; another worker did;
the table has no place left (its hash is worse than anybody thought)."""


def recent_states(words: int) -> int:
    """How many states ``recent`` holds: a power of two."""
    return 1 << (RECENT // (8 * words)).bit_length() - 1
