"""Generates passes over the table: the distinct values of each cell, which show what makes a
stopped search large, and a copy of all states."""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.engines.native.asm import Asm
from dio_mc.engines.native.context import INDEX
from dio_mc.engines.native.fields import Tables, Words
from dio_mc.engines.native.packing import Packing
from dio_mc.engines.native.writer import Writer


def survey_size(packing: Packing) -> int:
    """The size of the map in bytes: one byte per value of each field."""
    return sum(field.radix for field in packing.fields.values())


def write_survey(packing: Packing, tables: Tables) -> str:
    """``@survey(ctx)``: mark every value that a field has in some state of the table."""
    asm = Asm()
    code = Writer(packing.words, 0, (0, 0))
    table, limit, base = code.pointer(asm, "table"), code.get(asm, "limit"), code.pointer(asm, "survey")
    index = asm.count_up(0, limit)
    place = code.at(asm, table, index)
    asm.branch(asm.op(f"icmp eq i64 {asm.load(place)}, 0"), "head", "taken")
    asm.start("taken")
    words = Words(asm, packing, tables, code.read(asm, place), slots=False)
    start = 0
    for field in packing.fields.values():
        byte = asm.op(f"getelementptr i8, ptr {base}, i64 {asm.add(words.raw(field), start)}")
        asm.store(1, byte, "i8")
        start += field.radix
    asm.jump("head")
    asm.start("done")
    asm.do("ret i64 0")
    assert "survey" in INDEX
    return asm.text("define i64 @survey(ptr %ctx)")


def write_gather(packing: Packing) -> str:
    """``@gather(ctx, first, end, out)``: copy the states in a range of slots, one after the other;
    the result is their number."""
    asm = Asm()
    code = Writer(packing.words, 0, (0, 0))
    table, found = code.pointer(asm, "table"), asm.slot("found")
    asm.store(0, found)
    index = asm.count_up("%first", "%end")
    place = code.at(asm, table, index)
    asm.branch(asm.op(f"icmp eq i64 {asm.load(place)}, 0"), "head", "taken")
    asm.start("taken")
    count = asm.load(found)
    code.put_words(asm, code.at(asm, "%out", count), code.read(asm, place))
    asm.store(asm.add(count, 1), found)
    asm.jump("head")
    asm.start("done")
    asm.do(f"ret i64 {asm.load(found)}")
    return asm.text("define i64 @gather(ptr %ctx, i64 %first, i64 %end, ptr %out)")


def distinct_values(packing: Packing, marks: Sequence[int]) -> tuple[int, ...]:
    """The number of values that each cell of the layout takes, from the map of a survey; at least
    1."""
    layout = packing.layout
    values: list[set[int]] = [set() for _ in range(layout.size)]
    start = 0
    configured: dict[int, list[int]] = {}
    for (kind, number), field in packing.fields.items():
        seen = [value for value in range(field.radix) if marks[start + value]]
        start += field.radix
        if kind == "cell":
            values[number].update(seen)
        else:
            configured[number] = seen
    for thread, configs in enumerate(packing.configs):
        if configs is None:
            continue
        for number in configured.get(thread, [0]):
            values[layout.pc[thread]].add(configs[number][0])
            for index, value in enumerate(configs[number][1:]):
                values[layout.local_base[thread] + index].add(value)
    return tuple(max(len(found), 1) for found in values)
