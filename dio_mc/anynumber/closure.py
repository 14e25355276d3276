"""Checks that a set of views is an inductive invariant: that it contains the views of all initial states and is closed
under steps; and evaluates faults and properties on it.

The check does not rely on how the views were found. For every thread of every view it runs every step with the
reference interpreter, without a cache, and looks up the views of the state after the step: those of the thread that
stepped with each thread that was in a view with it, and those of any two such threads that form a view with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement

from dio_mc.anynumber.demands import Demand
from dio_mc.anynumber.states import Common, Lone
from dio_mc.anynumber.steps import Outcome, Steps
from dio_mc.anynumber.views import Stopped, Views, bits, released
from dio_mc.semantics.step import fault_name


@dataclass(slots=True)
class Checked:
    """The result of a check. `gaps` describes steps or initial states that lead outside the set of views, at most five
    of them. If there are none, then all faults except those in `faults`, and all properties except those in `violated`,
    are proved for any number of threads. `views` and `steps` are the numbers of views and of steps that were
    checked."""

    gaps: list[str] = field(default_factory=list)
    faults: dict[str, None] = field(default_factory=dict)
    violated: dict[str, None] = field(default_factory=dict)
    views: int = 0
    steps: int = 0


class Checking:
    """The common part of the checks of views of two and of three threads: the properties to evaluate, and the
    result."""

    def __init__(self, steps: Steps, demands: Sequence[Demand], enough: Callable[[int], str | None]) -> None:
        self.steps = steps
        self.found = Checked()
        self._states = [d for d in demands if d.property.kind == "invariant"]
        self._moves = [d for d in demands if d.property.kind == "step"]
        self._enough = enough
        self._ids = tuple(n for n, cell in enumerate(steps.cells.common) if cell in steps.cells.ids)

    def _gap(self, text: str) -> None:
        if len(self.found.gaps) < 5:
            self.found.gaps.append(text)

    def _note_initial_faults(self) -> None:
        file = self.steps.places.program.file
        for _, fault in self.steps.interpreter.initial_faults:
            self.found.faults[fault_name(fault.kind, fault.span, file)] = None

    def _owners(self, common: Common) -> frozenset[int]:
        """The id cells that hold the id of a thread of a kind, in a state of the common cells."""
        kind_of = self.steps.places.kind_of
        return frozenset(self.steps.cells.common[n] for n in self._ids if common[n] in kind_of)


class Check(Checking):
    """The check of a set of views of two threads. `enough` receives the number of states of the common cells checked so
    far and returns a reason to stop, or None."""

    def __init__(
        self,
        steps: Steps,
        views: Views,
        demands: Sequence[Demand],
        enough: Callable[[int], str | None],
    ) -> None:
        super().__init__(steps, demands, enough)
        self.views = views
        self._deciding = [
            sum(1 << n for n, thread in enumerate(views.threads) if steps.decides(question, thread))
            for question in steps.questions
        ]
        self._kinds = [
            sum(1 << n for n, thread in enumerate(views.threads) if thread.kind == kind)
            for kind in range(len(steps.places.kinds))
        ]
        self._present = [k for k, kind in enumerate(steps.places.kinds) if not kind.optional]

    def run(self) -> Checked:
        """Run the check. Raises `Stopped` if `enough` returns a reason, and `Refused` as `States.refuse_reused`."""
        for thread in self.views.threads:
            self.steps.refuse_reused(thread)
        self._starts()
        for number, (common, rows) in enumerate(self.views.rows.items()):
            reason = self._enough(number)
            if reason is not None:
                raise Stopped(reason)
            self._symmetric(rows)
            self._judge(common, rows)
            everybody = sum(1 << thread for thread, row in rows.items() if row)
            for one, row in rows.items():
                for outcome in self.steps.of_thread(common, self.views.threads[one]):
                    self._step(common, rows, one, outcome, self._beside(outcome, row, self.views.threads[one].kind))
            for position in self.steps.places.fixed:
                for outcome in self.steps.of_fixed(common, position):
                    self._step(common, rows, None, outcome, self._beside(outcome, everybody, None))
        self.found.views = len(self.views)
        return self.found

    def _has(self, common: Common, one: Lone, other: Lone) -> bool:
        numbers = self.views.numbers
        first, second = numbers.get(one), numbers.get(other)
        if first is None or second is None:
            return False
        rows = self.views.rows.get(common, {})
        return bool(rows.get(first, 0) >> second & 1 and rows.get(second, 0) >> first & 1)

    def _starts(self) -> None:
        self._note_initial_faults()
        for common, starting in self.steps.starts():
            for one, other in combinations_with_replacement(sorted(starting), 2):
                if not self._has(common, one, other):
                    self._gap("a view of an initial state is missing")

    def _symmetric(self, rows: dict[int, int]) -> None:
        if any(not rows.get(other, 0) >> one & 1 for one, row in rows.items() for other in bits(row)):
            self._gap("a view is stored in one order only")

    def _beside(self, outcome: Outcome, row: int, kind: int | None) -> int:
        """The thread states of the bit set `row` that are possible next to a thread of a kind (None for a fixed thread)
        that takes this step; 0 if the step is impossible. Every other kind must have a thread among them, unless it may
        be empty."""
        for question in outcome.no:
            row &= ~self._deciding[question]
        answered = all(row & self._deciding[question] for question in outcome.yes)
        somebody = all(row & self._kinds[other] for other in self._present if other != kind)
        return row if answered and somebody else 0

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _step(self, common: Common, rows: dict[int, int], one: int | None, outcome: Outcome, others: int) -> None:
        if not others:
            return
        self.found.steps += 1
        if outcome.fault is not None:
            self.found.faults[outcome.fault] = None
            return
        threads, moved = self.views.threads, outcome.thread
        after = [*([] if moved is None else [moved]), *outcome.started]
        for position, thread in enumerate(after):
            if any(not self._has(outcome.common, thread, other) for other in after[:position]):
                self._gap("the view of a started thread and the thread that started it is missing")
        became = {n: released(threads[n], outcome.taken) for n in bits(others)}
        if outcome.taken or any(became[n] != threads[n] for n in became):
            self._carried_singly(outcome.common, rows, became, after)
        else:
            self._carried(common, outcome.common, rows, others, after)
        for demand in self._moves:
            self._judge_step(demand, common, None if one is None else threads[one], outcome, became)

    def _carried(self, common: Common, target: Common, rows: dict[int, int], others: int, after: list[Lone]) -> None:
        """Check the views after a step that takes no ids from other threads, whole bit sets at a time."""
        found = self.views.rows.get(target, {})
        for thread in after:
            number = self.views.numbers.get(thread)
            if number is None or others & ~found.get(number, 0):
                self._gap("the view of a thread after its step and a thread next to it is missing")
        if target != common:
            for other in bits(others):
                if rows[other] & others & ~found.get(other, 0):
                    self._gap("the view of two threads after the step of a third is missing")

    def _carried_singly(self, target: Common, rows: dict[int, int], became: dict[int, Lone], after: list[Lone]) -> None:
        """Check the views after a step that takes ids from other threads, one pair at a time."""
        for other, thread in became.items():
            if any(not self._has(target, mover, thread) for mover in after):
                self._gap("the view of a thread after its step and a thread next to it is missing")
            for second in bits(rows[other]):
                if second in became and not self._has(target, thread, became[second]):
                    self._gap("the view of two threads after the step of a third is missing")

    # -- properties ----------------------------------------------------------------------------------------------------

    def _judge(self, common: Common, rows: dict[int, int]) -> None:
        owners = self._owners(common)
        for demand in self._states:
            if demand.property.name in self.found.violated:
                continue
            for firsts, seconds in self._groups(demand, rows):
                pair = self._pair(rows, firsts, seconds, anybody=True)
                assert pair is not None  # every group has such a pair
                one, other = pair
                judged = demand.is_judged_on(owners, one, other)
                if judged and not demand.on_state(common, one, other) and self._pair(rows, firsts, seconds):
                    self.found.violated[demand.property.name] = None
                    break

    def _groups(self, demand: Demand, rows: dict[int, int]) -> list[tuple[int, int]]:
        """The pairs of classes of thread states that occur together in a view, as bit sets. A class consists of the
        states with the same aspect and the same id cells, so that one representative pair is evaluated."""
        alike: dict[object, int] = {}
        threads = self.views.threads
        for number, row in rows.items():
            if row:
                key = demand.aspect(threads[number]), threads[number].flags
                alike[key] = alike.get(key, 0) | 1 << number
        masks = list(alike.values())
        return [
            (first, second)
            for position, first in enumerate(masks)
            for second in masks[position:]
            if any(rows[number] & second for number in bits(first))
        ]

    def _pair(
        self, rows: dict[int, int], firsts: int, seconds: int, *, anybody: bool = False
    ) -> tuple[Lone, Lone] | None:
        """A view of one state from `firsts` and one from `seconds`, or None. Unless `anybody` is true, some thread of
        every other non-empty kind must be in a view with each of the two."""
        threads = self.views.threads
        for one in bits(firsts):
            for other in bits(rows[one] & seconds):
                kinds = {threads[one].kind, threads[other].kind}
                beside = rows[one] & rows[other]
                if anybody or all(beside & self._kinds[kind] for kind in self._present if kind not in kinds):
                    return threads[one], threads[other]
        return None

    def _judge_step(
        self, demand: Demand, common: Common, mover: Lone | None, outcome: Outcome, became: dict[int, Lone]
    ) -> None:
        if demand.property.name in self.found.violated:
            return
        threads = self.views.threads
        beside = [(threads[number], afterwards) for number, afterwards in became.items()]
        if breaks(self.steps, demand, common, mover, outcome, beside):
            self.found.violated[demand.property.name] = None


def breaks(
    steps: Steps, demand: Demand, common: Common, mover: Lone | None, outcome: Outcome, beside: list[tuple[Lone, Lone]]
) -> bool:
    """Return whether a step violates a step invariant. It is evaluated on the thread that steps (None for a fixed
    thread) and each of the threads in `beside`, given as states before and after the step, and each thread that was
    started."""
    tried: set[object] = set()
    for one, afterwards in [*beside, *((steps.idle(started.kind), started) for started in outcome.started)]:
        key = demand.aspect(one), demand.aspect(afterwards)
        if key in tried:
            continue
        tried.add(key)
        before, after = [one], [afterwards]
        if mover is not None and outcome.thread is not None:
            before, after = [mover, *before], [outcome.thread, *after]
        if not demand.on_step((common, before), (outcome.common, after)):
            return True
    return False
