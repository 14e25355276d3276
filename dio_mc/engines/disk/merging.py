"""k-way merge of sorted arrays in memory and on disk, and removal of known states.

The merge proceeds piece by piece: from every array it takes the states up to the smallest last
state of the arrays' current pieces, and sorts these together with the function that also sorts
candidates. A piece is small enough to stay in the processor's caches.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final, Protocol

from dio_mc.engines.disk.files import Coder, Pile, Sorted, Writing
from dio_mc.engines.disk.sorting import Key, Sorter
from dio_mc.engines.native.memory import Region

FAN: Final = 32
"""The largest number of arrays that are merged at once."""

Look = Callable[[], None]
"""Polls the limits; raises `Cut` if one is reached."""
Sink = Callable[[int, int], None]
"""Receives sorted states (address, number), which it may overwrite."""


class Cursor(Protocol):
    """A position in a sorted array. `count` states from `address` on are in memory; `last` is the
    last of these."""

    address: int
    count: int
    last: Key

    def fill(self) -> bool:
        """Load the next states if none is in memory. Return False at the end."""
        ...

    def close(self) -> None:
        """Free the cursor's memory."""
        ...


class InMemory:
    """A cursor over a sorted array in memory."""

    def __init__(self, sorter: Sorter, address: int, count: int, piece: int) -> None:
        self._sorter, self._left, self._piece = sorter, count, piece
        self.address, self.count = address, 0
        self.last: Key = ()

    def fill(self) -> bool:
        """See `Cursor`."""
        if self.count == 0 and self._left:
            self.count = min(self._piece, self._left)
            self._left -= self.count
            self.last = self._sorter.key(self.address, self.count - 1)
        return self.count > 0

    def close(self) -> None:
        """See `Cursor`."""


class OnDisk:
    """A cursor over a sorted array on disk, of which one block is in memory."""

    def __init__(self, coder: Coder, states: Sorted) -> None:
        self._coder, self._states, self._next = coder, states, 0
        self._region = Region(coder.most * coder.sorter.size, huge=False)
        self.address, self.count = self._region.address, 0
        self.last: Key = ()

    def fill(self) -> bool:
        """See `Cursor`."""
        if self.count == 0 and self._next < len(self._states.blocks):
            block = self._states.blocks[self._next]
            self._coder.read(self._states.pile, block, self._region.address)
            self.address, self.count, self.last = self._region.address, block.count, block.last
            self._next += 1
        return self.count > 0

    def close(self) -> None:
        """See `Cursor`."""
        self._region.close()


def merge(coder: Coder, cursors: Sequence[Cursor], sink: Sink, look: Look) -> None:
    """Pass the states of all arrays to `sink` in order, without duplicates. The cursors are closed
    at the end."""
    sorter = coder.sorter
    with ExitStack() as stack:
        for cursor in cursors:
            stack.callback(cursor.close)
        room = Region(2 * len(cursors) * coder.most * sorter.size, huge=False)
        stack.callback(room.close)
        while live := [cursor for cursor in cursors if cursor.fill()]:
            look()
            if len(live) == 1:
                (only,) = live
                sink(only.address, only.count)
                only.address, only.count = only.address + only.count * sorter.size, 0
                continue
            bound, count = min(cursor.last for cursor in live), 0
            for cursor in live:
                taken = sorter.up_to(cursor.address, cursor.count, bound)
                ctypes.memmove(room.address + count * sorter.size, cursor.address, taken * sorter.size)
                cursor.address, cursor.count = cursor.address + taken * sorter.size, cursor.count - taken
                count += taken
            sink(room.address, sorter.sort(room.address, count, room.address + room.size // 2))


def written(coder: Coder, pile: Pile, cursors: Sequence[Cursor], look: Look, known: Known | None = None) -> Sorted:
    """The merge of some arrays, without `known` states, as an array on disk. If it fails, nothing
    remains in the file."""
    writing = Writing(coder, pile)

    def sink(address: int, count: int) -> None:
        writing.put(address, count if known is None else known.leave_out(address, count))

    try:
        merge(coder, cursors, sink, look)
        return writing.finish()
    except BaseException:
        writing.give_up()
        raise


def fewer(coder: Coder, pile: Pile, arrays: list[Sorted], look: Look) -> list[Sorted]:
    """The same states in at most `FAN` arrays, by merging some of them."""
    while len(arrays) > FAN:
        arrays = [
            *arrays[FAN:],
            written(coder, pile, [OnDisk(coder, one) for one in arrays[:FAN]], look),
        ]
    return arrays


class Known:
    """Removes known states from sorted ones, which arrive in ascending order, in one pass over the
    known arrays."""

    def __init__(self, coder: Coder, arrays: Sequence[Sorted], most: int, look: Look) -> None:
        self._coder, self._look, self._most = coder, look, most
        self._sweeps = [_Sweep(coder, array) for array in arrays]
        self._marks = Region(most, huge=False)

    def leave_out(self, address: int, count: int) -> int:
        """Move the states that are not known to the front; return their number."""
        sorter, kept = self._coder.sorter, 0
        for start in range(0, count, self._most):
            at, some = address + start * sorter.size, min(self._most, count - start)
            for sweep in self._sweeps:
                sweep.mark(at, some, self._marks.address, self._look)
            left = sorter.call["without"](at, some, self._marks.address)
            ctypes.memmove(address + kept * sorter.size, at, left * sorter.size)
            kept += left
        return kept

    def close(self) -> None:
        """Free its memory."""
        self._marks.close()
        for sweep in self._sweeps:
            sweep.close()


class _Sweep:
    """A pass over one array of known states. Blocks that can have none of the states asked for are
    not read."""

    def __init__(self, coder: Coder, states: Sorted) -> None:
        self._coder, self._states = coder, states
        self._at, self._loaded = 0, -1
        self._region = Region(coder.most * coder.sorter.size, huge=False)

    def mark(self, address: int, count: int, marks: int, look: Look) -> None:
        """Mark the known ones among `count` states."""
        sorter, blocks = self._coder.sorter, self._states.blocks
        last = sorter.key(address, count - 1)
        while self._at < len(blocks) and blocks[self._at].first <= last:
            block = blocks[self._at]
            number = sorter.below(address, count, block.first)
            if number < count and sorter.key(address, number) <= block.last:
                look()
                self._load()
                sorter.call["strike"](address, count, number, self._region.address, block.count, marks)
            if block.last > last:
                return
            self._at += 1

    def _load(self) -> None:
        if self._loaded != self._at:
            self._coder.read(self._states.pile, self._states.blocks[self._at], self._region.address)
            self._loaded = self._at

    def close(self) -> None:
        self._region.close()
