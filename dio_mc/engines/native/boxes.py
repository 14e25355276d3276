"""States divided among several processes: the part to which a state belongs, and boxes of states
that belong to other parts.

The hash of a state determines its part. The slots in the table of a part are chosen by the high
bits of the hash (`probing`), the part by its lower half, so the states of one part are spread over
its whole table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dio_mc.engines.native.asm import Asm, Cond
from dio_mc.engines.native.table import FACTORS
from dio_mc.engines.native.writer import Writer

HALF: Final = (1 << 32) - 1
"""The mask of the lower half of a hash."""
WHOLE: Final = (1 << 64) - 1
"""The mask of a word."""


def part_of(words: Sequence[int], parts: int) -> int:
    """The part to which a state belongs; the same function as in the generated code (`table`)."""
    found = words[0]
    for number, word in enumerate(words):
        found = (found + word & WHOLE) if number else found
        found = (found ^ found >> 32) * FACTORS[number % 4] & WHOLE
    found = (found ^ found >> 29) * FACTORS[3] & WHOLE
    return (found & HALF) * parts >> 32


class BoxCode:
    """Generates the choice of a state's part, and its transfer to a box."""

    def __init__(self, code: Writer) -> None:
        self._code = code

    def part(self, asm: Asm, hashed: str) -> str:
        """The part of a state with this hash (`part_of`)."""
        lower, parts = asm.op(f"and i64 {hashed}, {HALF}"), self._code.get(asm, "parts")
        return asm.op(f"lshr i64 {asm.op(f'mul i64 {lower}, {parts}')}, 32")

    def put(self, asm: Asm, part: str, words: Sequence[str], unless: Cond) -> None:
        """Append a state to the box of a part. The condition `unless` is that it was sent recently;
        it is then written, but not counted."""
        place = asm.op(f"getelementptr i64, ptr {self._code.pointer(asm, 'box_counts')}, i64 {part}")
        count = asm.load(place)
        number = asm.add(asm.op(f"mul i64 {part}, {self._code.get(asm, 'box_states')}"), count)
        self._code.put_words(asm, self._code.at(asm, self._code.pointer(asm, "boxes"), number), words)
        after = asm.add(count, asm.widen(asm.invert(unless)))
        asm.store(after, place)
        fullest = self._code.get(asm, "fullest")
        self._code.put(asm, "fullest", asm.select(asm.compare("ugt", after, fullest), after, fullest))
