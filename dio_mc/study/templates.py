"""Concurrent operations with any number of those that write nothing: the subject of a proof, and
its instances.

A register identifies a write by its value, and an operation always writes the same value: so there
can be at most one instance of an operation that writes, beside any number of the others
(`dio_mc.kernel.one_write`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from dio_mc.kernel.families import MonotonicRead, NoFreedIO, NoLostWrite, NothingExposed, ReadAfterAck
from dio_mc.kernel.file import File
from dio_mc.kernel.one_write import NothingTorn, NothingUnwanted, OneWrite
from dio_mc.kernel.properties import CoherentAtRest
from dio_mc.kernel.words import Block, Data
from dio_mc.lang import Array, Model, Var
from dio_mc.study.registry import LAYOUTS, SYSTEM_CALLS, Rule, Workload, calls_of, product_class, reads_as

WRITING: Final = frozenset(["pwrite", "pwrite_direct", "io_submit_pwrite", "mmap_store", "punch_hole", "truncate"])
"""System calls that change the file."""
_ASYNCHRONOUS: Final = frozenset(["io_submit_pread", "io_submit_pwrite", "io_getevents"])
_PROCESSES: Final = frozenset(["fork", "store_beside_buffer"])
_JUDGES: Final = (
    NothingExposed, NoFreedIO, NoLostWrite, CoherentAtRest, ReadAfterAck, MonotonicRead, NothingUnwanted, NothingTorn,
)  # fmt: skip
"""The meaning of `ok` in a cell of the matrix, except for threads that cannot continue."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The threads of a workload: `many`, of which there may be any number, and those of which there
    is one. `reason`: why there can be no such number, otherwise empty."""

    many: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    reason: str = ""


def roles_of(workload: Workload) -> Roles:
    """The threads of which there may be any number."""
    if workload.pages > 1:
        return Roles(reason="what a call on several pages returns is not followed")
    calls = {name: calls_of(function) for name, function in workload.threads.items()}
    used = frozenset[str]().union(*calls.values())
    if used - SYSTEM_CALLS:
        return Roles(reason=f"`{min(used - SYSTEM_CALLS)}` is not a system call")
    if used & _ASYNCHRONOUS:
        return Roles(reason="an asynchronous call hands its thread's id to its completion")
    if used & _PROCESSES:
        return Roles(reason="a process changes what others were given")
    single = tuple(name for name, made in calls.items() if made & WRITING)
    if len(single) > 1:
        return Roles(reason="more than one operation writes: which of several writes is the last is not followed")
    return Roles(tuple(name for name in workload.threads if name not in single), single)


def general_class(workload: Workload, rule: Rule, layout: str) -> type[Model]:
    """The class of a workload under a rule, on a file of this layout, with properties for any number of reads."""
    block, data = LAYOUTS[layout]
    members: dict[str, Any] = {
        "block": Array(Block, size=File.pages, init=block),
        "disk": Array(Data, size=File.pages * File.sectors, init=data),
        "before": Var(Data, init=reads_as(layout), ghost=True),
        "tells_all": False,  # `nothing_reported` is about the first error
    }
    return product_class(workload, rule, (*_JUDGES, OneWrite), members)
