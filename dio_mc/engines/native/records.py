"""The results of the backward pass for one level, as Python holds them: arrays of records, and a
hash table of them.

`back` defines a record. Memory use is that of the records, and of one table at a time.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from dio_mc.engines.native.back import rest_words
from dio_mc.engines.native.context import INDEX, SIZE, SLACK
from dio_mc.engines.native.memory import PAGE, Region
from dio_mc.engines.native.prepared import Prepared
from dio_mc.semantics.layout import State

LEAST: Final = 64
"""Slots of the smallest table."""

Part = ctypes.Array[ctypes.c_uint64]
"""Records, one after the other."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The layout of a record, in 64-bit words: `words` of the state, `size` in all; those after the
    state describe the best continuation."""

    words: int
    size: int

    @staticmethod
    def of(prepared: Prepared) -> Shape:
        """The layout of the records of a program."""
        words = prepared.module.packing.words
        return Shape(words, words + rest_words(len(prepared.module.program.threads)))


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one level."""

    shape: Shape
    parts: tuple[Part, ...]

    @property
    def count(self) -> int:
        """The number of records."""
        return sum(len(part) for part in self.parts) // self.shape.size

    @property
    def fewest(self) -> int:
        """The fewest switches of the best continuation from any of the states. Raises `ValueError`
        if there are no records."""
        return min(min(part[self.shape.words :: self.shape.size]) for part in self.parts)

    def first(self) -> Records:
        """The first record alone; no record if there is none."""
        return Records(self.shape, (_copied(self.parts[0], self.shape.size),)) if self.parts else self


def taken(shape: Shape, address: int, count: int) -> Part:
    """A copy of `count` records at an address."""
    return _copied((ctypes.c_uint64 * (count * shape.size)).from_address(address), count * shape.size)


def _copied(part: Part, size: int) -> Part:
    copy = (ctypes.c_uint64 * size)()
    ctypes.memmove(copy, part, 8 * size)
    return copy


class RecordTable:
    """The records of one level in a hash table, keyed by state.

    With `reduced`, the records are those of representatives, and a record is found by any state of
    the orbit. Raises `MemoryError` if the table has no memory or no free slot.
    """

    def __init__(self, prepared: Prepared, records: Records, *, reduced: bool) -> None:
        self._prepared, self._records, shape = prepared, records, records.shape
        slots = max(2 * records.count, LEAST)
        size = 8 * (slots + SLACK)
        self._region = Region(size * shape.size, huge=size * shape.size >= 4 * PAGE)
        self._context = (ctypes.c_int64 * SIZE)()
        table = self._region.address
        for name, value in (
            ("table", table), ("rests", table + size * shape.words), ("slots", slots), ("limit", slots + SLACK),
            ("reduced", int(reduced)),
        ):  # fmt: skip
            self._context[INDEX[name]] = value
        self.address = ctypes.addressof(self._context)
        for part in records.parts:
            if prepared.machine.call["keep"](self.address, ctypes.addressof(part), len(part) // shape.size):
                self.close()
                raise MemoryError("the table of the states on shortest paths has no place left")

    @property
    def fewest(self) -> int:
        """See `canonical.Following`."""
        return self._records.fewest

    def begins(self, state: State) -> int | None:
        """See `canonical.Following`: no step has been made yet, so the thread that suits the
        continuation best counts as the last one."""
        threads = range(len(self._prepared.module.program.threads))
        first = self.left(state, 0)
        return first if first is None else min(first, *(self._left(state, thread) for thread in threads))

    def left(self, state: State, thread: int) -> int | None:
        """See `canonical.Following`."""
        found = self._left(state, thread)
        return None if found < 0 else found

    def _left(self, state: State, thread: int) -> int:
        words = self._prepared.module.packing.encode(state)
        packed = (ctypes.c_uint64 * len(words))(*words)
        return self._prepared.machine.call["left_from"](self.address, ctypes.addressof(packed), thread)

    def close(self) -> None:
        """Free the table."""
        self._region.close()


def tables(prepared: Prepared, levels: Sequence[Records], *, reduced: bool) -> Iterator[RecordTable]:
    """The tables of the levels in turn; each is closed when the next one is requested."""
    for records in levels:
        with closing(RecordTable(prepared, records, reduced=reduced)) as table:
            yield table
