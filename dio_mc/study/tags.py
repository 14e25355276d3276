"""What an observation amounts to: words for each result, and one verdict, the worst thing about it.

- ``exposed``: a read, or the file afterwards, has bytes of the block's previous owner.
- ``deadlock``: some thread can never go on, or never end.
- ``lost``: a write was acknowledged, nothing came after it, and the disk has something else; or another file was hit;
  or what was read went to a page that is not the reader's buffer.
- ``torn``: sectors of different writes in one read, or on disk. It needs two sectors per page.
- ``stale``: a read returned what was there before a write that had been acknowledged when the read began, or less than
  an earlier read had seen; or the cache keeps something else than the disk.
- ``error``: an IO was refused, and said so; or an error is left on the mapping, for the next fsync to return. What is
  wrong with the file is no worse than that then.
"""

from __future__ import annotations

from dataclasses import dataclass

from dio_mc.kernel.words import Data
from dio_mc.study.observe import Observation, Record

RANK = ("exposed", "deadlock", "lost", "torn", "stale", "error", "undetermined", "ok")
"""Verdicts, the worst first."""
BAD = frozenset(RANK[:5])
"""What no rule should give."""
NOTHING, STALE, ZERO, EIO = Data.NOTHING.name, Data.STALE.name, Data.ZERO.name, Data.EIO.name
TORN, EOF, UNTOUCHED = Data.TORN.name, Data.EOF.name, Data.UNTOUCHED.name
WORDS = {value.name: value.name.lower() for value in Data} | {STALE: "exposed", EIO: "error", NOTHING: "done"}


@dataclass(frozen=True, slots=True)
class Tagged:
    """An observation in words: per thread its results, the file afterwards, the reasons and the verdict."""

    observation: Observation
    results: tuple[tuple[str, str], ...]
    after: str
    reasons: tuple[str, ...]
    verdict: str


def tag(observation: Observation, initial: str) -> Tagged:
    """`initial` is what the file reads as before the workload."""
    problems = _problems(observation, initial)
    verdict = min((v for v, _ in problems), key=RANK.index, default="ok")
    results = tuple((r.thread, _result(r)) for r in observation.records)
    reasons = tuple(dict.fromkeys(text for _, text in problems))
    return Tagged(observation, results, _after(observation), reasons, verdict)


def worst(verdicts: list[str]) -> str:
    """The worst of several."""
    return min(verdicts, key=RANK.index, default="ok")


def _result(record: Record) -> str:
    last = WORDS[record.outcome]
    return last if record.earlier == NOTHING else f"{WORDS[record.earlier]} then {last}"


def _after(observation: Observation) -> str:
    if observation.stuck or observation.fault:
        return "-"
    cached, media = (WORDS[value] for value in (observation.cached, observation.media))
    return cached if cached == media else f"cache {cached}, disk {media}"


def _problems(observation: Observation, initial: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for record in observation.records:
        found += _of_thread(record, observation, initial)
    if observation.freed_io:
        found.append(("lost", "a write went to a freed block"))
    if observation.fault:
        return [*found, ("error", f"BUG: {observation.fault}")]
    if observation.endless:
        return [*found, ("deadlock", f"{', '.join(observation.stuck)} can go on for ever, and never end")]
    if observation.stuck:
        return [*found, ("deadlock", f"{', '.join(observation.stuck)} can never go on")]
    wrong = _of_file(observation, initial)
    if observation.reported:
        told = "; ".join(text for _, text in wrong)
        return [*found, ("error", f"EIO is left for the next fsync{': ' if told else ''}{told}")]
    return found + wrong


def _of_thread(record: Record, observation: Observation, initial: str) -> list[tuple[str, str]]:
    given = (record.outcome, record.earlier)
    if record.outcome == EIO:
        return [("error", f"{record.thread} is refused with EIO")]
    if STALE in given:
        return [("exposed", f"{record.thread} reads the block's previous owner's data")]
    if UNTOUCHED in given:
        return [("lost", f"what {record.thread} reads goes to a page that is no longer its buffer")]
    if TORN in given:
        return [("torn", f"{record.thread} reads sectors of different writes")]
    if record.wrote == record.outcome or record.outcome == NOTHING:
        return []
    return _of_read(record, observation.records, initial)


def _of_read(record: Record, records: tuple[Record, ...], initial: str) -> list[tuple[str, str]]:
    written = _written(records)
    if record.outcome == initial and initial not in written:
        if record.floor != NOTHING:
            return [("stale", f"{record.thread} reads the old page after the write was acknowledged")]
        if record.earlier in written:
            return [("stale", f"{record.thread} reads new data, then old")]
    elif record.outcome not in written:
        return [("stale", f"{record.thread} reads {WORDS[record.outcome]}, which was never there")]
    elif any(r.floor == record.outcome and r.wrote == record.floor != record.outcome for r in records):
        return [("stale", f"{record.thread} reads {WORDS[record.outcome]}, and a later write was acknowledged")]
    return []


def _written(records: tuple[Record, ...]) -> set[str]:
    """What has been there but the initial contents: what was meant, or acknowledged, by the threads' last calls."""
    return {value for r in records for value in (r.wrote, r.floor)} - {NOTHING}


def _of_file(observation: Observation, initial: str) -> list[tuple[str, str]]:
    cached, media = observation.cached, observation.media
    if STALE in (cached, media):
        return [("exposed", "the file has the block's previous owner's data")]
    if TORN in (cached, media):
        return [("torn", "the file has sectors of different writes")]
    done = [r for r in observation.records if r.wrote != NOTHING and r.outcome not in {EIO, EOF} - {r.wrote}]
    written = _written(observation.records)
    if done and media not in written:
        return [("lost", f"the disk has {WORDS[media]}, not what was written")]
    if not written and media != initial:
        return [("lost", f"the disk has {WORDS[media]}, and nobody wrote")]
    if _outlived(done, media):
        return [("lost", "an earlier write outlives a later one")]
    if cached != media:
        return [("stale", f"the cache keeps {WORDS[cached]}, the disk has {WORDS[media]}")]
    return []


def _outlived(done: list[Record], media: str) -> bool:
    """Some write began when that of `media` had been acknowledged, which itself began before all others ended. Of two
    writes of the same value nobody can say which it is that is there."""
    later = any(r.floor == media != r.wrote for r in done)
    return later and [r.floor for r in done if r.wrote == media] == [NOTHING]
