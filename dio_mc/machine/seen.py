"""What a kernel showed, in the words of the models: one observation, tagged as those of `dio-mc outcomes` are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dio_mc.machine.failures import GuestLost
from dio_mc.machine.schedule import Ran
from dio_mc.study.observe import Observation, Record
from dio_mc.study.tags import Tagged, tag
from dio_mc.trace.trace import Trace

WRITEBACK: Final = "writeback"
"""The program of a thread that stands for the kernel's flusher; it has no results."""


def initial_of(layout: str) -> str:
    """What a file of this layout reads as."""
    return "OLD" if layout == "written" else "ZERO"


def tagged(ran: Ran, names: Sequence[str], layout: str) -> Tagged:
    """In words; `names` are those of the threads that have results, the first ones. Raises `GuestLost` when a call
    failed in a way that no model knows."""
    return tag(observation(ran, names), initial_of(layout))


def observation(ran: Ran, names: Sequence[str]) -> Observation:
    """What the calls left, and what the file holds."""
    stuck = tuple(sorted(names[b.thread] for b in ran.stuck if b.thread < len(names)))
    if ran.stuck:
        records = tuple(Record(name, "NOTHING", "NOTHING", "NOTHING", "NOTHING") for name in names)
        return Observation(records, "", "", freed_io=False, stuck=stuck)
    for name, left in zip(names, ran.left, strict=False):
        if left.failed:
            raise GuestLost(f"thread {name}: {left.failed.replace(':', ' fails with ')}")
    records = tuple(
        Record(name, left.earlier, left.outcome, left.floor, left.wrote)
        for name, left in zip(names, ran.left, strict=False)
    )
    return Observation(records, ran.cached, ran.media, freed_io=False, reported=ran.reported)


def of_trace(trace: Trace, users: Sequence[str], layout: str) -> Tagged:
    """What the run of a rule and a workload ends with; `users` are the workload's threads."""
    *_, last = trace.states()
    own = [(n, thread.name) for n, thread in enumerate(trace.threads) if thread.name in users]
    records = tuple(
        Record(name, *(last[f"{cell}[{n}]"] for cell in ("earlier", "outcome", "floor", "wrote"))) for n, name in own
    )
    freed = last.get("freed_io") == "True"
    if trace.property == "deadlock" or trace.loop is not None or trace.final_fault is not None:
        stuck = tuple(w.thread for w in trace.blocked if not w.daemon)
        fault = trace.final_fault.message if trace.final_fault is not None else ""
        return tag(Observation(records, "", "", freed, stuck, fault, trace.loop is not None), initial_of(layout))
    media = _media(last) if last["i_disksize"] != "0" else "EOF"
    cached = (last["page[0]"] if last["slot[0]"] == "UPTODATE" else _media(last)) if last["i_size"] != "0" else "EOF"
    return tag(Observation(records, cached, media, freed, reported=last.get("wb_err") == "True"), initial_of(layout))


def _media(last: dict[str, str]) -> str:
    if last["block[0]"] != "MAPPED":
        return "ZERO"
    sectors = {value for cell, value in last.items() if cell.startswith("disk[")}
    return sectors.pop() if len(sectors) == 1 else "TORN"
