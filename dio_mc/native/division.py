"""Which worker has a state: the control states of a few threads decide, shared out as the first states suggest.

A step moves one thread. So where two threads of many decide, most successors stay with the worker that found them and
need not travel; and two ways to the same state mostly meet at one worker, which then forgets the second at once.
Control states are not all as common, so they are counted first: a search begins alone, and when it is large it begins
again, divided. (The idea of keeping successors local is Lerda and Sisto's, "Distributed-memory model checking with
SPIN", 1999.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from dio_mc.native.asm import Asm, Ref
from dio_mc.native.fields import Tables, Words
from dio_mc.native.packing import Field, Packing
from dio_mc.native.writer import Writer

SAMPLE: Final = 1 << 17
"""States that are counted before the search is divided; up to so many are left to one worker."""
PARTS: Final = 1 << 12
"""The most parts to share out."""
ENOUGH: Final = 64
"""Fewer parts cannot be shared out evenly."""


def parts_of(packing: Packing) -> int:
    """Into how many parts states fall."""
    fields = _deciding(packing)
    return prod(field.radix for field in fields) if fields else PARTS


def write_division(packing: Packing, tables: Tables) -> str:
    """``@part(words)``: the part that a state is in. ``@tally(ctx, counts)``: how many known states each has."""
    return _part(packing, tables) + _tally(packing)


def _deciding(packing: Packing) -> list[Field]:
    """The control states of one thread, where there are up to three, else of two, and of more where that gives too few
    parts; those with most control states first, but fields that share their bits last. None: the hash decides."""
    threads = range(len(packing.configs))
    fields = [packing.fields[key] for t in threads if (key := _control(packing, t)) in packing.fields]
    wanted = 1 if len(fields) <= 3 else 2
    chosen: list[Field] = []
    parts = 1
    for field in sorted(fields, key=lambda field: (not field.plain, -field.radix)):
        if len(chosen) >= wanted and parts >= ENOUGH:
            break
        if parts * field.radix <= PARTS:
            chosen.append(field)
            parts *= field.radix
    return chosen if parts >= ENOUGH else []


def _control(packing: Packing, thread: int) -> tuple[str, int]:
    return ("cell", packing.layout.pc[thread]) if packing.configs[thread] is None else ("config", thread)


def _part(packing: Packing, tables: Tables) -> str:
    asm = Asm()
    writer = Writer(packing.words, 0, (0, 0))
    names = [f"%a{n}" for n in range(packing.words)]
    words = Words(asm, packing, tables, names, slots=False)
    part: Ref = 0
    for field in (fields := _deciding(packing)):
        part = asm.add(asm.mul(part, field.radix), words.raw(field))
    if not fields:
        part = asm.bits("and", asm.op(f"call i64 @hash({writer.listed(names)})"), PARTS - 1)
    asm.do(f"ret i64 {part}")
    return asm.text(f"define internal i64 @part({writer.arguments()}) alwaysinline")


def _tally(packing: Packing) -> str:
    asm = Asm()
    writer = Writer(packing.words, 0, (0, 0))

    def count(words: Sequence[str]) -> None:
        part = asm.op(f"call i64 @part({writer.listed(words)})")
        place = asm.op(f"getelementptr i64, ptr %counts, i64 {part}")
        asm.store(asm.add(asm.load(place), 1), place)

    writer.each(asm, writer.pointer(asm, "states"), writer.get(asm, "end"), count)
    asm.do("ret i64 0")
    return asm.text("define i64 @tally(ptr %ctx, ptr %counts)")


@dataclass(frozen=True, slots=True)
class Division:
    """So many workers, and the number of the one who owns each part."""

    workers: int
    owners: tuple[int, ...]


ALONE: Final = Division(1, (0,))


def share_out(counts: Sequence[int], workers: int) -> Division:
    """The largest part first, to whoever has least; parts not seen yet in turn."""
    owners = [number % workers for number in range(len(counts))]
    load = [0] * workers
    for part in sorted((n for n, count in enumerate(counts) if count), key=lambda n: (-counts[n], n)):
        owners[part] = load.index(min(load))
        load[owners[part]] += counts[part]
    return Division(workers, tuple(owners))
