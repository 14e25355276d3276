"""One worker of the compiled search: its array of states, its buffers, its context."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Final

from dio_mc.engines.native.context import INDEX, RECENT, SIZE, SLACK
from dio_mc.engines.native.machine import Machine
from dio_mc.engines.native.memory import Region
from dio_mc.engines.native.module import Module
from dio_mc.engines.native.table import BITS
from dio_mc.engines.native.visited import Visited
from dio_mc.semantics.search import Approximate

LAG: Final = 64
"""The number of successors that remain in the ring while their slots in the table are
prefetched."""
WAITING: Final = LAG + LAG // 2
"""The most successors in the ring when the next state is expanded."""
NEWS: Final = 1 << 12
"""Entries of the buffer of new valuations from which a worker returns to have them taken."""
OVERFLOW: Final = 1 << 17
"""Bound on the number of states that are set aside while the table grows."""
NEVER: Final = (1 << 63) - 1
"""A limit that is never reached."""
SAMPLE: Final = 1 << 16
"""Hashes with which the false positive rate of a bit-state table is measured."""


class Worker:
    """A context with its buffers. The table is shared by all workers.

    `space` is the size in bytes of the array of states that this worker was the first to find;
    `capacity` is its size in states. `most_at_once` is the most states that can be inserted before
    new valuations are taken: each may have one for every property.
    """

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
        self.most_at_once = NEWS // monitors + self.ahead
        self._region("news", self.most_at_once * monitors * 8 * (1 + 2 * self.words))
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
        """The most states that can be inserted between two checks of the limits on states."""
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
        """Read a field of the context."""
        return self._context[INDEX[name]]

    def set(self, **values: int) -> None:
        """Set fields of the context."""
        for name, value in values.items():
            self._context[INDEX[name]] = value

    def close(self) -> None:
        """Free all buffers."""
        for region in self._regions:
            region.close()

    # -- states --------------------------------------------------------------------------------------------------------

    def resize(self, slots: int) -> None:
        """Record that the table has `slots` home slots."""
        self.set(slots=slots, limit=slots + SLACK)

    def insert(self, words: Sequence[Sequence[int]]) -> int:
        """Insert at most `most_at_once` packed states from Python, for which there must be room.
        Return 0, or the reason for failure: `FULL` or `LOST`."""
        flat = [word - (1 << 64) if word >> 63 else word for state in words for word in state]
        source = (ctypes.c_int64 * max(len(flat), 1))(*flat)
        if self.get("reduced"):
            self.machine.call["reduce_all"](self.address, ctypes.addressof(source), len(words))
        return self.machine.call["insert_all"](self.address, ctypes.addressof(source), len(words))

    def rehash(self, stretch: tuple[int, int], least: int) -> int:
        """Move the states in a range of slots of the resized table to slots from `least` on. Return
        1 if that failed, otherwise 0."""
        return self.machine.call["rehash"](self.address, *stretch, least)

    def insert_overflow(self) -> int:
        """Reinsert the states that were set aside during a rehash. Return 1 if that failed,
        otherwise 0."""
        return self.machine.call["insert_overflow"](self.address)

    def expand(self) -> int:
        """Expand states while there are work chunks to take; return the reason for returning
        (`DONE`, `GROW`, ...)."""
        return self.machine.call["expand"](self.address)

    @contextmanager
    def reading(self, address: int) -> Iterator[None]:
        """Meanwhile the functions that examine states take them from `address`, not from the
        array."""
        before = self.get("states")
        self.set(states=address)
        try:
            yield
        finally:
            self.set(states=before)

    # -- what it has to say --------------------------------------------------------------------------------------------

    def state(self, number: int) -> tuple[int, ...]:
        """The words of the state with this number in the worker's array."""
        at = self.states.address + number * 8 * self.words
        return tuple((ctypes.c_uint64 * self.words).from_address(at))

    def take_news(self) -> Iterator[tuple[int, tuple[int, ...], tuple[int, ...]]]:
        """Remove and return the new valuations: evaluator number, words of the state, words of its
        successor (meaningless unless the property is about steps)."""
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
        """Return whether a bit-state table would take a state with this hash for a known one."""
        mask = sum({1 << (hash_ >> shift & 63) for shift in BITS})
        at = self.get("table") + 8 * (hash_ * self.get("slots") >> 64)
        return ctypes.c_uint64.from_address(at).value & mask == mask


def taken_for_known(approximate: Approximate | None, states: int, worker: Worker) -> float:
    """With approximate storage, the share of new states that would now be taken for known ones;
    otherwise 0. Computed from the number of states for hash compaction, measured for bit states."""
    if approximate is None:
        return 0.0
    if approximate.storage == "hash-compaction":
        return states / 2**64
    random = Random(0)  # the same hashes on every call
    return sum(worker.has_bits(random.getrandbits(64)) for _ in range(SAMPLE)) / SAMPLE
