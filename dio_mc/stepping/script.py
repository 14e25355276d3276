"""Schedules as text: ``reader 1-4; mapper until ext3_get_block; pdflush *; reader:2``.

Segments are separated by semicolons or line ends; ``#`` begins a comment. A segment names a thread and how far it runs:

=====================  =================================================================================
``reader``             one step
``reader 3``           three steps
``reader 5-7``         steps 5 to 7 of the schedule: as ``reader 3``, and step 5 must be the next one
``reader until WORD``  until its next step is part of a statement, operation or kernel function with this word
``reader *``           as far as it can run: until it waits, ends, or has a choice
``reader:2``           one step, the second of the thread's alternatives (if a statement chooses)
``start 2``            from the second initial state; only as the first segment
=====================  =================================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SEGMENT: Final = re.compile(
    r"(?P<thread>[A-Za-z_]\w*(?:\[\d+\])?)(?::(?P<way>\d+))?"
    r"(?:\s+(?:(?P<first>\d+)\s*-\s*(?P<last>\d+)|(?P<count>\d+)|until\s+(?P<word>\S.*)|(?P<all>\*)))?"
)


@dataclass(frozen=True, slots=True)
class Steps:
    """A number of steps of a thread, at least one. `first` is the position that the first of them must have in the
    schedule, `way` the alternative that each takes (from 1); None if not given."""

    thread: str
    count: int = 1
    first: int | None = None
    way: int | None = None


@dataclass(frozen=True, slots=True)
class Until:
    """Steps of a thread until its next step contains this word."""

    thread: str
    word: str


@dataclass(frozen=True, slots=True)
class All:
    """Steps of a thread as far as it can run."""

    thread: str


@dataclass(frozen=True, slots=True)
class Start:
    """The initial state to begin with, from 1."""

    number: int


Segment = Steps | Until | All | Start


@dataclass(frozen=True, slots=True)
class Placed:
    """A segment and its source: the line (from 1) and the text."""

    segment: Segment
    line: int
    text: str


class ScriptError(Exception):
    """An invalid segment: its line and text, and the reason."""

    def __init__(self, line: int, text: str, reason: str) -> None:
        super().__init__(f"`{text}`: {reason}")
        self.line, self.text, self.reason = line, text, reason


def parse(text: str) -> tuple[Placed, ...]:
    """The segments of a schedule, in order. Raises `ScriptError` for the first invalid one."""
    found: list[Placed] = []
    for number, line in enumerate(text.splitlines(), start=1):
        for words in line.partition("#")[0].split(";"):
            if words.strip():
                segment = _segment(number, " ".join(words.split()))
                if isinstance(segment, Start) and found:
                    raise ScriptError(number, words.strip(), "`start` can only be the first segment")
                found.append(Placed(segment, number, " ".join(words.split())))
    return tuple(found)


def _segment(line: int, text: str) -> Segment:
    match = _SEGMENT.fullmatch(text)
    if match is None:
        raise ScriptError(
            line, text, "expected THREAD, THREAD N, THREAD N-M, THREAD until WORD, THREAD * or THREAD:WAY"
        )
    thread = match["thread"]
    if thread == "start" and match["count"]:
        return Start(_positive(match["count"], line, text))
    if match["word"] or match["all"]:
        if match["way"]:
            raise ScriptError(line, text, "an alternative can be selected for single steps only")
        return Until(thread, match["word"].strip()) if match["word"] else All(thread)
    way = _positive(match["way"], line, text) if match["way"] else None
    if match["first"]:
        first, last = int(match["first"]), int(match["last"])
        if not 1 <= first <= last:
            raise ScriptError(line, text, "steps are numbered from 1, upwards")
        return Steps(thread, last - first + 1, first, way)
    return Steps(thread, _positive(match["count"], line, text) if match["count"] else 1, None, way)


def _positive(number: str, line: int, text: str) -> int:
    if int(number) < 1:
        raise ScriptError(line, text, "numbers count from 1")
    return int(number)


def spelled(threads: list[tuple[str, int | None]], start: int = 1) -> str:
    """The text of a schedule, given its steps as (thread, alternative or None), from initial state `start`."""
    parts = [f"start {start}"] if start > 1 else []
    first = 0
    while first < len(threads):
        thread, way = threads[first]
        last = first
        while way is None and last + 1 < len(threads) and threads[last + 1] == (thread, None):
            last += 1
        number = f"{first + 1}-{last + 1}" if last > first else f"{first + 1}-{first + 1}"
        parts.append(f"{thread}:{way}" if way is not None else f"{thread} {number}")
        first = last + 1
    return "; ".join(parts)
