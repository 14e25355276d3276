"""Who expands what: workers take chunks of a few states each from what is left of a level.

What a worker has found it has in an array of its own. To expand a level, each takes chunks from its own part while
there is one, then from the others': an atomic addition says which. So all are at work until the level is done, whoever
has found its states.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Final

from dio_mc.engines.native.asm import Asm
from dio_mc.engines.native.memory import Region
from dio_mc.engines.native.writer import Writer

CHUNK: Final = 128
"""States of a chunk."""
LINE: Final = 8
"""Numbers that lie in one line of the caches: what one worker writes should not slow down another."""
HALT, PARTS = 0, LINE
"""Where the numbers are: whether all should come back; from `PARTS` on, `LINE` per worker, those of its part."""
SOURCE, TAKEN, END = range(3)
"""Of a part: the address of the array, the number of the next state to take, the one after the last."""


class Chunks:
    """What is left to take, in memory that all workers see; states are numbered per worker, as in its array."""

    def __init__(self, sources: Sequence[int]) -> None:
        self._region = Region(8 * (PARTS + LINE * len(sources)), huge=False)
        self.address = self._region.address
        self._numbers = (ctypes.c_int64 * (PARTS + LINE * len(sources))).from_address(self.address)
        self._starts = [0] * len(sources)
        for worker, source in enumerate(sources):
            self.feed(worker, source)

    def feed(self, worker: int, source: int) -> None:
        """The part of a worker is one of the array at this address."""
        self._numbers[PARTS + LINE * worker + SOURCE] = source

    def share(self, parts: Sequence[tuple[int, int]]) -> None:
        """Let workers take chunks of these parts, one part of each worker; all earlier ones must be done."""
        for worker, (first, end) in enumerate(parts):
            at = PARTS + LINE * worker
            self._numbers[at + TAKEN], self._numbers[at + END] = first, end
            self._starts[worker] = first

    @property
    def taken(self) -> int:
        """States that were taken of those shared last."""
        numbers, starts = self._numbers, enumerate(self._starts)
        places = [(PARTS + LINE * worker, first) for worker, first in starts]
        return sum(min(numbers[at + TAKEN], numbers[at + END]) - first for at, first in places)

    def halt(self, *, whether: bool) -> None:
        """Have all workers come back soon, or let them go on."""
        self._numbers[HALT] = whether

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


class ChunkCode:
    """Writes what takes a chunk."""

    def __init__(self, code: Writer) -> None:
        self._code = code

    def halted(self, asm: Asm) -> str:
        """Whether all should come back."""
        return asm.op(f"icmp ne i64 {asm.load(self._code.pointer(asm, 'chunks'))}, 0")

    def halt(self, asm: Asm) -> None:
        """Have all come back."""
        asm.store(1, self._code.pointer(asm, "chunks"))

    def text(self) -> str:
        """``@take_chunk(ctx)``: take some states to expand, from `next` to `stop` of `source`; whether there were any.
        ``part`` is the one to take from, as often as ``parts_left`` says the next one is looked at."""
        asm = Asm()
        workers = self._code.get(asm, "workers")
        asm.jump("head")
        asm.start("head")
        left = self._code.get(asm, "parts_left")
        asm.branch(asm.op(f"icmp eq i64 {left}, 0"), "none", "some")
        asm.start("some")
        part = self._code.get(asm, "part")
        first = asm.add(asm.mul(part, LINE), PARTS)
        at = asm.op(f"getelementptr i64, ptr {self._code.pointer(asm, 'chunks')}, i64 {first}")
        taken = asm.op(f"getelementptr i64, ptr {at}, i64 {TAKEN}")
        end = asm.load(asm.op(f"getelementptr i64, ptr {at}, i64 {END}"))
        number = asm.op(f"atomicrmw add ptr {taken}, i64 {CHUNK} monotonic")
        asm.branch(asm.op(f"icmp ult i64 {number}, {end}"), "take", "empty")
        asm.start("take")
        after = asm.add(number, CHUNK)
        stop = asm.select(asm.op(f"icmp ult i64 {after}, {end}"), after, end)
        self._code.put(asm, "source", asm.load(at))
        self._code.put(asm, "next", number)
        self._code.put(asm, "stop", stop)
        asm.do("ret i1 true")
        asm.start("empty")
        following = asm.add(part, 1)
        around = asm.op(f"icmp eq i64 {following}, {workers}")
        self._code.put(asm, "part", asm.select(around, 0, following))
        self._code.put(asm, "parts_left", asm.sub(left, 1))
        asm.jump("head")
        asm.start("none")
        asm.do("ret i1 false")
        return asm.text("define internal i1 @take_chunk(ptr %ctx) noinline")
