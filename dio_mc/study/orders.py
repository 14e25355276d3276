"""The results that the orders of a few calls allow: for runs of a real kernel, which no model
observes.

The calls and their results are known, and which of them had ended when another began; every order
is tried. A run of a model is judged while it runs (`dio_mc.kernel.register`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import combinations, permutations

from dio_mc.kernel.register import VALUES
from dio_mc.kernel.words import Data

JUDGED_VALUES = frozenset(value.name for value in VALUES)
"""The names of the values that a page can have."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that returned `value`, or wrote it. A refused write may have taken effect or not.
    `after`: the numbers of the calls that had ended when it began."""

    value: str
    writes: bool
    refused: bool = False
    after: frozenset[int] = frozenset()


def broken(calls: tuple[Call, ...], initial: str, media: str) -> tuple[str, ...]:
    """The properties of the families that these calls violate, if the disk has `media` at the
    end."""
    writes = [n for n, call in enumerate(calls) if call.writes]
    if media in JUDGED_VALUES and not _explained(calls, writes, initial, media):
        return ("no_lost_write",)
    reads = [n for n, call in enumerate(calls) if not call.writes]
    if any(not _explained(calls, [*writes, n], initial, None) for n in reads):
        return ("read_after_ack",)
    final = media if media in JUDGED_VALUES else None
    return () if _explained(calls, range(len(calls)), initial, final) else ("monotonic_read",)


def _explained(calls: tuple[Call, ...], chosen: Collection[int], initial: str, final: str | None) -> bool:
    """Whether some order of the chosen calls explains the results of the reads, and leaves
    `final`."""
    certain = [n for n in chosen if not calls[n].refused]
    maybe = [n for n in chosen if calls[n].refused]
    taken = (subset for size in range(len(maybe) + 1) for subset in combinations(maybe, size))
    return any(_runs(calls, order, initial, final) for subset in taken for order in permutations([*certain, *subset]))


def _runs(calls: tuple[Call, ...], order: Iterable[int], initial: str, final: str | None) -> bool:
    value, done = initial, set[int]()
    listed = set(order := tuple(order))
    for number in order:
        call = calls[number]
        if (call.after & listed) - done or (not call.writes and call.value != value):
            return False
        done.add(number)
        if call.writes and not (call.value == Data.ZERO.name and value == Data.EOF.name):
            value = call.value
    return final is None or value == final
