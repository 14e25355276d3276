"""One worker of the compiled search: its slice of the table, its frontier, its context."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from dio_mc.memory import RESERVE, available_bytes
from dio_mc.native.context import GROW, INDEX, RECENT, SIZE, SLACK
from dio_mc.native.division import parts_of
from dio_mc.native.machine import Machine
from dio_mc.native.memory import Region
from dio_mc.native.module import Module
from dio_mc.native.table import BITS

LAG: Final = 64
"""Successors that wait for their place in the table to arrive, at least."""
WAITING: Final = LAG + LAG // 2
"""The most that wait when the next state is expanded."""
START: Final = 1 << 18
"""Home places of a new table: for states of one word they are one huge page, which is touched whole anyway."""
LEAPED: Final = 1 << 21
"""Up to so many home places a table becomes eight times as large: moving states takes longer than clearing memory."""
LOAD: Final = 0.75
DOUBLED: Final = 1 << 24
"""Up to so many home places, those of all workers together, tables double, then they grow by a quarter."""
NEWS: Final = 1 << 12
BOX: Final = 1 << 17
NEVER: Final = (1 << 63) - 1


class Worker:
    """A context with its memory. `states` bounds how many states there may ever be."""

    def __init__(self, module: Module, machine: Machine, me: int, workers: int, space: int) -> None:
        self.module = module
        self.machine = machine
        self.words = module.packing.words
        self.entry = 8 * (self.words if module.approximate is None else 1)
        self.fixed = module.approximate is not None and module.approximate.storage == "bitstate"
        self._regions: list[Region] = []
        self.address = self._raw(8 * SIZE).address
        self._context = (ctypes.c_int64 * SIZE).from_address(self.address)
        bytes_ = 8 * self.words
        self.table = self._region("table", space, huge=True)
        self.states = self._region("states", space, huge=True)
        monitors = max(len(module.tables), 1)
        news = NEWS + (WAITING + 2 * module.most + BOX) * monitors
        self._region("news", news * 8 * (1 + 2 * self.words))
        self._region("flags", module.flags + len(module.tables))
        self._region("seen", 2 * len(module.names.places))
        self._region("recent", RECENT, huge=True)
        self._region("out", module.most * bytes_)
        ring = 1 << (WAITING + module.most).bit_length()
        self._region("ring", ring * bytes_)
        self._region("spill", BOX * bytes_)
        boxes = self._region("boxes", workers * 16)
        self.boxes = {n: self._raw((BOX + 2 * module.most) * bytes_) for n in range(workers) if n != me}
        self._pairs = (ctypes.c_int64 * (2 * workers)).from_address(boxes.address)
        for number, box in self.boxes.items():
            self._pairs[2 * number] = box.address
        self.set(
            news_most=NEWS, ring_mask=ring - 1, lag=LAG, max_states=NEVER, spill_most=BOX, me=me, workers=workers,
            boxes_most=BOX,
        )  # fmt: skip
        self._doubled = DOUBLED // workers
        self.resize(START if not self.fixed else self._bits())

    def divide(self, owners: Sequence[int]) -> None:
        """Say whose the states of each part are."""
        region = self._region("owners", 2 * len(owners))
        (ctypes.c_uint16 * len(owners)).from_address(region.address)[:] = list(owners)

    def tally(self) -> list[int]:
        """How many states known to this worker each part has."""
        counts = (ctypes.c_int64 * parts_of(self.module.packing))()
        self.machine.call["tally"](self.address, ctypes.addressof(counts))
        return list(counts)

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

    # -- the table -----------------------------------------------------------------------------------------------------

    def _bits(self) -> int:
        """Words of a bit-state table."""
        assert self.module.approximate is not None
        return max(min(self.module.approximate.memory, self.table.size) // 8, 1)

    def resize(self, slots: int) -> None:
        """A table of so many home places; the number of states it takes follows."""
        self.set(slots=slots, limit=slots + SLACK, most=int(slots * LOAD))

    def room_for(self, more: int) -> None:
        """Grow until `more` states fit. Raises `MemoryError` where there is no memory for it."""
        while not self.fixed and self.get("count") + more > self._room():
            self._grow()

    def _room(self) -> int:
        """States with which another may be expanded: all that waits then, and all its successors, still have places."""
        return int(self.get("slots") * LOAD) - WAITING - self.module.most

    def _larger(self, slots: int) -> int:
        """The home places after these."""
        if slots < LEAPED:
            return slots * 8
        return slots * 2 if slots < self._doubled else slots + slots // 4

    def _grow(self) -> None:
        slots = self.get("slots")
        larger = self._larger(slots)
        needed = (larger - slots) * self.entry
        if (larger + SLACK) * self.entry > self.table.size or needed > available_bytes() - RESERVE:
            raise MemoryError("no memory for a larger table")
        if self.machine.call["grow"](self.address, larger):
            raise MemoryError("the table could not be spread")
        self.resize(larger)

    def insert(self, words: Sequence[Sequence[int]]) -> int:
        """Take in states from Python."""
        flat = [word - (1 << 64) if word >> 63 else word for state in words for word in state]
        source = (ctypes.c_int64 * max(len(flat), 1))(*flat)
        if self.get("reduced"):
            self.machine.call["reduce_all"](self.address, ctypes.addressof(source), len(words))
        self.room_for(len(words))
        return self.machine.call["insert_all"](self.address, ctypes.addressof(source), len(words))

    def take_box(self, other: Worker) -> int:
        """Take in what another worker has for this one."""
        me = self.get("me")
        length = other._pairs[2 * me + 1]
        other._pairs[2 * me + 1] = 0
        if not length:
            return 0
        self.room_for(length)
        return self.machine.call["insert_all"](self.address, other._pairs[2 * me], length)

    def expand(self, stop: int) -> int:
        """Expand up to state `stop`; why it came back. A table that must grow does."""
        self.set(stop=stop)
        while True:
            self.set(most=NEVER if self.fixed else self._room())
            code = self.machine.call["expand"](self.address)
            if code != GROW:
                return code
            self._grow()

    # -- what it has to say --------------------------------------------------------------------------------------------

    def state(self, number: int) -> tuple[int, ...]:
        """The words of a state by its number."""
        at = self.states.address + number * 8 * self.words
        return tuple((ctypes.c_uint64 * self.words).from_address(at))

    def take_news(self) -> Iterator[tuple[int, tuple[int, ...], tuple[int, ...]]]:
        """(Judge, words, words behind the step) for every valuation that is new."""
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
