"""States divided among several processes: which part a state belongs to, and boxes for those that belong elsewhere.

A state belongs to the part that its hash says. Places in the table of a part are chosen by the upper half of the hash
(`probing`), parts by the lower half, so the states of one part lie all over its table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dio_mc.engines.native.asm import Asm, Cond
from dio_mc.engines.native.table import FACTORS
from dio_mc.engines.native.writer import Writer

HALF: Final = (1 << 32) - 1
WHOLE: Final = (1 << 64) - 1


def part_of(words: Sequence[int], parts: int) -> int:
    """The part that a state belongs to, as the compiled code has it."""
    found = words[0]
    for number, word in enumerate(words):
        found = (found + word & WHOLE) if number else found
        found = (found ^ found >> 32) * FACTORS[number % 4] & WHOLE
    found = (found ^ found >> 29) * FACTORS[3] & WHOLE
    return (found & HALF) * parts >> 32


class BoxCode:
    """Writes what decides where a state belongs, and what puts it into a box."""

    def __init__(self, code: Writer) -> None:
        self._code = code

    def part(self, asm: Asm, hashed: str) -> str:
        """The part of a state with this hash (`part_of`)."""
        lower, parts = asm.op(f"and i64 {hashed}, {HALF}"), self._code.get(asm, "parts")
        return asm.op(f"lshr i64 {asm.op(f'mul i64 {lower}, {parts}')}, 32")

    def put(self, asm: Asm, part: str, words: Sequence[str], unless: Cond) -> None:
        """Put a state into the box of a part, unless it was sent a short time ago."""
        place = asm.op(f"getelementptr i64, ptr {self._code.pointer(asm, 'box_counts')}, i64 {part}")
        count = asm.load(place)
        number = asm.add(asm.op(f"mul i64 {part}, {self._code.get(asm, 'box_states')}"), count)
        self._code.put_words(asm, self._code.at(asm, self._code.pointer(asm, "boxes"), number), words)
        after = asm.add(count, asm.widen(asm.invert(unless)))
        asm.store(after, place)
        fullest = self._code.get(asm, "fullest")
        self._code.put(asm, "fullest", asm.select(asm.compare("ugt", after, fullest), after, fullest))
