"""Converts the results of a run on a real kernel to an observation, in the vocabulary of the models
and of `dio-mc outcomes`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dio_mc.machine.failures import GuestLost
from dio_mc.machine.schedule import Left, Ran
from dio_mc.study.observe import Observation, Record, of_file
from dio_mc.study.orders import JUDGED_VALUES, Call, broken
from dio_mc.study.tags import Tagged, tag
from dio_mc.trace.trace import Trace

WRITEBACK: Final = "writeback"
"""The program of a thread that represents the kernel's flusher; it has no results."""


def initial_of(layout: str) -> str:
    """The initial content of a file with this layout."""
    return {"hole": "ZERO", "preallocated": "ZERO", "empty": "EOF"}.get(layout, "OLD")


def tagged(ran: Ran, names: Sequence[str], layout: str) -> Tagged:
    """The tagged observation of a run; `names` are the threads with results, which come first. Raises `GuestLost` if a
    call failed in a way that no model describes."""
    return tag(observation(ran, names, initial_of(layout)), initial_of(layout))


def observation(ran: Ran, names: Sequence[str], initial: str) -> Observation:
    """The results of the calls, the content of the file, and the violated properties of the property families."""
    stuck = tuple(sorted(names[b.thread] for b in ran.stuck if b.thread < len(names)))
    if ran.stuck:
        records = tuple(Record(name, "NOTHING", "NOTHING") for name in names)
        return Observation(records, "", "", stuck=stuck)
    for name, left in zip(names, ran.left, strict=False):
        if left.failed:
            raise GuestLost(f"thread {name}: {left.failed.replace(':', ' fails with ')}")
    own = ran.left[: len(names)]
    wrong = () if ran.reported else broken(calls_of(own), initial, ran.media)
    given = {"read_after_ack": "OVERWRITTEN", "monotonic_read": "BACKWARDS"}.get("".join(wrong), "FINE")
    records = tuple(
        Record(name, one.earlier, one.outcome, given if _last_is_read(one) else "FINE")
        for name, one in zip(names, own, strict=False)
    )
    return Observation(
        records, ran.cached, ran.media, _all_broken(records, ran.cached, ran.media, wrong, ran.reported),
        reported=ran.reported,
    )  # fmt: skip


def calls_of(left: Sequence[Left]) -> tuple[Call, ...]:
    """The last call of each thread, and the read before it if there was one.

    `Call.after` has the calls that are known to precede a call: the thread's own earlier ones, the
    write whose value had been acknowledged when the call began, and all that precede these.
    """
    made: list[Call] = []
    floors: list[str] = []
    for one in left:
        own: list[int] = []
        reads = one.wrote in ("NOTHING", "") or _last_is_read(one)
        if one.earlier in JUDGED_VALUES - {one.wrote}:
            own.append(_add(made, floors, Call(one.earlier, False), "NOTHING"))
        if (one.wrote != "NOTHING" and one.outcome != "EOF") or one.wrote == "EOF":
            write = Call(one.wrote, True, one.outcome == "EIO", frozenset(own))
            own.append(_add(made, floors, write, "NOTHING" if reads else one.floor))
        if reads and one.outcome in JUDGED_VALUES:
            _add(made, floors, Call(one.outcome, False, after=frozenset(own)), one.floor)
    for number, floor in enumerate(floors):
        sources = [n for n, call in enumerate(made) if call.writes and call.value == floor and n != number]
        if len(sources) == 1:
            made[number] = replace(made[number], after=made[number].after | {sources[0]})
    return tuple(replace(call, after=_all_before(made, call.after)) for call in made)


def _add(made: list[Call], floors: list[str], call: Call, floor: str) -> int:
    made.append(call)
    floors.append(floor)
    return len(made) - 1


def _all_before(made: Sequence[Call], after: frozenset[int]) -> frozenset[int]:
    while further := frozenset(n for m in after for n in made[m].after) - after:
        after |= further
    return after


def _last_is_read(one: Left) -> bool:
    return one.outcome != one.wrote and one.outcome not in ("NOTHING", "EIO")


def of_trace(trace: Trace, users: Sequence[str], layout: str) -> Tagged:
    """The tagged end of a run of a rule and a workload; `users` are the workload's threads."""
    *_, last = trace.states()
    own = [(n, thread.name) for n, thread in enumerate(trace.threads) if thread.name in users]
    records = tuple(
        Record(name, *(last[f"{cell}[{n}]"] for cell in ("earlier", "outcome", "given"))) for n, name in own
    )
    freed = ("no_freed_io",) if last.get("freed_io") == "True" else ()
    reads = tuple(
        name
        for name, given in (("read_after_ack", "OVERWRITTEN"), ("monotonic_read", "BACKWARDS"))
        if any(record.given == given for record in records)
    )
    if trace.property == "deadlock" or trace.loop is not None or trace.final_fault is not None:
        stuck = tuple(w.thread for w in trace.blocked if not w.daemon)
        fault = trace.final_fault.message if trace.final_fault is not None else ""
        violated = _all_broken(records, "", "", (*freed, *reads), True)
        return tag(Observation(records, "", "", violated, stuck, fault, trace.loop is not None), initial_of(layout))
    media = _media(last) if last["i_disksize"] != "0" else "EOF"
    cached = (last["page[0]"] if last["slot[0]"] == "UPTODATE" else _media(last)) if last["i_size"] != "0" else "EOF"
    reported = last.get("wb_err") == "True"
    final = () if reported else of_file(last, media)
    violated = _all_broken(records, cached, media, (*freed, *reads, *final), reported)
    return tag(Observation(records, cached, media, violated, reported=reported), initial_of(layout))


def _all_broken(
    records: Sequence[Record], cached: str, media: str, found: tuple[str, ...], reported: bool
) -> tuple[str, ...]:
    """The violated properties: `found`, and those that the results and the file show on their own."""
    shown = {value for record in records for value in (record.outcome, record.earlier)} | {cached, media}
    exposed = ("no_stale_exposure",) if "STALE" in shown else ()
    differs = ("coherent_at_rest",) if cached != media and not reported else ()
    return tuple(dict.fromkeys([*exposed, *found, *differs]))


def _media(last: dict[str, str]) -> str:
    if last["block[0]"] != "MAPPED":
        return "ZERO"
    sectors = {value for cell, value in last.items() if cell.startswith("disk[")}
    return "STALE" if "STALE" in sectors else sectors.pop() if len(sectors) == 1 else "TORN"
