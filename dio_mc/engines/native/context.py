"""The context of a worker: an array of 64-bit fields, accessed by name from Python and from machine
code."""

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
    "parts", "own", "boxes", "box_counts", "box_states", "fullest", "box_most",
)  # fmt: skip
"""The fields, in order:

- ``table`` is the address of the table, shared by all ``workers``. It has ``slots`` home slots, and
  ``limit`` slots including those after the last home slot.
- ``count`` is the number of states in the table that this worker inserted. ``expand`` returns
  `GROW` when it reaches ``most``, and `FULL` when one more would exceed ``max_states``.
- ``states`` is the array of these states in the order of discovery, ``end`` its length.
- ``source`` is an array of states to expand, of which those from ``next`` up to ``stop`` are left.
  ``chunks``, ``part`` and ``parts_left`` determine where the next chunk comes from (`chunks`).
- ``transitions`` counts the successors found. ``full`` is the reason why no state can be inserted
  any more, or 0.
- ``news`` has ``news_length`` states or edges with new valuations; ``expand`` returns `NEWS` at
  ``news_most``. ``watched`` are the tables of valuations.
- ``flags`` has a byte per deadlock, fault and monitor, ``seen`` two bytes per place: whether a step
  has fired, and whether it was blocked.
- ``out`` receives the successors of one state, ``ends`` the index after the last successor of each
  thread.
- ``ring`` is a ring buffer (``ring_mask``) of successors whose slots are being prefetched. Down to
  ``lag`` of them remain in it.
- ``overflow`` has the ``overflow_length`` states (at most ``overflow_most``) that are set aside
  while the table grows.
- ``found`` receives the ``found_length`` records of ``examine`` and ``rest``; ``goal`` is the flag
  that ``examine`` looks for; ``rests`` are the continuations in a table of records (`back`).
- ``survey`` is the byte map of `survey`.
- ``reduced``: whether states are replaced by their representatives; ``ordered``: whether only the
  steps of persistent sets are taken.
- ``recent`` is a small cache of states found recently (`recent_states`).
- ``parts`` is the number of processes among which the states are divided, ``own`` the number of
  this one. ``boxes`` has an array of ``box_states`` for each, with ``box_counts`` states that belong
  there; ``fullest`` is the largest count. ``expand`` returns `SENT` at ``box_most`` (`boxes`).
"""

INDEX: Final = {name: number for number, name in enumerate(NAMES)}
"""The position of each field."""
SIZE: Final = len(NAMES)
"""The number of fields."""

RECENT: Final = 1 << 18
"""The size of ``recent`` in bytes: it should fit in a core's second-level cache."""

SLACK: Final = 1 << 12
"""The number of slots after the last home slot, for states that probing moves beyond it."""
DONE, GROW, NEWS, FULL, HALTED, LOST, SENT = range(7)
"""Why ``expand`` returned: all states are expanded; the table must grow; new valuations must be
taken; `max_states` is reached; another worker returned early; probing reached the end of the table,
because far more states than expected have nearby home slots; a box is full."""
ENDED: Final = (DONE, SENT)
"""The reasons after which a worker is not called again at once: its states are expanded, or the
boxes must be emptied first."""


def recent_states(words: int) -> int:
    """The number of states that ``recent`` holds, a power of two."""
    return 1 << (RECENT // (8 * words)).bit_length() - 1
