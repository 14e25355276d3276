"""The verdict on an observation: words for each result, and the worst verdict of all.

Whether something is exposed, lost or stale is decided by the property families
(`dio_mc.kernel.families`) alone: an observation has the names of those that are false, and the
words here only describe what can be seen.

- ``exposed``: a read, or the file afterwards, has bytes of the block's previous owner (`no_stale_exposure`).
- ``deadlock``: some thread can never continue, or never end.
- ``lost``: no order of the acknowledged writes explains what is on disk (`no_lost_write`); or another file was hit
  (`no_freed_io`); or the data read went to a page that is not the reader's buffer.
- ``torn``: sectors, or pages, of different writes in one read, or in the file. It needs two of them. With several
  pages it is reported if all pages of the file were alike at first, and every call acts on all of them.
- ``stale``: no order of the writes explains what was read (`read_after_ack`, `monotonic_read`), or the cache differs
  from the disk (`coherent_at_rest`).
- ``error``: an IO was refused with an error; or an error is recorded on the mapping for the next fsync, and then
  nothing is promised about the file except that it has no other owner's bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dio_mc.kernel.families import FOREIGN
from dio_mc.kernel.register import Given
from dio_mc.kernel.words import Data
from dio_mc.study.observe import JUDGED, Observation, Record

RANK = ("exposed", "deadlock", "lost", "torn", "stale", "error", "undetermined", "ok")
"""Verdicts, the worst first."""
BAD = frozenset(RANK[:5])
"""Verdicts that no rule should allow."""
NOTHING, EIO = Data.NOTHING.name, Data.EIO.name
TORN, UNTOUCHED, SHORT = Data.TORN.name, Data.UNTOUCHED.name, Data.SHORT.name
EXPOSED = {value.name for value in FOREIGN}
WORDS = {value.name: value.name.lower() for value in Data} | {Data.STALE.name: "exposed", EIO: "error", NOTHING: "done"}


@dataclass(frozen=True, slots=True)
class Tagged:
    """An observation in words: the results of each thread, the file afterwards, the reasons and the
    verdict."""

    observation: Observation
    results: tuple[tuple[str, str], ...]
    after: str
    reasons: tuple[str, ...]
    verdict: str


def tag(observation: Observation, initial: str, *, torn: bool = True) -> Tagged:
    """`initial` is what the file reads as before the workload. Without `torn`, different sectors or
    pages are not reported: the file's differed at first, or a call is not about all of them."""
    problems = [problem for problem in _problems(observation, initial) if torn or problem[0] != "torn"]
    verdict = min((v for v, _ in problems), key=RANK.index, default="ok")
    words = WORDS if torn else WORDS | {TORN: "mixed"}
    results = tuple((r.thread, _result(r, words)) for r in observation.records)
    reasons = tuple(dict.fromkeys(text for _, text in problems))
    return Tagged(observation, results, _after(observation, words), reasons, verdict)


def worst(verdicts: list[str]) -> str:
    """The worst of several verdicts."""
    return min(verdicts, key=RANK.index, default="ok")


def _result(record: Record, words: Mapping[str, str] = WORDS) -> str:
    last = words[record.outcome]
    return last if record.earlier == NOTHING else f"{words[record.earlier]} then {last}"


def _after(observation: Observation, words: Mapping[str, str]) -> str:
    if observation.stuck or observation.fault:
        return "-"
    cached, media = (words[value] for value in (observation.cached, observation.media))
    return cached if cached == media else f"cache {cached}, disk {media}"


def _problems(observation: Observation, initial: str) -> list[tuple[str, str]]:
    found = [problem for record in observation.records for problem in _of_result(record)]
    for name in observation.violated:
        found += [(JUDGED[name], text) for text in _seen_of(name, observation, initial)]
    if observation.fault:
        return [*found, ("error", f"BUG: {observation.fault}")]
    if observation.endless:
        return [*found, ("deadlock", f"{', '.join(observation.stuck)} can go on for ever, and never end")]
    if observation.stuck:
        return [*found, ("deadlock", f"{', '.join(observation.stuck)} can never go on")]
    if observation.reported:
        differs = observation.cached != observation.media
        return [
            *found,
            ("error", f"EIO is left for the next fsync{f': {_incoherent(observation)}' if differs else ''}"),
        ]
    if {TORN, SHORT} & {observation.cached, observation.media}:
        found.append(("torn", "the file has parts of different writes"))
    return found


def _of_result(record: Record) -> list[tuple[str, str]]:
    """The verdict on a result alone."""
    given = (record.outcome, record.earlier)
    found: list[tuple[str, str]] = []
    if EIO in given:
        found.append(("error", f"{record.thread} is refused with EIO"))
    if UNTOUCHED in given:
        found.append(("lost", f"what {record.thread} reads goes to a page that is no longer its buffer"))
    if TORN in given:
        found.append(("torn", f"{record.thread} reads parts of different writes"))
    if SHORT in given:
        found.append(("torn", f"{record.thread} reads a part of what a write or a truncation changes"))
    return found


def _seen_of(name: str, observation: Observation, initial: str) -> list[str]:
    """The visible effect of a property that is false."""
    file = observation.media
    match name:
        case "no_stale_exposure":
            readers = [r.thread for r in observation.records if {r.outcome, r.earlier} & EXPOSED]
            told = [f"{thread} reads the block's previous owner's data" for thread in readers]
            of_file = EXPOSED & {observation.cached, file} or not told
            return [*told, *(["the file has the block's previous owner's data"] if of_file else [])]
        case "no_freed_io":
            return ["a write went to a freed block"]
        case "no_lost_write":
            return [f"the disk has {WORDS[file]}, which no order of the acknowledged writes leaves"]
        case "read_after_ack":
            return [_overwritten(r, initial) for r in observation.records if r.given == Given.OVERWRITTEN.name]
        case "monotonic_read":
            told = [_backwards(r) for r in observation.records if r.given == Given.BACKWARDS.name]
            return told or [f"the file has {WORDS[file]}, though what was read came after that"]
        case _:
            return [_incoherent(observation)]


def _overwritten(record: Record, initial: str) -> str:
    if record.outcome == initial and record.earlier == NOTHING:
        return f"{record.thread} reads the old page after the write was acknowledged"
    return f"{record.thread} reads {_result(record)}, which was not there, or no longer"


def _backwards(record: Record) -> str:
    return f"{record.thread} reads {_result(record)}, though what had been read came after that"


def _incoherent(observation: Observation) -> str:
    return f"the cache keeps {WORDS[observation.cached]}, the disk has {WORDS[observation.media]}"
