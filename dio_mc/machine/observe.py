"""What a workload can end with on a real kernel: a histogram of observations, in the words of `dio-mc outcomes`.

Against a rule: what it allows and the kernel showed, what it allows and was never seen, and what was seen though the
rule does not allow it. The last is an error, of the rule until it is shown to be the kernel's.
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


@dataclass(frozen=True, slots=True)
class Seen:
    """An observation, how often it was made, and the first schedule that made it: the one with the fewest preemptions,
    and if there is a choice without anybody who waited."""

    tagged: Tagged
    times: int
    schedule: Schedule
    waited: bool

    @property
    def key(self) -> Key:
        """What makes two observations the same, as of `study.outcomes.Outcome`."""
        return self.tagged.results, self.tagged.after, self.tagged.verdict

    @property
    def text(self) -> str:
        """One line."""
        given = ", ".join(f"{name} {result}" for name, result in self.tagged.results)
        return f"{given}; file {self.tagged.after}" if self.tagged.after != "-" else given


@dataclass(frozen=True, slots=True)
class Observations:
    """All observations of a workload on files of one layout, the worst first. `runs` schedules were run, in `waits` of
    which somebody had to wait. `complete` is False when that was cut short; `lost` says how, if a guest was lost, and
    `log` is what its console had of a bug that the kernel reported. `warned` are places at which the kernel reported
    one and went on, each with the first schedule that did it. `stopped`: a signal ended it."""

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
        """The worst."""
        return worst([one.tagged.verdict for one in self.seen]) if self.seen else "undetermined"


@dataclass(slots=True)
class _Tally:
    """Observations as they come."""

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
            return  # the same as one with fewer preemptions
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
    """Run all schedules with at most so many `preemptions`, then for `stress` seconds without gates. A guest that is
    lost or a signal ends it; what had been seen is kept."""
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
    """Observations against what a rule allows: `seen` both, `unseen` allowed only, `forbidden` seen only."""

    rule: str
    seen: tuple[Seen, ...]
    unseen: tuple[str, ...]
    forbidden: tuple[Seen, ...]


def compare(found: Observations, allowed: Outcomes) -> Compared:
    """The rule's outcomes have to be complete."""
    keys = {outcome.key for outcome in allowed.outcomes}
    seen = {one.key for one in found.seen}
    return Compared(
        allowed.rule,
        tuple(one for one in found.seen if one.key in keys),
        tuple(f"{o.text}: {o.verdict}" for o in allowed.outcomes if o.key not in seen),
        tuple(one for one in found.seen if one.key not in keys),
    )


def spelt(schedule: Schedule, threads: Sequence[str]) -> str:
    """``t0_direct_read until ext4_iomap_begin, t1_mmap_store, t0_direct_read``."""
    if schedule.together:
        return "all at once"
    return ", ".join(
        threads[s.thread] + (f" until {s.until}" if s.until is not None else "") for s in schedule.segments
    )
