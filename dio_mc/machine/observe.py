"""The possible results of a workload on a real kernel: a histogram of observations, in the vocabulary of `dio-mc
outcomes`.

They can be compared with a rule: what it allows and the kernel showed, what it allows and was never seen, and what was
seen although the rule does not allow it. The last is an error in the rule, until the kernel is shown to be wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from dio_mc.machine.failures import GuestLost
from dio_mc.machine.plans import dirties, schedules, ways
from dio_mc.machine.programs import programs
from dio_mc.machine.schedule import Schedule
from dio_mc.machine.seen import WRITEBACK, tagged
from dio_mc.machine.session import Session
from dio_mc.study.outcomes import Outcomes
from dio_mc.study.registry import Workload
from dio_mc.study.tags import RANK, Tagged, worst

Key = tuple[tuple[tuple[str, str], ...], str, str]
"""Results by thread, content of the file, verdict."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An observation, the number of times it was made, and the first schedule that led to it: the one with the fewest
    preemptions and, if possible, one in which no thread had to wait."""

    tagged: Tagged
    times: int
    schedule: Schedule
    waited: bool

    @property
    def key(self) -> Key:
        """Identifies equal observations, like `study.outcomes.Outcome.key`."""
        return self.tagged.results, self.tagged.after, self.tagged.verdict

    @property
    def text(self) -> str:
        """The observation in one line."""
        given = ", ".join(f"{name} {result}" for name, result in self.tagged.results)
        return f"{given}; file {self.tagged.after}" if self.tagged.after != "-" else given


@dataclass(frozen=True, slots=True)
class Observations:
    """All observations of a workload on files of one layout, the worst first. `runs` schedules were run; in `waits` of
    them a thread had to wait. `complete` is False if that was cut short; if a guest was lost, `lost` gives the reason
    and `log` the part of its console about a bug that the kernel reported. `warned` are places at which the kernel
    reported a bug and continued, each with the first schedule that led to it. `stopped`: a signal ended it."""

    workload: str
    layout: str
    threads: tuple[str, ...]
    seen: tuple[Seen, ...]
    runs: int
    waits: int
    complete: bool = True
    lost: str = ""
    log: str = ""
    warned: tuple[tuple[str, Schedule], ...] = ()
    stopped: bool = False

    @property
    def verdict(self) -> str:
        """The worst verdict."""
        return worst([one.tagged.verdict for one in self.seen]) if self.seen else "undetermined"


@dataclass(slots=True)
class _Tally:
    """Collects observations."""

    users: tuple[str, ...]
    layout: str
    seen: dict[Key, Seen] = field(default_factory=dict)
    runs: int = 0
    waits: int = 0
    warned: dict[str, Schedule] = field(default_factory=dict)

    def note(self, session: Session, schedule: Schedule) -> None:
        ran = session.run(schedule)
        self.runs += 1
        for place in ran.warned:
            self.warned.setdefault(place, schedule)
        waited = bool(ran.blocked)
        self.waits += waited
        if ran.missed:
            return  # equivalent to a schedule with fewer preemptions
        one = Seen(tagged(ran, self.users, self.layout), 1, schedule, waited)
        before = self.seen.get(one.key)
        if before is None:
            self.seen[one.key] = one
        else:
            kept = one if before.waited and not waited else before
            self.seen[one.key] = replace(kept, times=before.times + 1)


def observe(
    session: Session, workload: Workload, layout: str, preemptions: int = 1, *, stress: float = 0.0,
    progress: Callable[[], None] | None = None,
) -> Observations:  # fmt: skip
    """Run all schedules with at most `preemptions` preemptions, then run without gates for `stress` seconds. A lost
    guest or a signal ends it; observations made before that are kept."""
    calls = programs(workload)
    users, texts = tuple(calls), tuple(calls.values())
    if dirties(texts):
        texts = (*texts, WRITEBACK)
    tally = _Tally(users, layout)
    lost, log, stopped = "", "", False
    try:
        for schedule in _all(session, layout, texts, preemptions, stress):
            tally.note(session, schedule)
            if progress is not None:
                progress()
    except GuestLost as error:
        lost, log = error.message, error.log if error.oops else ""
    except KeyboardInterrupt:
        lost, stopped = "stopped by a signal", True
    ordered = sorted(tally.seen.values(), key=lambda s: (RANK.index(s.tagged.verdict), s.key))
    return Observations(
        workload.name,
        layout,
        (*users, *texts[len(users) :]),
        tuple(ordered),
        tally.runs,
        tally.waits,
        not lost,
        lost,
        log,
        tuple(tally.warned.items()),
        stopped,
    )


def _all(session: Session, layout: str, texts: tuple[str, ...], preemptions: int, stress: float) -> Iterable[Schedule]:
    if session.holds:
        yield from schedules(layout, texts, ways(session, layout, texts), preemptions)
    end = time.monotonic() + stress
    while time.monotonic() < end:
        yield Schedule(layout, texts, together=True)


@dataclass(frozen=True, slots=True)
class Compared:
    """Observations compared with what a rule allows: `seen` (allowed and seen), `unseen` (allowed only), `forbidden`
    (seen only)."""

    rule: str
    seen: tuple[Seen, ...]
    unseen: tuple[str, ...]
    forbidden: tuple[Seen, ...]


def compare(found: Observations, allowed: Outcomes) -> Compared:
    """Compare with the outcomes of a rule, which must be complete."""
    keys = {outcome.key for outcome in allowed.outcomes}
    seen = {one.key for one in found.seen}
    return Compared(
        allowed.rule,
        tuple(one for one in found.seen if one.key in keys),
        tuple(f"{o.text}: {o.verdict}" for o in allowed.outcomes if o.key not in seen),
        tuple(one for one in found.seen if one.key not in keys),
    )


def spelt(schedule: Schedule, threads: Sequence[str]) -> str:
    """A schedule as text: ``t0_direct_read until ext4_iomap_begin, t1_mmap_store, t0_direct_read``."""
    if schedule.together:
        return "all at once"
    return ", ".join(
        threads[s.thread] + (f" until {s.until}" if s.until is not None else "") for s in schedule.segments
    )
