"""Generates the arrival of a thread at a location: its new control state is written to the packed
state."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final, assert_never

from dio_mc.analysis.values.facts import Config, Facts
from dio_mc.analysis.values.sets import high, low
from dio_mc.engines.native.asm import Asm, Cond, Ref
from dio_mc.engines.native.fields import Tables, Words
from dio_mc.engines.native.packing import Packing
from dio_mc.ir.ops import Block, Branch, End, Jump, Terminator

TABLE: Final = 1 << 12
"""The largest table that maps combinations of unknown locals to control states; beyond it they are
compared one by one."""


class Arrival:
    """Generates the control state of a thread that arrives at a location."""

    def __init__(self, asm: Asm, words: Words, packing: Packing, tables: Tables, facts: Facts) -> None:
        self._asm, self._words, self._packing, self._tables, self._facts = asm, words, packing, tables, facts
        self._numbers: list[dict[Config, int]] = [
            {} if configs is None else {config: n for n, config in enumerate(configs)} for configs in packing.configs
        ]

    def write(self, thread: int, location: int, known: Sequence[int | None], slots: Sequence[str], astray: str) -> None:
        """Write the control state. `known` has the constant locals, and `slots` the variables of
        the others. A control state that the analysis has not foreseen branches to `astray`."""
        if self._packing.configs[thread] is None:
            self._apart(thread, location, known, slots)
            return
        number = self._number(thread, location, known, slots)
        if isinstance(number, int) and number < 0:
            # the code that follows needs a block to be in, though it cannot be reached
            dead = self._asm.new_label("astray")
            self._asm.branch(0, dead, astray)
            self._asm.start(dead)
            return
        if not isinstance(number, int):
            fine = self._asm.new_label("known")
            self._asm.branch(self._asm.compare("sge", number, 0), fine, astray)
            self._asm.start(fine)
        field = self._packing.fields.get(("config", thread))
        if field is not None:
            self._words.write(field, number)

    def _apart(self, thread: int, location: int, known: Sequence[int | None], slots: Sequence[str]) -> None:
        """Write location and locals to fields of their own."""
        layout = self._packing.layout
        self._words.set_cell(layout.pc[thread], location)
        for index, value in enumerate(known):
            cell = layout.local_base[thread] + index
            if ("cell", cell) in self._packing.fields:
                self._words.set_cell(cell, self._asm.load(slots[index]) if value is None else value)

    def _number(self, thread: int, location: int, known: Sequence[int | None], slots: Sequence[str]) -> Ref:
        """The number of the control state; -1 if there is none."""
        numbers = self._numbers[thread]
        unknown = [index for index, value in enumerate(known) if value is None]
        if not unknown:
            return numbers.get((location, *(value or 0 for value in known)), -1)
        fitting = {
            tuple(config[1 + index] for index in unknown): number
            for config, number in numbers.items()
            if config[0] == location and all(v is None or v == config[1 + i] for i, v in enumerate(known))
        }
        values = [self._asm.load(slots[index]) for index in unknown]
        base = self._packing.layout.local_base[thread]
        ranges = [self._facts.cells[base + index] for index in unknown]
        sizes = [high(found) - low(found) + 1 for found in ranges]
        if prod(sizes) > TABLE:
            return self._compared(fitting, values)
        table = [-1] * prod(sizes)
        for config, number in fitting.items():
            table[self._position(config, ranges, sizes)] = number
        place: Ref = 0
        for value, found, size in zip(values, ranges, sizes, strict=True):
            place = self._asm.add(self._asm.mul(place, size), self._asm.sub(value, low(found)))
        return self._tables.look_up(self._asm, table, place)

    @staticmethod
    def _position(config: tuple[int, ...], ranges: Sequence[frozenset[int] | range], sizes: Sequence[int]) -> int:
        """The row-major index of a combination of locals in the table."""
        place = 0
        for value, found, size in zip(config, ranges, sizes, strict=True):
            place = place * size + value - low(found)
        return place

    def _compared(self, fitting: dict[tuple[int, ...], int], values: Sequence[str]) -> Ref:
        """The number of the control state, by comparison with every candidate; -1 if there is
        none."""
        asm = self._asm
        found: Ref = -1
        for config, number in fitting.items():
            same: Cond = 1
            for value, wanted in zip(values, config, strict=True):
                same = asm.both(same, asm.compare("eq", value, wanted))
            found = asm.select(same, number, found)
        return found


def cyclic_blocks(blocks: Sequence[Block]) -> frozenset[int]:
    """The blocks that can be reached from themselves without passing through a location, as in the
    interpreter."""
    return frozenset(number for number in range(len(blocks)) if number in _reachable(blocks, number))


def _reachable(blocks: Sequence[Block], start: int) -> set[int]:
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        for following in _following(blocks[waiting.pop()].terminator):
            if blocks[following].location is None and following not in seen:
                seen.add(following)
                waiting.append(following)
    return seen


def _following(terminator: Terminator) -> tuple[int, ...]:
    match terminator:
        case Jump(block):
            return (block,)
        case Branch(_, then, orelse):
            return (then, orelse)
        case End():
            return ()
        case _:
            assert_never(terminator)
