"""Histories of calls on one register, and the results that their orders allow: every order is
tried, without any code of the product.

A history is linearizable if some order of its calls, in which a call that ended before another
began comes before that one, explains the result of every read and the contents of the file at the
end (Wing and Gong, "Testing and verifying concurrent objects", 1993).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, permutations

Before = frozenset[tuple[int, int]]
"""Pairs of calls by number: the first ended before the second began."""


@dataclass(frozen=True, order=True)
class Called:
    """A call of a `kind` (``read``, ``write``, ``punch``, ``refused``) with the value that it
    returned or wrote."""

    kind: str
    value: str


def allowed(calls: tuple[Called, ...], before: Before, initial: str, final: str) -> bool:
    """Whether some order of the calls explains all reads, and the file at the end. A refused write may be left out."""
    refused = [i for i, call in enumerate(calls) if call.kind == "refused"]
    rest = [i for i in range(len(calls)) if i not in refused]
    return any(
        _explains(order, calls, initial, final)
        for number in range(len(refused) + 1)
        for taken in combinations(refused, number)
        for order in permutations([*rest, *taken])
        if not any((later, earlier) in before for earlier, later in combinations(order, 2))
    )


def _explains(order: tuple[int, ...], calls: tuple[Called, ...], initial: str, final: str) -> bool:
    value = initial
    for number in order:
        call = calls[number]
        if call.kind == "read" and call.value != value:
            return False
        if call.kind in ("write", "refused") or (call.kind == "punch" and value != "EOF"):
            value = call.value
    return value == final


def verdict(calls: tuple[Called, ...], before: Before, initial: str, final: str) -> str:
    """``lost``: no order of the writes explains the file at the end; ``stale``: one does, but none
    explains the reads as well; ``ok``."""
    writes = [i for i, call in enumerate(calls) if call.kind != "read"]
    place = {number: position for position, number in enumerate(writes)}
    among = frozenset((place[a], place[b]) for a, b in before if a in place and b in place)
    if not allowed(tuple(calls[i] for i in writes), among, initial, final):
        return "lost"
    return "ok" if allowed(calls, before, initial, final) else "stale"
