"""Runs a counterexample on a real kernel; the verdict is CONFIRMED, BLOCKED or DIVERGED.

Threads take turns as in the trace. A thread that is left in the middle of a call is held at the
function that its next step names, if its call passes that function in this kernel. If it does not,
or if the case is not confirmed there, other gates that the call passes are tried, the nearest
first.

- CONFIRMED: the calls returned what the trace says, and the file contains what the trace says.
- BLOCKED: with the trace's own gates, a thread that should have continued waits.
- DIVERGED: all threads ran to their end, with a different result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

from dio_mc.machine.cases import Case
from dio_mc.machine.gates import standing_for
from dio_mc.machine.schedule import Blocked, Gate, Ran, Schedule, Segment
from dio_mc.machine.seen import tagged
from dio_mc.machine.session import Session
from dio_mc.study.tags import WORDS, Tagged

TRIES: Final = 300
"""The largest number of schedules that are tried before the verdict is DIVERGED."""
MOST: Final = 20_000
"""The largest number of combinations of gates that are sorted by distance."""
Verdict = Literal["CONFIRMED", "BLOCKED", "DIVERGED"]


@dataclass(frozen=True, slots=True)
class Hold:
    """Where a thread was held at the end of its turn, which began with step `step` of the trace."""

    thread: str
    step: int
    gate: Gate


@dataclass(frozen=True, slots=True)
class Waits:
    """A thread that should have continued with step `step` of the trace but waits; `stack` is its kernel stack,
    innermost first."""

    thread: str
    step: int
    stack: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The result of a confirmation.

    `seen` is the observation of the schedule with the gates `holds`, and `exact` tells whether
    these are the trace's own. `tried` is the number of schedules run, `log` the kernel's log
    meanwhile. `besides` are sentences on results that `seen` does not contain: the second half of
    the page, a warning of the kernel.
    """

    verdict: Verdict
    holds: tuple[Hold, ...]
    seen: Tagged
    waits: Waits | None
    exact: bool
    tried: int
    log: str = ""
    besides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Try:
    schedule: Schedule
    ran: Ran
    seen: Tagged
    exact: bool


def confirm(session: Session, case: Case, tries: int = TRIES) -> Confirmation:
    """Run the case on a guest of the session, with at most `tries` schedules."""
    ways = _ways(session, case)
    tried: list[_Try] = []
    for gates, exact in _choices(case, ways):
        one = _try(session, case, gates, exact)
        tried.append(one)
        if not one.ran.missed and not one.ran.blocked and not one.ran.stuck and case.confirmed_by(one.ran, one.seen):
            return _confirmation("CONFIRMED", case, one, None, len(tried))
        if case.verdict == "deadlock" and one.ran.stuck:
            return _confirmation("CONFIRMED", case, one, one.ran.stuck[0], len(tried))
        if one.ran.stuck or len(tried) >= tries:
            break
    return _negative(case, tried)


def _negative(case: Case, tried: Sequence[_Try]) -> Confirmation:
    """The result if no schedule confirms the case: that of the trace's own schedule, or of the
    nearest one that could be run.

    At the trace's own gates, a thread that waits does not reach its next gate; that is BLOCKED, not
    a schedule that could not be run.
    """
    first = next((t for t in tried if not t.ran.missed or (t.exact and t.ran.blocked)), tried[0])
    went = next((t for t in tried if not t.ran.missed and not t.ran.blocked), None)
    waiting = first.ran.blocked or first.ran.stuck
    if waiting and (first.exact or went is None):
        return _confirmation("BLOCKED", case, first, waiting[0], len(tried))
    return _confirmation("DIVERGED", case, went or first, None, len(tried))


def _confirmation(verdict: Verdict, case: Case, one: _Try, waiting: Blocked | None, tried: int) -> Confirmation:
    segments = one.schedule.segments
    holds = tuple(
        Hold(case.threads[turn.thread], turn.step, segment.until)
        for turn, segment in zip(case.turns, segments, strict=True)
        if segment.until is not None
    )
    waits = None
    if waiting is not None:
        step = case.turns[waiting.segment].step if waiting.segment >= 0 else 0
        waits = Waits(case.threads[waiting.thread], step, waiting.stack)
    return Confirmation(verdict, holds, one.seen, waits, one.exact, tried, besides=_besides(case, one.ran))


def _besides(case: Case, ran: Ran) -> tuple[str, ...]:
    rest = (f"its second half {WORDS.get(ran.rest[-1], ran.rest[-1])}",) if case.rest and ran.rest else ()
    return (*rest, *(f"the kernel warns at {place}" for place in ran.warned))


def _try(session: Session, case: Case, gates: Sequence[Gate | None], exact: bool) -> _Try:
    segments = tuple(Segment(turn.thread, gate) for turn, gate in zip(case.turns, gates, strict=True))
    schedule = Schedule(case.layout, case.programs, segments)
    ran = session.run(schedule)
    return _Try(schedule, ran, tagged(ran, case.users, case.layout), exact)


# -- gates -----------------------------------------------------------------------------------------------------------


def _ways(session: Session, case: Case) -> tuple[tuple[Gate, ...], ...]:
    """The gates that each thread passes: when it runs before all others, then when it runs after them."""
    found: list[tuple[Gate, ...]] = []
    for thread in range(len(case.threads)):
        others = [Segment(n) for n in range(len(case.threads)) if n != thread]
        first = session.run(Schedule(case.layout, case.programs, (Segment(thread),)), passed=True).passed[thread]
        last = session.run(Schedule(case.layout, case.programs, tuple(others)), passed=True).passed[thread]
        found.append((*first, *(gate for gate in last if gate not in first)))
    return tuple(found)


def _choices(case: Case, ways: Sequence[Sequence[Gate]]) -> Iterator[tuple[tuple[Gate | None, ...], bool]]:
    """Combinations of gates: for each turn the gate at its end (None: the end of the thread), and whether all of them
    are the trace's own. The trace's own come first, then the nearest."""
    ranked = [_ranked(turn.function, ways[turn.thread]) if turn.held else [(None, True)] for turn in case.turns]
    held = sum(len(options) > 1 for options in ranked)
    most = len(max(ranked, key=len)) if held < 3 else int(MOST ** (1 / held))
    numbered = [list(enumerate(options[:most])) for options in ranked]
    for choice in sorted(product(*numbered), key=lambda c: (sum(n for n, _ in c), [n for n, _ in c])):
        yield tuple(gate for _, (gate, _) in choice), all(own for _, (_, own) in choice)


def _ranked(function: str, way: Sequence[Gate]) -> list[tuple[Gate | None, bool]]:
    """The gates that a call passes, sorted by distance to the gates of `function`, which are the
    trace's own. A number after the function selects one pass (``submit_bio#2``)."""
    exact = [n for n, gate in enumerate(way) if str(gate) == function]
    own = standing_for(function, [gate.function for gate in way]) if function and not exact else None
    places = exact or [n for n, gate in enumerate(way) if gate.function == own]
    if not places:
        return [(gate, False) for gate in way] or [(None, False)]
    nearest = sorted(range(len(way)), key=lambda n: (min(abs(n - p) for p in places), n))
    return [(way[n], n in places) for n in nearest]
