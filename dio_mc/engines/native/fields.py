"""Generates reads and writes of the cells of a packed state."""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.analysis.values.sets import Unsupported
from dio_mc.engines.native.asm import Asm, Cond, Ref
from dio_mc.engines.native.packing import Field, Packing


class Tables:
    """The constant arrays of a module; equal ones are defined once."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, ...], str] = {}

    def name(self, values: Sequence[int]) -> str:
        """The name of the global array with these values."""
        return self._names.setdefault(tuple(values), f"@table{len(self._names)}")

    def look_up(self, asm: Asm, values: Sequence[int], index: Ref) -> Ref:
        """``values[index]``, which must be within bounds; folded if the index or the result is
        constant."""
        if isinstance(index, int):
            return values[index]
        if len(set(values)) == 1:
            return values[0]
        place = asm.op(f"getelementptr [{len(values)} x i64], ptr {self.name(values)}, i64 0, i64 {index}")
        return asm.load(place)

    def text(self) -> str:
        """The definitions of the arrays."""
        return "\n".join(
            f"{name} = internal constant [{len(values)} x i64] [{', '.join(f'i64 {v}' for v in values)}]"
            for values, name in self._names.items()
        )


class Words:
    """The words of a packed state: variables of the function (`slots`), or registers, which cannot
    be assigned."""

    def __init__(self, asm: Asm, packing: Packing, tables: Tables, words: Sequence[str], *, slots: bool) -> None:
        self.asm = asm
        self.packing = packing
        self.tables = tables
        self._words = list(words)
        self._slots = slots

    def word(self, number: int) -> str:
        """The current value of a word."""
        return self.asm.load(self._words[number]) if self._slots else self._words[number]

    def set_word(self, number: int, value: Ref) -> None:
        """Assign a word."""
        self.asm.store(value, self._words[number])

    # -- fields --------------------------------------------------------------------------------------------------------

    def raw(self, field: Field) -> Ref:
        """The value of a field minus its `low`."""
        asm = self.asm
        found = asm.bits("and", asm.shift_right(self.word(field.word), field.shift), field.mask)
        if field.divisor > 1:
            found = asm.op(f"udiv i64 {found}, {field.divisor}")
        return found if field.last else asm.op(f"urem i64 {found}, {field.radix}")

    def read(self, field: Field) -> Ref:
        """The value of a field."""
        return self.asm.add(self.raw(field), field.low)

    def write(self, field: Field, value: Ref) -> None:
        """Assign a field."""
        asm, word = self.asm, self.word(field.word)
        shifted: Ref
        if field.plain:
            kept = asm.bits("and", word, ~(field.mask << field.shift))
            shifted = asm.shift_left(asm.sub(value, field.low), field.shift)
            self.set_word(field.word, asm.bits("or", kept, shifted))
            return
        # digits of a mixed radix overlap in bits, so the difference is added instead of masking
        delta = asm.sub(asm.sub(value, field.low), self.raw(field))
        shifted = asm.mul(delta, field.divisor << field.shift)
        self.set_word(field.word, asm.add(word, shifted))

    # -- cells of variables --------------------------------------------------------------------------------------------

    def cell(self, cell: int) -> Ref:
        """The value of a cell, which is not part of a control state."""
        field = self.packing.fields.get(("cell", cell))
        return self.packing.constants[cell] if field is None else self.read(field)

    def set_cell(self, cell: int, value: Ref) -> None:
        """Assign a cell; a cell without a field is constant, so the assignment is dropped."""
        field = self.packing.fields.get(("cell", cell))
        if field is not None:
            self.write(field, value)

    def element(self, cells: Sequence[int], base: int, offset: Ref) -> Ref:
        """The value of the cell ``base + offset``, which is one of `cells`. Evenly spaced fields
        are read by a shift, others by a chain of selects."""
        if isinstance(offset, int):
            return self.cell(base + offset)
        fields = [self.packing.fields.get(("cell", c)) for c in cells]
        if all(field is None for field in fields):
            return self._constant(cells, base, offset)
        stride = _stride(cells, fields)
        first = fields[0]
        if stride is not None and first is not None:
            start = first.shift - (cells[0] - base) * stride
            shift = self.asm.add(self.asm.mul(offset, stride), start)
            moved = self.asm.shift_right(self.word(first.word), shift)
            return self.asm.add(self.asm.bits("and", moved, first.mask), first.low)
        found = self.cell(cells[0])
        for cell in cells[1:]:
            found = self.asm.select(self.asm.compare("eq", offset, cell - base), self.cell(cell), found)
        return found

    def _constant(self, cells: Sequence[int], base: int, offset: Ref) -> Ref:
        constants = self.packing.constants
        values = [constants[c] for c in range(cells[0], cells[-1] + 1)]
        return self.tables.look_up(self.asm, values, self.asm.sub(offset, cells[0] - base))

    def set_element(self, cells: Sequence[int], base: int, offset: Ref, value: Ref) -> None:
        """Assign the cell ``base + offset``, which is one of `cells`."""
        if isinstance(offset, int):
            self.set_cell(base + offset, value)
            return
        asm = self.asm
        fields = [self.packing.fields.get(("cell", c)) for c in cells]
        stride, first = _stride(cells, fields), fields[0]
        if stride is not None and first is not None:
            shift = asm.add(asm.mul(offset, stride), first.shift - (cells[0] - base) * stride)
            kept = asm.bits("and", self.word(first.word), asm.bits("xor", asm.shift_left(first.mask, shift), -1))
            self.set_word(first.word, asm.bits("or", kept, asm.shift_left(asm.sub(value, first.low), shift)))
            return
        for cell in cells:
            self.set_cell(cell, asm.select(asm.compare("eq", offset, cell - base), value, self.cell(cell)))

    # -- control -------------------------------------------------------------------------------------------------------

    def config(self, thread: int) -> Ref:
        """The number of a thread's control state."""
        field = self.packing.fields.get(("config", thread))
        return 0 if field is None else self.read(field)

    def at(self, thread: int, locations: frozenset[int]) -> Cond:
        """Whether a thread is at one of these locations."""
        configs = self.packing.configs[thread]
        if configs is None:
            here = self.cell(self.packing.layout.pc[thread])
            return self._any(here, sorted(locations))
        return self._any(self.config(thread), [n for n, config in enumerate(configs) if config[0] in locations])

    def _any(self, value: Ref, wanted: Sequence[int]) -> Cond:
        """Whether a value is among sorted numbers; a range of consecutive ones takes two
        comparisons."""
        found: Cond = 0
        runs: list[list[int]] = []
        for number in wanted:
            if runs and runs[-1][1] == number - 1:
                runs[-1][1] = number
            else:
                runs.append([number, number])
        for first, last in runs:
            low, high = self.asm.compare("sge", value, first), self.asm.compare("sle", value, last)
            found = self.asm.either(found, self.asm.both(low, high))
        return found

    def local(self, thread: int, index: int) -> Ref:
        """The value of a local of a thread."""
        configs = self.packing.configs[thread]
        if configs is None:
            return self.cell(self.packing.layout.local_base[thread] + index)
        return self.tables.look_up(self.asm, [config[1 + index] for config in configs], self.config(thread))

    def location(self, thread: int) -> Ref:
        """The location of a thread."""
        configs = self.packing.configs[thread]
        if configs is None:
            return self.cell(self.packing.layout.pc[thread])
        return self.tables.look_up(self.asm, [config[0] for config in configs], self.config(thread))


def _stride(cells: Sequence[int], fields: Sequence[Field | None]) -> int | None:
    """The distance in bits between consecutive cells, if their fields are alike and evenly spaced
    in one word (0 for a single cell); otherwise None."""
    first = fields[0]
    if first is None or len(cells) < 2:
        return None if first is None or not first.plain else 0
    second = fields[1]
    if second is None:
        return None
    step, rest = divmod(second.shift - first.shift, cells[1] - cells[0])
    if rest or step <= 0:
        return None
    for cell, field in zip(cells, fields, strict=True):
        if field is None or not field.plain:
            return None
        expected = first.shift + (cell - cells[0]) * step
        if (field.word, field.shift, field.width, field.low) != (first.word, expected, first.width, first.low):
            return None
    return step


def check_size(lines: int, limit: int) -> None:
    """Raise `Unsupported` if the code of a program exceeds `limit` lines."""
    if lines > limit:
        raise Unsupported("its machine code would be too large")
