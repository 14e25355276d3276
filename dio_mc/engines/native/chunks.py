"""Distributes the states of a level over the workers in work chunks of a few states each.

The states that a worker was the first to find lie in its own array. To expand a level, a worker
takes chunks from its own part of the level until that is empty, then from the parts of the others;
an atomic addition reserves a chunk. So all workers are busy until the level is done, no matter who
found its states.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Final

from dio_mc.engines.native.asm import Asm
from dio_mc.engines.native.memory import Region
from dio_mc.engines.native.writer import Writer

CHUNK: Final = 128
"""States in a chunk."""
LINE: Final = 8
"""Words in a cache line. Words that different workers write lie in different lines, which avoids
false sharing."""
HALT, PARTS = 0, LINE
"""Positions of words: whether all workers should return; and from `PARTS` on, `LINE` words for the
part of each worker."""
SOURCE, TAKEN, END = range(3)
"""Positions within a part: the address of the array, the number of the next state to take, and of
one past the last."""


class Chunks:
    """The states that are left to take, in memory shared by all workers. States are numbered as in
    the array of their worker."""

    def __init__(self, sources: Sequence[int]) -> None:
        self._region = Region(8 * (PARTS + LINE * len(sources)), huge=False)
        self.address = self._region.address
        self._numbers = (ctypes.c_int64 * (PARTS + LINE * len(sources))).from_address(self.address)
        self._starts = [0] * len(sources)
        for worker, source in enumerate(sources):
            self.feed(worker, source)

    def feed(self, worker: int, source: int) -> None:
        """Set the address of the array of a worker's part."""
        self._numbers[PARTS + LINE * worker + SOURCE] = source

    def share(self, parts: Sequence[tuple[int, int]]) -> None:
        """Offer a range of each worker's array. All states of earlier ranges must be expanded."""
        for worker, (first, end) in enumerate(parts):
            at = PARTS + LINE * worker
            self._numbers[at + TAKEN], self._numbers[at + END] = first, end
            self._starts[worker] = first

    @property
    def taken(self) -> int:
        """The number of states that were taken of the ranges offered last."""
        numbers, starts = self._numbers, enumerate(self._starts)
        places = [(PARTS + LINE * worker, first) for worker, first in starts]
        return sum(min(numbers[at + TAKEN], numbers[at + END]) - first for at, first in places)

    def halt(self, *, whether: bool) -> None:
        """Make all workers return soon, or let them continue."""
        self._numbers[HALT] = whether

    def close(self) -> None:
        """Free the memory."""
        self._region.close()


def first_of(parts: Sequence[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """The first `most` states of these ranges, taken from one worker after the other."""
    found: list[tuple[int, int]] = []
    for first, end in parts:
        stop = min(first + most, end)
        found.append((first, stop))
        most -= stop - first
    return found


class ChunkCode:
    """Generates the code that takes a chunk."""

    def __init__(self, code: Writer) -> None:
        self._code = code

    def halted(self, asm: Asm) -> str:
        """Whether all workers should return."""
        return asm.op(f"icmp ne i64 {asm.load(self._code.pointer(asm, 'chunks'))}, 0")

    def halt(self, asm: Asm) -> None:
        """Make all workers return."""
        asm.store(1, self._code.pointer(asm, "chunks"))

    def text(self) -> str:
        """``@take_chunk(ctx)``: set `source`, `next` and `stop` to a chunk; the result tells
        whether there was one.

        ``part`` is the part to take from, ``parts_left`` the number of parts that have not been
        seen empty.
        """
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
        # monotonic suffices: the states of a level are written before any worker begins to expand it
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
