"""One worker of the compiled search: the states it has found, its memory, its context."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from dio_mc.engines.native.context import INDEX, RECENT, SIZE, SLACK
from dio_mc.engines.native.machine import Machine
from dio_mc.engines.native.memory import Region
from dio_mc.engines.native.module import Module
from dio_mc.engines.native.table import BITS
from dio_mc.engines.native.visited import Visited

LAG: Final = 64
"""Successors that wait for their place in the table to arrive, at least."""
WAITING: Final = LAG + LAG // 2
"""The most that wait when the next state is expanded."""
NEWS: Final = 1 << 12
OVERFLOW: Final = 1 << 17
"""States that may have to be set aside while a table grows."""
NEVER: Final = (1 << 63) - 1


class Worker:
    """A context with its memory; the table is that of all. `space` bounds the bytes of the
    states it has found: `capacity` is the most of them."""

    def __init__(self, module: Module, machine: Machine, visited: Visited, workers: int, space: int) -> None:
        self.module = module
        self.machine = machine
        self.words = module.packing.words
        self._regions: list[Region] = []
        self.address = self._raw(8 * SIZE).address
        self._context = (ctypes.c_int64 * SIZE).from_address(self.address)
        bytes_ = 8 * self.words
        self.states = self._region("states", space, huge=True)
        self.capacity = space // bytes_
        monitors = max(len(module.tables), 1)
        self._region("news", (NEWS + self.ahead * monitors) * 8 * (1 + 2 * self.words))
        self._region("flags", module.flags + len(module.tables))
        self._region("seen", 2 * len(module.names.places))
        self._region("ends", 8 * (1 + len(module.program.threads)))
        self._region("recent", RECENT, huge=True)
        self._region("out", module.most * bytes_)
        ring = 1 << (WAITING + module.most).bit_length()
        self._region("ring", ring * bytes_)
        self._region("overflow", OVERFLOW * bytes_)
        self.set(
            table=visited.region.address, news_most=NEWS, ring_mask=ring - 1, lag=LAG, max_states=NEVER,
            overflow_most=OVERFLOW, workers=workers,
        )  # fmt: skip
        self.resize(visited.slots)

    @property
    def ahead(self) -> int:
        """The most states that are taken in before it is asked again whether they may be."""
        return WAITING + 2 * self.module.most

    # -- numbers and memory --------------------------------------------------------------------------------------------

    def _raw(self, size: int, *, huge: bool = False) -> Region:
        region = Region(size, huge=huge)
        self._regions.append(region)
        return region

    def _region(self, name: str, size: int, *, huge: bool = False) -> Region:
        region = self._raw(size, huge=huge)
        self.set(**{name: region.address})
        return region

    def get(self, name: str) -> int:
        """A number of the context."""
        return self._context[INDEX[name]]

    def set(self, **values: int) -> None:
        """Set numbers of the context."""
        for name, value in values.items():
            self._context[INDEX[name]] = value

    def close(self) -> None:
        """Give the memory back."""
        for region in self._regions:
            region.close()

    # -- states --------------------------------------------------------------------------------------------------------

    def resize(self, slots: int) -> None:
        """The table has so many home places."""
        self.set(slots=slots, limit=slots + SLACK)

    def insert(self, words: Sequence[Sequence[int]]) -> int:
        """Take in states from Python, for which there must be room; why not, if it cannot."""
        flat = [word - (1 << 64) if word >> 63 else word for state in words for word in state]
        source = (ctypes.c_int64 * max(len(flat), 1))(*flat)
        if self.get("reduced"):
            self.machine.call["reduce_all"](self.address, ctypes.addressof(source), len(words))
        return self.machine.call["insert_all"](self.address, ctypes.addressof(source), len(words))

    def rehash(self, stretch: tuple[int, int], least: int) -> int:
        """Move the states of a stretch of the table, which has been resized, to places from `least` on; 1 if that
        failed."""
        return self.machine.call["rehash"](self.address, *stretch, least)

    def insert_overflow(self) -> int:
        """Put back what had to be set aside meanwhile; 1 if that failed."""
        return self.machine.call["insert_overflow"](self.address)

    def expand(self) -> int:
        """Expand states as long as there is a chunk to take; why it came back."""
        return self.machine.call["expand"](self.address)

    # -- what it has to say --------------------------------------------------------------------------------------------

    def state(self, number: int) -> tuple[int, ...]:
        """The words of a state by its number."""
        at = self.states.address + number * 8 * self.words
        return tuple((ctypes.c_uint64 * self.words).from_address(at))

    def take_news(self) -> Iterator[tuple[int, tuple[int, ...], tuple[int, ...]]]:
        """(PropertyEvaluator, words, words after the step) for every valuation that is new."""
        size = 1 + 2 * self.words
        start = self.get("news")
        for number in range(self.get("news_length")):
            entry = (ctypes.c_uint64 * size).from_address(start + number * 8 * size)
            yield entry[0], tuple(entry[1 : 1 + self.words]), tuple(entry[1 + self.words :])
        self.set(news_length=0)

    def marks(self, name: str, size: int) -> bytes:
        """The bytes of ``flags`` or ``seen``."""
        return ctypes.string_at(self.get(name), size)

    def has_bits(self, hash_: int) -> bool:
        """Whether a bit-state table would know a state with this hash."""
        mask = sum({1 << (hash_ >> shift & 63) for shift in BITS})
        at = self.get("table") + 8 * (hash_ * self.get("slots") >> 64)
        return ctypes.c_uint64.from_address(at).value & mask == mask


def sample(count: int) -> Iterator[int]:
    """So many hashes, the same ones each time."""
    random = Random(0)
    return (random.getrandbits(64) for _ in range(count))
