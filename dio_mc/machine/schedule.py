"""A schedule of system calls, as it is written down, sent to a guest, and what comes back of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dio_mc.machine.failures import GuestLost

GUEST_LAYOUTS: Final = ("hole", "preallocated", "written", "empty", "dirty", "block device")
"""Files that a guest makes; it is told the first letter."""
RUNS: Final = "(runs)"
"""What is on the stack of a thread that does not wait and does not end either."""


@dataclass(frozen=True, slots=True, order=True)
class Gate:
    """The entrance of a kernel function, when a thread passes it for the `nth` time."""

    function: str
    nth: int = 1

    def __str__(self) -> str:
        return self.function if self.nth == 1 else f"{self.function}#{self.nth}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A thread runs until it is at a gate, or to its end."""

    thread: int
    until: Gate | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The file's layout (``empty``, ``hole``, ``preallocated``, ``written``; ``dirty`` is preallocated with data in the
    cache, ``block device`` the guest's second disk), what each thread does (names of system calls, with a value where
    they write: ``pread_direct``, ``mmap_store:NEW``; several with commas), and who runs when. What is left runs at the
    end. With `together` all threads begin at once, and no segment says otherwise."""

    layout: str
    programs: tuple[str, ...]
    segments: tuple[Segment, ...] = ()
    together: bool = False


@dataclass(frozen=True, slots=True)
class Blocked:
    """A thread had to go on in a segment (from 0) and waits: the functions on its kernel stack, innermost first."""

    segment: int
    thread: int
    stack: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """What the calls of a thread left on record, in names of `Data`; `failed` is a call that failed otherwise."""

    earlier: str
    outcome: str
    floor: str
    wrote: str
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a schedule. `cached` and `media` are what the file gives through the cache, and without it;
    `reported`: fsync gives EIO. `missed` are the segments whose gate the thread never came to, `stuck` the threads that
    never ended though nobody is held: then there is no file to look at. `passed` are the gates of each thread. `rest`
    is the second half of the page, `warned` where the kernel has reported a bug of its own and gone on."""

    left: tuple[Left, ...] = ()
    cached: str = ""
    media: str = ""
    reported: bool = False
    blocked: tuple[Blocked, ...] = ()
    missed: tuple[int, ...] = ()
    stuck: tuple[Blocked, ...] = ()
    passed: tuple[tuple[Gate, ...], ...] = ()
    rest: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()


def request(schedule: Schedule, gates: Mapping[str, int], *, passed: bool = False) -> str:
    """The request to a guest's init; `gates` has the address of each function's gate."""
    flags = ("p" if passed else "") + ("s" if schedule.together else "") or "-"
    segments = (
        str(s.thread) if s.until is None else f"{s.thread}@{gates[s.until.function]:x}#{s.until.nth}"
        for s in schedule.segments
    )
    return " ".join(["run", flags, schedule.layout[0], *schedule.programs, "/", *segments])


def parse_ran(answer: str, gates: Mapping[str, int]) -> Ran:
    """The answer. One that makes no sense raises `GuestLost`."""
    names = {address: name for name, address in gates.items()}
    found: dict[str, list[list[str]]] = {key: [] for key in "ftbmsprw"}
    try:
        for word in answer.split():
            key, _, text = word.partition("=")
            found[key].append(text.split(","))
        cached, media, reported = found["f"][0] if found["f"] else ("", "", "0")
        return Ran(
            tuple(Left(*fields) for fields in found["t"]),
            cached,
            media,
            reported == "1",
            tuple(Blocked(int(n), int(thread), _stack(stack)) for n, thread, stack in found["b"]),
            tuple(int(n) for (n,) in found["m"]),
            tuple(Blocked(-1, int(thread), _stack(stack)) for thread, stack in found["s"]),
            tuple(_gates([names[int(at, 16)] for at in addresses]) for _, *addresses in found["p"]),
            tuple(found["r"][0]) if found["r"] else (),
            tuple(place for (place,) in found["w"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise GuestLost(f"the guest answers what it should not: {error}: {answer[:100]!r}") from None


def _stack(text: str) -> tuple[str, ...]:
    return tuple(f for f in text.split("<") if f) if text != RUNS else (RUNS,)


def _gates(names: list[str]) -> tuple[Gate, ...]:
    return tuple(Gate(name, names[: n + 1].count(name)) for n, name in enumerate(names))
