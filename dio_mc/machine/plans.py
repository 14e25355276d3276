"""The schedules that `dio-mc observe` runs: all with a bounded number of preemptions, at gates that the calls pass.

Threads of the workload run one after another; a preemption leaves a thread at a gate while others run. If a thread may
leave dirty pages, each schedule is also run with the kernel's writeback at the switches, and writeback is preempted
too. The gates are those that a thread passes when it runs first, and when it runs after the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product

from dio_mc.machine.schedule import Gate, Schedule, Segment
from dio_mc.machine.seen import WRITEBACK
from dio_mc.machine.session import Session
from dio_mc.study.registry import LAYOUTS

Way = tuple[Gate, ...]
"""The gates that a thread passes, without repetitions."""


def dirties(programs: Sequence[str]) -> bool:
    """Whether some thread writes through the page cache."""
    calls = [call.partition(":")[0] for program in programs for call in program.split(",")]
    return "pwrite" in calls or "mmap_store" in calls


def ways(session: Session, layout: str, programs: Sequence[str]) -> tuple[Way, ...]:
    """The gates that each thread passes: first when it runs before the others, then when it runs after them."""
    count = len(programs)
    found: list[list[Gate]] = [[] for _ in range(count)]
    for first in range(count):
        others = [n for n in range(count) if n != first]
        for order in ([first, *others], [*others, first]):
            ran = session.run(Schedule(layout, tuple(programs), tuple(map(Segment, order))), passed=True)
            for thread, passed in enumerate(ran.passed):
                found[thread] += [gate for gate in passed if gate not in found[thread]]
            if ran.stuck:
                return tuple(map(tuple, found))
    return tuple(map(tuple, found))


def schedules(layout: str, programs: Sequence[str], passed: Sequence[Way], preemptions: int) -> Iterator[Schedule]:
    """All schedules, those with fewer preemptions first. A flusher, if there is one, is the last thread."""
    flusher = len(programs) - 1 if programs[-1] == WRITEBACK else None
    users = [n for n in range(len(programs)) if n != flusher]
    for segments in _orders(users, flusher):
        yield Schedule(layout, tuple(programs), segments)
    if preemptions >= 1:
        for segments in _preempted_once(users, flusher, passed):
            yield Schedule(layout, tuple(programs), segments)
    if preemptions >= 2:
        for segments in _preempted_twice(users, flusher, passed):
            yield Schedule(layout, tuple(programs), segments)


def _orders(users: Sequence[int], flusher: int | None) -> Iterator[tuple[Segment, ...]]:
    for order in permutations(users):
        whole = [Segment(thread) for thread in order]
        yield tuple(whole)
        if flusher is not None:
            for at in range(1, len(whole)):
                yield (*whole[:at], Segment(flusher), *whole[at:])


def _preempted_once(users: Sequence[int], flusher: int | None, passed: Sequence[Way]) -> Iterator[tuple[Segment, ...]]:
    for held in users:
        for order in permutations([n for n in users if n != held]):
            others = [Segment(thread) for thread in order]
            for gate in passed[held]:
                yield (Segment(held, gate), *others, Segment(held))
                if flusher is not None:
                    yield (Segment(held, gate), *others, Segment(flusher), Segment(held))
    if flusher is not None:
        for order in permutations(users):
            first, *others = map(Segment, order)
            for gate in passed[flusher]:
                yield (first, Segment(flusher, gate), *others, Segment(flusher))


def _preempted_twice(users: Sequence[int], flusher: int | None, passed: Sequence[Way]) -> Iterator[tuple[Segment, ...]]:
    for held, other in permutations(users, 2):
        rest = [Segment(n) for n in users if n not in (held, other)]
        for gate, then in product(passed[held], passed[other]):
            start = (Segment(held, gate), Segment(other, then))
            yield (*start, *rest, Segment(held), Segment(other))
            if flusher is not None:
                yield (*start, *rest, Segment(flusher), Segment(held), Segment(other))
    if flusher is not None:
        for held, other in permutations(users, 2):
            for gate, then in product(passed[held], passed[flusher]):
                yield (Segment(held, gate), Segment(other), Segment(flusher, then), Segment(held), Segment(flusher))


def layouts_on(file_system: str) -> tuple[str, ...]:
    """The layouts possible on a file system: ext3's format has no unwritten extents."""
    return ("hole", "written") if file_system == "ext3" else tuple(LAYOUTS)
