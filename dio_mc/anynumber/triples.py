"""Views of three threads, for programs where views of two are too coarse.

This works like `views` and `closure`, with one thread more in a view: a thread takes a step together with any three
others all of whose triples are views. Views of three can express what views of two cannot, for example that at most two
threads hold a permit. They are tried if views of two raise an alarm that no instance reproduces.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import Final

from dio_mc.anynumber.closure import Checked, Checking, breaks
from dio_mc.anynumber.demands import Demand
from dio_mc.anynumber.states import Common, Lone
from dio_mc.anynumber.steps import Outcome, Steps
from dio_mc.anynumber.views import Stopped, Threads, bits, released

MOST: Final = 200_000
"""The number of views of three threads at which the search stops."""

Links = dict[tuple[int, int], int]
"""For each ordered pair of thread states (by number), the bit set of the states that complete it to a view."""


@dataclass(slots=True)
class Triples(Threads):
    """A set of views of three threads. `links` has, for each state of the common cells, the triples in all six
    orders."""

    links: dict[Common, Links] = field(default_factory=dict)

    def join(self, links: Links, one: int, other: int, third: int) -> bool:
        """Add the view of these three thread states; returns whether it is new."""
        if links.get((one, other), 0) >> third & 1:
            return False
        for a, b, c in ((one, other, third), (one, third, other), (other, third, one)):
            links[a, b] = links.get((a, b), 0) | 1 << c
            links[b, a] = links.get((b, a), 0) | 1 << c
        return True

    def all(self) -> Iterator[tuple[Common, int, int, int]]:
        """Every view, once, with the numbers of its thread states in ascending order."""
        for common, links in self.links.items():
            for (one, other), mask in links.items():
                if one <= other:
                    yield from ((common, one, other, other + n) for n in bits(mask >> other))

    def __len__(self) -> int:
        return sum(1 for _ in self.all())


class _Beside:
    """Determines which thread states are possible next to a thread that takes a step."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._deciding = [0] * len(steps.questions)
        self._kinds = [0] * len(steps.places.kinds)
        self._present = [k for k, kind in enumerate(steps.places.kinds) if not kind.optional]
        self._known = 0

    def look_at(self, threads: Sequence[Lone]) -> None:
        """Evaluate the questions on the thread states that were added since the last call. Raises `Refused` as
        `States.refuse_reused`."""
        for number in range(self._known, len(threads)):
            self._steps.refuse_reused(threads[number])
            for question in range(len(self._deciding)):
                if self._steps.decides(question, threads[number]):
                    self._deciding[question] |= 1 << number
            self._kinds[threads[number].kind] |= 1 << number
        self._known = len(threads)

    def has_every_kind(self, mask: int, threads: Sequence[Lone]) -> bool:
        """Return whether every non-empty kind has a thread among `threads` or in the bit set `mask`."""
        known = {thread.kind for thread in threads}
        return all(mask & self._kinds[kind] for kind in self._present if kind not in known)

    def pairs(self, rows: dict[int, int], outcome: Outcome, kind: int | None) -> Iterator[tuple[int, int]]:
        """The pairs of thread states that are possible next to a thread of a kind (None for a fixed thread) that takes
        this step. `rows` has, for each state that is in a view with the thread, the bit set of the states that complete
        the view."""
        everybody = sum(1 << n for n in rows)
        if not all(everybody & self._kinds[other] for other in self._present if other != kind):
            return
        if not all(everybody & self._deciding[question] for question in outcome.yes):
            return
        left = everybody
        for question in outcome.no:
            left &= ~self._deciding[question]
        for one in bits(left):
            for other in bits(rows[one] & left & ~((1 << one) - 1)):
                together = rows[one] & rows[other] | 1 << one | 1 << other
                if all(together & self._deciding[question] for question in outcome.yes):
                    yield one, other


def _rows(links: Links, one: int | None) -> dict[int, int]:
    """For each thread state that is in a view with `one`, the bit set of the states that complete the view. If `one` is
    None, for each thread state the bit set of the states that it is in a view with."""
    rows: dict[int, int] = {}
    for (first, second), mask in links.items():
        if one is None:
            rows[first] = rows.get(first, 0) | 1 << second
        elif first == one and mask:
            rows[second] = mask
    return rows


class Search3:
    """Computes the views of three threads of a program, by saturation from its initial states."""

    def __init__(self, steps: Steps, enough: Callable[[int], str | None]) -> None:
        self.steps, self.views = steps, Triples()
        self._enough = enough
        self._beside = _Beside(steps)
        self._waiting: deque[Common] = deque()
        self._queued: set[Common] = set()
        self._number = 0

    def run(self) -> Triples:
        """Add views until the set is closed. Raises `views.Stopped` if `enough` returns a reason or there are more than
        `MOST` views."""
        for common, threads in self.steps.starts():
            links = self.views.links.setdefault(common, {})
            numbers = [self.views.number(thread) for thread in threads]
            for three in combinations_with_replacement(numbers, 3):
                self.views.join(links, *three)
            self._enqueue(common)
        while self._waiting:
            common = self._waiting.popleft()
            self._queued.discard(common)
            reason = self._enough(len(self.views.links)) or (f"{MOST:,} views" if self._number > MOST else None)
            if reason is not None:
                raise Stopped(reason)
            self._expand(common)
        return self.views

    def _enqueue(self, common: Common) -> None:
        if common not in self._queued:
            self._queued.add(common)
            self._waiting.append(common)

    def _expand(self, common: Common) -> None:
        links = self.views.links[common]
        for thread in sorted({one for one, _ in links}):
            lone = self.views.threads[thread]
            for outcome in self.steps.of_thread(common, lone):
                self._apply(common, _rows(links, thread), outcome, lone.kind)
        for position in self.steps.places.fixed:
            for outcome in self.steps.of_fixed(common, position):
                self._apply(common, _rows(links, None), outcome, None)

    def _apply(self, common: Common, rows: dict[int, int], outcome: Outcome, kind: int | None) -> None:
        if outcome.fault is not None:
            return
        self._beside.look_at(self.views.threads)
        links = self.views.links[common]
        pairs = list(self._beside.pairs(rows, outcome, kind))
        after = self.views.links.setdefault(outcome.common, {})
        fresh = False
        for three in successors(links, pairs, outcome, moved=bool(outcome.taken) or outcome.common != common):
            numbers = [self.views.number(_named(self.views.threads, one, outcome)) for one in three]
            if self.views.join(after, *numbers):
                fresh, self._number = True, self._number + 1
        if fresh:
            self._enqueue(outcome.common)


def _named(threads: Sequence[Lone], one: int | Lone, outcome: Outcome) -> Lone:
    return released(threads[one], outcome.taken) if isinstance(one, int) else one


def successors(
    links: Links, pairs: Sequence[tuple[int, int]], outcome: Outcome, *, moved: bool
) -> Iterator[tuple[int | Lone, int | Lone, int | Lone]]:
    """The triples after a step next to any of these pairs; threads that did not step are given by their numbers. They
    are: the thread that stepped, or one that was started, with each pair; the triples with several of these threads;
    and, if `moved` is true because the common cells or the ids changed, the triples of threads that did not step."""
    after = [*([] if outcome.thread is None else [outcome.thread]), *outcome.started]
    beside: dict[int, int] = {}
    for one, other in pairs:
        beside[one] = beside.get(one, 0) | 1 << other
        beside[other] = beside.get(other, 0) | 1 << one
        for thread in after:
            yield thread, one, other
        for position, thread in enumerate(after):
            for second in after[:position]:
                yield from ((thread, second, one), (thread, second, other))
    for position, thread in enumerate(after):
        for n, second in enumerate(after[:position]):
            yield from ((thread, second, third) for third in after[:n])
    if not moved:
        return
    for one, other in pairs:
        for third in bits(links.get((one, other), 0) & beside[one] & beside[other]):
            if third >= other:
                yield one, other, third


class Check3(Checking):
    """The check of a set of views of three threads, like `closure.Check`: every step is run by the reference
    interpreter, without a cache."""

    def __init__(
        self, steps: Steps, views: Triples, demands: Sequence[Demand], enough: Callable[[int], str | None]
    ) -> None:
        super().__init__(steps, demands, enough)
        self.views = views
        self._beside = _Beside(steps)

    def run(self) -> Checked:
        """Run the check. Raises `views.Stopped` if `enough` returns a reason."""
        self._beside.look_at(self.views.threads)
        self._note_initial_faults()
        for common, threads in self.steps.starts():
            if not all(self._has(common, three) for three in combinations_with_replacement(threads, 3)):
                self._gap("a view of an initial state is missing")
        for number, (common, links) in enumerate(self.views.links.items()):
            reason = self._enough(number)
            if reason is not None:
                raise Stopped(reason)
            self._judge(common, links)
            for thread in sorted({one for one, _ in links}):
                lone, rows = self.views.threads[thread], _rows(links, thread)
                for outcome in self.steps.of_thread(common, lone):
                    self._step(common, rows, lone, outcome)
            for position in self.steps.places.fixed:
                for outcome in self.steps.of_fixed(common, position):
                    self._step(common, _rows(links, None), None, outcome)
        self.found.views = len(self.views)
        return self.found

    def _has(self, common: Common, three: Sequence[Lone]) -> bool:
        one, other, third = (self.views.numbers.get(thread, -1) for thread in three)
        links = self.views.links.get(common, {})
        orders = ((one, other, third), (one, third, other), (other, third, one))
        return min(one, other, third) >= 0 and all(
            links.get((a, b), 0) >> c & 1 and links.get((b, a), 0) >> c & 1 for a, b, c in orders
        )

    def _step(self, common: Common, rows: dict[int, int], mover: Lone | None, outcome: Outcome) -> None:
        pairs = list(self._beside.pairs(rows, outcome, None if mover is None else mover.kind))
        if not pairs:
            return
        self.found.steps += 1
        if outcome.fault is not None:
            self.found.faults[outcome.fault] = None
            return
        threads, links = self.views.threads, self.views.links[common]
        moved = bool(outcome.taken) or outcome.common != common
        for three in successors(links, pairs, outcome, moved=moved):
            if not self._has(outcome.common, [_named(threads, one, outcome) for one in three]):
                self._gap("a view of three threads after a step is missing")
        others = sorted({n for pair in pairs for n in pair})
        beside = [(threads[n], released(threads[n], outcome.taken)) for n in others]
        for demand in self._moves:
            if demand.property.name in self.found.violated:
                continue
            if breaks(self.steps, demand, common, mover, outcome, beside):
                self.found.violated[demand.property.name] = None

    def _judge(self, common: Common, links: Links) -> None:
        owners, threads = self._owners(common), self.views.threads
        for demand in self._states:
            if demand.property.name in self.found.violated:
                continue
            for (one, other), mask in links.items():
                if one > other or not mask:
                    continue
                pair = threads[one], threads[other]
                if not self._beside.has_every_kind(mask, pair):
                    continue
                if demand.is_judged_on(owners, *pair) and not demand.on_state(common, *pair):
                    self.found.violated[demand.property.name] = None
                    break
