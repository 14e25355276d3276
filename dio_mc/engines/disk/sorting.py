"""Sorted arrays of states in memory: the functions of `code`, called from Python."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from dio_mc.engines.disk.code import FUNCTIONS, SortedCode
from dio_mc.engines.native.machine import compile_text
from dio_mc.semantics.search import Note

LARGE: Final = 1 << 16
"""The number of states from which radix sort uses digits of `WIDE` bits, whose tables then pay off;
below it digits have `NARROW` bits."""
WIDE: Final = 11
NARROW: Final = 8

Key = tuple[int, ...]
"""The words of a state. Tuples compare as states do."""


class Sorter:
    """Sorts and searches arrays of states of `words` words, which are given by address and number
    of states. Raises what `compile_text` raises."""

    def __init__(self, words: int, note: Note) -> None:
        self.words = words
        self.size = 8 * words
        self._machine = compile_text(SortedCode(words).text(), note, quick=False, functions=FUNCTIONS)
        self.call = self._machine.call

    def key(self, address: int, number: int) -> Key:
        """The state with this number."""
        return tuple((ctypes.c_uint64 * self.words).from_address(address + number * self.size))

    def below(self, address: int, count: int, key: Key) -> int:
        """The number of states of a sorted array that precede a key."""
        packed = (ctypes.c_uint64 * self.words)(*key)
        return self.call["below"](address, count, ctypes.addressof(packed))

    def up_to(self, address: int, count: int, key: Key) -> int:
        """The number of states of a sorted array that precede a key or equal it."""
        number = self.below(address, count, key)
        return number + (number < count and self.key(address, number) == key)

    def sort(self, address: int, count: int, scratch: int) -> int:
        """Sort an array and remove duplicates; return the number of states left. `scratch` is the
        address of an array of the same size."""
        source, target = address, scratch
        for where, bits in self._digits(address, count):
            mask = (1 << bits) - 1
            counts = (ctypes.c_int64 * (mask + 1))()
            self.call["count_digits"](source, count, where, mask, ctypes.addressof(counts))
            places = (ctypes.c_int64 * (mask + 1))(0, *accumulate(counts[:mask]))
            self.call["scatter"](source, count, where, mask, ctypes.addressof(places), target)
            source, target = target, source
        if source != address:
            ctypes.memmove(address, source, count * self.size)
        return self.call["unique"](address, count)

    def _digits(self, address: int, count: int) -> Iterator[tuple[int, int]]:
        """The digits for an LSD radix sort, the least significant first: the first bit (64 times
        the word, plus the shift) and the number of bits. Bits that are equal in all states are
        skipped."""
        differing = (ctypes.c_uint64 * self.words)()
        self.call["differing"](address, count, ctypes.addressof(differing))
        bits = WIDE if count >= LARGE else NARROW
        for word in reversed(range(self.words)):
            left, at = differing[word], 0
            while left:
                skipped = (left & -left).bit_length() - 1
                at += skipped
                width = min(bits, (left >> skipped).bit_length())
                yield 64 * word + at, width
                left >>= skipped + width
                at += width
