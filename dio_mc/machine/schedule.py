"""A schedule of system calls as data, as the request to a guest, and the result that comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dio_mc.machine.failures import GuestLost

GUEST_LAYOUTS: Final = ("hole", "preallocated", "written", "empty", "dirty", "block device")
"""Files that a guest makes; the request contains the first letter."""
RUNS: Final = "(runs)"
"""The stack of a thread that neither waits nor ends."""


@dataclass(frozen=True, slots=True, order=True)
class Gate:
    """The entry of a kernel function, when a thread passes it for the `nth` time."""

    function: str
    nth: int = 1

    def __str__(self) -> str:
        return self.function if self.nth == 1 else f"{self.function}#{self.nth}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A thread runs until it reaches a gate (None: to its end)."""

    thread: int
    until: Gate | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule: the file's layout, the program of each thread, and the order in which they run.

    `layout` is ``empty``, ``hole``, ``preallocated``, ``written``, ``dirty`` (preallocated, with data in the cache) or
    ``block device`` (the guest's second disk). A program is a list of system calls, separated by commas, with a value
    for writes: ``pread_direct``, ``mmap_store:NEW``. Threads not finished by the segments run at the end. With
    `together` all threads begin at once, and `segments` is empty.
    """

    layout: str
    programs: tuple[str, ...]
    segments: tuple[Segment, ...] = ()
    together: bool = False


@dataclass(frozen=True, slots=True)
class Blocked:
    """A thread that had to continue in a segment (from 0) but waits: the functions on its kernel stack, innermost
    first."""

    segment: int
    thread: int
    stack: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """The record that a thread's calls left, in names of `Data`; `failed` is a call that failed in another way."""

    earlier: str
    outcome: str
    floor: str
    wrote: str
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """The result of a schedule. `cached` and `media` are the file's content through the cache and without it;
    `reported`: fsync returned EIO. `missed` are segments whose gate the thread never reached; `stuck` are threads that
    never ended although none is held, in which case the file is not read. `passed` are the gates of each thread. `rest`
    is the second half of the page; `warned` are places where the kernel reported a bug of its own and continued."""

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
    """The request to a guest's init; `gates` maps functions to the addresses of their gates."""
    flags = ("p" if passed else "") + ("s" if schedule.together else "") or "-"
    segments = (
        str(s.thread) if s.until is None else f"{s.thread}@{gates[s.until.function]:x}#{s.until.nth}"
        for s in schedule.segments
    )
    return " ".join(["run", flags, schedule.layout[0], *schedule.programs, "/", *segments])


def parse_ran(answer: str, gates: Mapping[str, int]) -> Ran:
    """Parse the answer. Raises `GuestLost` if it is malformed."""
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
        raise GuestLost(f"the guest sends an unexpected answer: {error}: {answer[:100]!r}") from None


def _stack(text: str) -> tuple[str, ...]:
    return tuple(f for f in text.split("<") if f) if text != RUNS else (RUNS,)


def _gates(names: list[str]) -> tuple[Gate, ...]:
    return tuple(Gate(name, names[: n + 1].count(name)) for n, name in enumerate(names))
