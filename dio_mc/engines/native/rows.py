"""Generates the sorting of the rows of one block of exchangeable elements.

Each row is packed into one number, a network of compare-and-exchange operations sorts the numbers,
and the rows are unpacked. References to the elements from elsewhere are part of the rows and follow
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dio_mc.analysis.symmetry.plan import Key
from dio_mc.analysis.values.sets import high, low
from dio_mc.engines.native.asm import Asm, Ref
from dio_mc.engines.native.fields import Words
from dio_mc.engines.native.permute import NOT_PERMUTABLE, NotPermutable, Permuter

WIDEST: Final = 63
"""The most bits of a row: rows are compared as signed numbers, so bit 63 is not available."""


class Cells:
    """A column of the rows: one cell of each element."""

    def __init__(self, permuter: Permuter, words: Words, cells: Sequence[int]) -> None:
        found = {(low(permuter.facts.cells[c]), high(permuter.facts.cells[c])) for c in cells}
        if len(found) > 1:
            raise NOT_PERMUTABLE
        self._words, self._cells = words, cells
        self._low, most = found.pop()
        self.width = (most - self._low).bit_length()

    def read(self, asm: Asm, row: int) -> Ref:
        """The value in a row, counted from 0."""
        return asm.sub(self._words.cell(self._cells[row]), self._low)

    def write(self, asm: Asm, row: int, value: Ref) -> None:
        """Set the value in a row."""
        self._words.set_cell(self._cells[row], asm.add(value, self._low))


class Controls:
    """A column of the rows: the control states of one thread of each element, numbered as those of
    the first element's thread."""

    def __init__(
        self, permuter: Permuter, words: Words, sort: int, block: Sequence[int], threads: Sequence[int]
    ) -> None:
        self._permuter, self._words, self._threads = permuter, words, threads
        self._tables = [
            permuter.control_states(_exchange(permuter, sort, block[0], element), thread)
            for element, thread in zip(block, threads, strict=True)
        ]
        if len({len(table) for table in self._tables}) > 1:
            raise NOT_PERMUTABLE
        self.width = (len(self._tables[0]) - 1).bit_length()

    def read(self, asm: Asm, row: int) -> Ref:
        """The number of the control state in a row."""
        return self._permuter.look_up(asm, self._tables[row], self._words.config(self._threads[row]))

    def write(self, asm: Asm, row: int, value: Ref) -> None:
        """Set the control state in a row."""
        table = self._tables[row]
        back = [table.index(number) for number in range(len(table))]
        self._permuter.put_config(self._words, self._threads[row], self._permuter.look_up(asm, back, value))


class Names:
    """A column of the rows: whether a cell elsewhere refers to the element, and by which of its
    values."""

    def __init__(self, words: Words, cell: int, values: Sequence[Sequence[int]]) -> None:
        self._words, self._cell, self._values = words, cell, values
        self.width = len(values[0]).bit_length()

    def read(self, asm: Asm, row: int) -> Ref:
        """0 if the cell does not refer to the element of this row, otherwise the position of the
        value, counted from 1."""
        found: Ref = 0
        for code, value in enumerate(self._values[row], start=1):
            found = asm.select(asm.compare("eq", self._words.cell(self._cell), value), code, found)
        return found

    def rename(self, asm: Asm, codes: Sequence[Ref]) -> None:
        """Make the cell refer to the row that now has a code other than 0."""
        named = self._words.cell(self._cell)
        for code, values in zip(codes, self._values, strict=True):
            for number, value in enumerate(values, start=1):
                named = asm.select(asm.compare("eq", code, number), value, named)
        self._words.set_cell(self._cell, named)


def _exchange(permuter: Permuter, sort: int, first: int, second: int) -> tuple[tuple[int, ...], ...]:
    images = list(permuter.action.identity[sort])
    images[first], images[second] = second, first
    return (*permuter.action.identity[:sort], tuple(images), *permuter.action.identity[sort + 1 :])


def sort_rows(
    permuter: Permuter,
    asm: Asm,
    words: Words,
    sort: int,
    block: Sequence[int],
    keys: Sequence[Key],
    thread: str | None = None,
) -> None:
    """Generate the sorting of one block. Raises `NotPermutable` if a row has too many bits, or if
    the block's fields are not alike.

    If given, `thread` is the address of a thread number, which is replaced by the number of the
    same thread after sorting.
    """
    columns = [*_own(permuter, words, sort, block, keys), *_names(permuter, words, keys)]
    width = sum(column.width for column in columns)
    if width > WIDEST:
        raise NotPermutable(f"what is to be exchanged takes {width} bits")
    labels = [] if thread is None else _labels(asm, asm.load(thread), keys)
    rows, labels = _network(asm, [_packed(asm, columns, row) for row in range(len(block))], labels)
    if thread is not None:
        asm.store(_thread_at(asm, asm.load(thread), keys, labels), thread)
    shift = 0
    for column in columns:
        values = [_extracted(asm, row, shift, column.width) for row in rows]
        shift += column.width
        if isinstance(column, Names):
            column.rename(asm, values)
            continue
        for number, value in enumerate(values):
            column.write(asm, number, value)


def _own(
    permuter: Permuter, words: Words, sort: int, block: Sequence[int], keys: Sequence[Key]
) -> list[Cells | Controls]:
    """The columns of the elements' threads and cells."""
    found: list[Cells | Controls] = []
    for threads in zip(*(key.threads for key in keys), strict=True):
        if all(permuter.packing.configs[t] is not None for t in threads):
            found.append(Controls(permuter, words, sort, block, threads))
            continue
        if any(permuter.packing.configs[t] is not None for t in threads):
            raise NOT_PERMUTABLE
        private = zip(*(permuter.private_but_number(t) for t in threads), strict=True)
        found += [Cells(permuter, words, cells) for cells in private]
    found += [Cells(permuter, words, cells) for cells in zip(*(key.cells for key in keys), strict=True)]
    return [column for column in found if column.width]


def _names(permuter: Permuter, words: Words, keys: Sequence[Key]) -> list[Names]:
    """The columns of references to the elements, without cells that never refer to any."""
    found: list[Names] = []
    for named in zip(*(key.names for key in keys), strict=True):
        cell, held = named[0][0], permuter.facts.cells[named[0][0]]
        meant = [value for _, values in named for value in values]
        if not any(value in held for value in meant):
            continue
        if not all(low(held) <= value <= high(held) for value in meant):
            raise NOT_PERMUTABLE
        found.append(Names(words, cell, [values for _, values in named]))
    return found


def _packed(asm: Asm, columns: Sequence[Cells | Controls | Names], row: int) -> Ref:
    packed: Ref = 0
    shift = 0
    for column in columns:
        packed = asm.bits("or", asm.shift_left(column.read(asm, row), shift), packed)
        shift += column.width
    return packed


def _extracted(asm: Asm, row: Ref, shift: int, width: int) -> Ref:
    return asm.bits("and", asm.shift_right(row, shift), (1 << width) - 1)


def _labels(asm: Asm, thread: Ref, keys: Sequence[Key]) -> list[Ref]:
    """For each row the position of a thread among the row's threads, counted from 1; 0 if it is
    none of them."""
    found: list[Ref] = []
    for key in keys:
        label: Ref = 0
        for position, one in enumerate(key.threads, start=1):
            label = asm.select(asm.compare("eq", thread, one), position, label)
        found.append(label)
    return found


def _thread_at(asm: Asm, thread: Ref, keys: Sequence[Key], labels: Sequence[Ref]) -> Ref:
    """The thread at the position given by the only label that is not 0; `thread` itself if all are
    0."""
    for key, label in zip(keys, labels, strict=True):
        for position, one in enumerate(key.threads, start=1):
            thread = asm.select(asm.compare("eq", label, position), one, thread)
    return thread


def _network(asm: Asm, rows: Sequence[Ref], labels: Sequence[Ref]) -> tuple[list[Ref], list[Ref]]:
    """Sort by exchanges of neighbours, the least row first; labels, if given, follow their rows."""
    found, carried = list(rows), list(labels)
    for end in range(len(found) - 1, 0, -1):
        for place in range(end):
            one, other = found[place], found[place + 1]
            swap = asm.compare("sgt", one, other)
            found[place], found[place + 1] = asm.select(swap, other, one), asm.select(swap, one, other)
            if carried:
                one, other = carried[place], carried[place + 1]
                carried[place], carried[place + 1] = asm.select(swap, other, one), asm.select(swap, one, other)
    return found, carried
