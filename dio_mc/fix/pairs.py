"""The pairs of edits that are worth trying: one that came near a fix, and one that may repair what
it leaves violated.

An edit that is a fix alone is in no pair. Some edits are useless alone, such as a new mutex in one
of two functions; those pairs come last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import Final

from dio_mc.fix.edit import Edit
from dio_mc.fix.found import Tried
from dio_mc.fix.screen import UNREACHED

COMPLEMENTS: Final[Mapping[str, frozenset[str]]] = {
    "constant": frozenset({"store", "call", "constant"}),
    "store": frozenset({"store", "call", "wait"}),
    "call": frozenset({"call", "store", "wait"}),
    "wait": frozenset({"wait", "call", "move"}),
    "section": frozenset({"section", "wait", "call"}),
    "move": frozenset({"move", "wait", "call"}),
    "relook": frozenset(),
}
"""The kinds of edits that may complete an edit of each kind."""
STORING: Final = frozenset({"store", "call", "constant"})
"""The kinds that may store something."""
PROMISING: Final = 40
"""The number of edits that are completed by others."""


def pairs_of(
    edits: Sequence[Edit], tried: Sequence[Tried], goals: frozenset[str], before: Mapping[str, int], most: int
) -> list[tuple[int, int]]:
    """Up to `most` pairs, the most promising first. `tried` are the single edits, by number;
    `before` are the lengths of the counterexamples of the goals without an edit."""
    alive = [t.parts[0] for t in tried if t.fate in ("open", "undecided")]
    ranked = sorted((t for t in tried if t.fate == "open" and _is_near(t, goals, before)), key=lambda t: _key(t, goals))
    offers = [_completions(near, edits, alive, goals) for near in ranked[:PROMISING]]
    turns = (pair for turn in zip_longest(*offers) for pair in turn if pair is not None)
    return list(islice(dict.fromkeys((*turns, *_shared_locks(edits, alive))), most))


def _completions(
    near: Tried, edits: Sequence[Edit], alive: Sequence[int], goals: frozenset[str]
) -> list[tuple[int, int]]:
    """An edit that came near with each edit that may complete it, the likelier ones first. The
    edits that came near take turns, so that none of them has all the pairs."""
    one = near.parts[0]
    found = [
        other
        for other in alive
        if other != one and _relieves(near, edits[other].kind, goals) and _completes(edits[one], edits[other])
    ]
    found.sort(key=lambda other: _distance(edits[one], edits[other]))
    return [pair for other in found for pair in _orders(edits, one, other)]


def _distance(one: Edit, other: Edit) -> tuple[bool, bool, bool]:
    """How little two edits have in common: stores to the same variables are closest, then edits of
    the same function."""
    apart = bool(one.about) and not set(one.about) & set(other.about)
    return apart, bool(one.about) and other.kind == "call", one.function != other.function


def _orders(edits: Sequence[Edit], one: int, other: int) -> list[tuple[int, int]]:
    """The pair; in both orders if the two are at the same place, since the second is applied to the
    result of the first."""
    first, second = min(one, other), max(one, other)
    places = {id(node) for changes in edits[first].changes.values() for node in changes}
    same = any(id(node) in places for changes in edits[second].changes.values() for node in changes)
    return [(first, second), (second, first)] if same else [(first, second)]


def _is_near(tried: Tried, goals: frozenset[str], before: Mapping[str, int]) -> bool:
    """Whether a goal holds with the parameters given, or takes longer to violate."""
    left = {o.property: o.steps for o in tried.open if o.property in goals and not o.params}
    return len(left) < len(goals) or any(steps > before.get(name, UNREACHED) for name, steps in left.items())


def _key(tried: Tried, goals: frozenset[str]) -> tuple[int, int, int, int]:
    """The order of edits that came near: few open goals, few other violations, long schedules, many
    states."""
    left = [o for o in tried.open if o.property in goals and not o.params]
    return len(left), len(tried.open) - len(left), -min((o.steps for o in left), default=0), -tried.states


def _relieves(near: Tried, kind: str, goals: frozenset[str]) -> bool:
    """Whether an edit of a kind may repair what another has broken: an edit that waits for more
    does not end a deadlock, and an edit that only restricts does not make a state reachable
    again."""
    broken = [o for o in near.open if o.property not in goals]
    return all(
        kind == "move"
        or (o.steps == UNREACHED and o.property != "deadlock" and kind in STORING)
        or (o.steps != UNREACHED and o.property not in ("deadlock", "lock_misuse"))
        for o in broken
    )


def _completes(one: Edit, other: Edit) -> bool:
    if other.kind not in COMPLEMENTS[one.kind]:
        return False
    if other.kind == "section":
        return one.lock == other.lock and one.function != other.function
    if other.kind in ("store", "constant") and one.kind in ("store", "constant"):
        return bool(set(one.about) & set(other.about)) and one.kind != other.kind
    return one.kind in ("constant", "store") or one.function == other.function or other.kind == "call"


def _shared_locks(edits: Sequence[Edit], alive: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Sections of the same lock in two functions, the smallest first."""
    sections = [number for number in alive if edits[number].kind == "section"]
    found = [
        (one, other)
        for place, one in enumerate(sections)
        for other in sections[place + 1 :]
        if edits[one].lock == edits[other].lock and edits[one].function != edits[other].function
    ]
    yield from sorted(found, key=lambda pair: (edits[pair[0]].size + edits[pair[1]].size, pair))
