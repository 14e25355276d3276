"""Computes a set of views that contains those of all reachable states.

A view consists of the common cells and the states of two threads of kinds. In an instance of any size with at least two
such threads, every reachable state has a view for each pair of threads. So a set of views that contains those of all
initial states and is closed under steps covers all reachable states. A combination of three threads is considered
possible if all of its pairs are views, and each thread of the combination takes its steps (Abdulla, Haziza, Holik, "All
for the price of few", VMCAI 2013). The pairs with the same common cells are stored as a graph, in which each thread
state has a bit set of those that it forms a view with. So all combinations for a step are computed by a few operations
on bit sets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dio_mc.anynumber.states import Common, Lone
from dio_mc.anynumber.steps import Outcome, Steps

Rows = dict[int, int]
"""For each thread state (by number), the bit set of the thread states that it forms a view with."""


@dataclass(slots=True)
class Threads:
    """The thread states that occur in a set of views, numbered in order of appearance."""

    threads: list[Lone] = field(default_factory=list)
    numbers: dict[Lone, int] = field(default_factory=dict)

    def number(self, thread: Lone) -> int:
        """The number of a thread state; a new state gets the next number."""
        found = self.numbers.get(thread)
        if found is None:
            found = self.numbers[thread] = len(self.threads)
            self.threads.append(thread)
        return found


@dataclass(slots=True)
class Views(Threads):
    """A set of views of two threads. `rows` has the graph of pairs for each state of the common cells."""

    rows: dict[Common, Rows] = field(default_factory=dict)

    def join(self, rows: Rows, thread: int, others: int) -> bool:
        """Add the pairs of a thread state with each state in the bit set `others`; returns whether any of them is
        new."""
        known = rows.get(thread, 0)
        fresh = others & ~known
        if not fresh:
            return False
        rows[thread] = known | fresh
        for other in bits(fresh):
            rows[other] = rows.get(other, 0) | 1 << thread
        return True

    def pairs(self) -> Iterator[tuple[Common, Lone, Lone]]:
        """Every view, once."""
        for common, rows in self.rows.items():
            for one, row in rows.items():
                for other in bits(row >> one):
                    yield common, self.threads[one], self.threads[one + other]

    def __len__(self) -> int:
        total = sum(row.bit_count() for rows in self.rows.values() for row in rows.values())
        alike = sum(row >> one & 1 for rows in self.rows.values() for one, row in rows.items())
        return (total + alike) // 2


def bits(mask: int) -> Iterator[int]:
    """The positions of the bits that are set, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


class Stopped(Exception):
    """The computation or the check of views was stopped; the argument is the reason."""


class Search:
    """Computes the views of a program, by saturation from its initial states. `faults` are the names of the faults
    found."""

    def __init__(self, steps: Steps, enough: Callable[[int], str | None]) -> None:
        self.steps = steps
        self.views = Views()
        self.faults: dict[str, None] = {}
        self._enough = enough
        self._deciding = [0] * len(steps.questions)
        self._kinds = [0] * len(steps.places.kinds)
        self._present = [k for k, kind in enumerate(steps.places.kinds) if not kind.optional]
        self._looked_at = 0
        self._waiting: deque[Common] = deque()
        self._queued: set[Common] = set()
        self._done: dict[tuple[Common, int], list[Outcome]] = {}

    def run(self) -> Views:
        """Add views until the set is closed. Raises `Stopped` if the callback `enough` returns a reason."""
        for common, threads in self.steps.starts():
            everybody = sum({1 << self.views.number(thread) for thread in threads})
            rows = self.views.rows.setdefault(common, {})
            for thread in bits(everybody):
                self.views.join(rows, thread, everybody)
            self._enqueue(common)
        while self._waiting:
            common = self._waiting.popleft()
            self._queued.discard(common)
            reason = self._enough(len(self.views.rows))
            if reason is not None:
                raise Stopped(reason)
            self._expand(common)
        self._settle()
        return self.views

    def _enqueue(self, common: Common) -> None:
        if common not in self._queued:
            self._queued.add(common)
            self._waiting.append(common)

    def beside(self, outcome: Outcome, row: int, kind: int | None) -> int:
        """The thread states of the bit set `row` that are possible next to a thread of a kind (None for a fixed thread)
        that takes this step: those that give the required answers to its questions. The result is 0 if the step is
        impossible, because a required answer or a thread of another non-empty kind is missing."""
        self._settle()
        for question in outcome.no:
            row &= ~self._deciding[question]
        answered = all(row & self._deciding[question] for question in outcome.yes)
        somebody = all(row & self._kinds[other] for other in self._present if other != kind)
        return row if answered and somebody else 0

    def _expand(self, common: Common) -> None:
        rows = self.views.rows[common]
        for thread in list(rows):
            for outcome in self._outcomes(common, thread):
                others = self.beside(outcome, rows[thread], self.views.threads[thread].kind)
                if others:
                    self._apply(common, rows, outcome, others)
        everybody = sum(1 << thread for thread in rows)
        for position in self.steps.places.fixed:
            for outcome in self._outcomes(common, -1 - position):
                others = self.beside(outcome, everybody, None)
                if others:
                    self._apply(common, rows, outcome, others)

    def _outcomes(self, common: Common, who: int) -> list[Outcome]:
        """The steps of a thread state (by number), or of the fixed thread at position ``-1 - who`` if `who` is
        negative."""
        found = self._done.get((common, who))
        if found is None:
            if who >= 0:
                found = self.steps.of_thread(common, self.views.threads[who])
            else:
                found = self.steps.of_fixed(common, -1 - who)
            self._done[common, who] = found
        return found

    def _settle(self) -> None:
        """Evaluate the questions on the thread states that were added since the last call."""
        while self._looked_at < len(self.views.threads):
            self.steps.refuse_reused(self.views.threads[self._looked_at])
            for number in range(len(self._deciding)):
                if self.steps.decides(number, self.views.threads[self._looked_at]):
                    self._deciding[number] |= 1 << self._looked_at
            self._kinds[self.views.threads[self._looked_at].kind] |= 1 << self._looked_at
            self._looked_at += 1

    def _apply(self, common: Common, rows: Rows, outcome: Outcome, others: int) -> None:
        if outcome.fault is not None:
            self.faults[outcome.fault] = None
            return
        join, number = self.views.join, self.views.number
        after = self.views.rows.setdefault(outcome.common, {})
        moved = [] if outcome.thread is None else [number(outcome.thread)]
        moved += [number(thread) for thread in outcome.started]
        fresh = False
        if outcome.taken or outcome.common != common:
            if outcome.taken:
                for other in list(bits(others)):
                    beside = self.without(rows[other] & others, outcome.taken)
                    fresh |= join(after, number(released(self.views.threads[other], outcome.taken)), beside)
            else:
                for other in bits(others):
                    fresh |= join(after, other, rows[other] & others)
        seen = self.without(others, outcome.taken) if outcome.taken else others
        for position, thread in enumerate(moved):
            fresh |= join(after, thread, seen)
            for other in moved[:position]:
                fresh |= join(after, thread, 1 << other)
        if fresh:
            self._enqueue(outcome.common)

    def without(self, mask: int, taken: tuple[int, ...]) -> int:
        """The bit set of the thread states of `mask` after the id cells `taken` no longer hold their ids."""
        return sum({1 << self.views.number(released(self.views.threads[n], taken)) for n in bits(mask)})


def released(thread: Lone, taken: tuple[int, ...]) -> Lone:
    """The thread state after the id cells `taken` no longer hold its id."""
    if not any(flag in taken for flag in thread.flags):
        return thread
    return thread._replace(flags=tuple(flag for flag in thread.flags if flag not in taken))
