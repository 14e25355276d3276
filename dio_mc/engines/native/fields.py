"""Reading and writing the cells of a packed state in machine code. `Words` says where the words are."""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.analysis.values.sets import Unsupported
from dio_mc.engines.native.asm import Asm, Cond, Ref
from dio_mc.engines.native.packing import Field, Packing


class Tables:
    """Constant tables of a module, each once."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, ...], str] = {}

    def name(self, values: Sequence[int]) -> str:
        """The global with these values."""
        return self._names.setdefault(tuple(values), f"@table{len(self._names)}")

    def look_up(self, asm: Asm, values: Sequence[int], index: Ref) -> Ref:
        """``values[index]``."""
        if isinstance(index, int):
            return values[index]
        if len(set(values)) == 1:
            return values[0]
        place = asm.op(f"getelementptr [{len(values)} x i64], ptr {self.name(values)}, i64 0, i64 {index}")
        return asm.load(place)

    def text(self) -> str:
        """Their definitions."""
        return "\n".join(
            f"{name} = internal constant [{len(values)} x i64] [{', '.join(f'i64 {v}' for v in values)}]"
            for values, name in self._names.items()
        )


class Words:
    """The words of a state as variables of a function (``slots``), or as registers that do not change."""

    def __init__(self, asm: Asm, packing: Packing, tables: Tables, words: Sequence[str], *, slots: bool) -> None:
        self.asm = asm
        self.packing = packing
        self.tables = tables
        self._words = list(words)
        self._slots = slots

    def word(self, number: int) -> str:
        """One word, as it is now."""
        return self.asm.load(self._words[number]) if self._slots else self._words[number]

    def set_word(self, number: int, value: Ref) -> None:
        """Change one word."""
        self.asm.store(value, self._words[number])

    # -- fields --------------------------------------------------------------------------------------------------------

    def raw(self, field: Field) -> Ref:
        """``value - low``."""
        asm = self.asm
        found = asm.bits("and", asm.shift_right(self.word(field.word), field.shift), field.mask)
        if field.divisor > 1:
            found = asm.op(f"udiv i64 {found}, {field.divisor}")
        return found if field.last else asm.op(f"urem i64 {found}, {field.radix}")

    def read(self, field: Field) -> Ref:
        """The value."""
        return self.asm.add(self.raw(field), field.low)

    def write(self, field: Field, value: Ref) -> None:
        """Set the value."""
        asm, word = self.asm, self.word(field.word)
        shifted: Ref
        if field.plain:
            kept = asm.bits("and", word, ~(field.mask << field.shift))
            shifted = asm.shift_left(asm.sub(value, field.low), field.shift)
            self.set_word(field.word, asm.bits("or", kept, shifted))
            return
        delta = asm.sub(asm.sub(value, field.low), self.raw(field))
        shifted = asm.mul(delta, field.divisor << field.shift)
        self.set_word(field.word, asm.add(word, shifted))

    # -- cells of variables --------------------------------------------------------------------------------------------

    def cell(self, cell: int) -> Ref:
        """A cell of a variable, or a location or local that has a field (or is constant)."""
        field = self.packing.fields.get(("cell", cell))
        return self.packing.constants[cell] if field is None else self.read(field)

    def set_cell(self, cell: int, value: Ref) -> None:
        """Set a cell; one without a field never changes."""
        field = self.packing.fields.get(("cell", cell))
        if field is not None:
            self.write(field, value)

    def element(self, cells: Sequence[int], base: int, offset: Ref) -> Ref:
        """The cell ``base + offset``, which is one of `cells`."""
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
        """Set the cell ``base + offset``."""
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
        """Whether a thread stands at one of these locations."""
        configs = self.packing.configs[thread]
        if configs is None:
            here = self.cell(self.packing.layout.pc[thread])
            return self._any(here, sorted(locations))
        return self._any(self.config(thread), [n for n, config in enumerate(configs) if config[0] in locations])

    def _any(self, value: Ref, wanted: Sequence[int]) -> Cond:
        """Whether a value is one of these, by runs."""
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
        """A local of a thread that stands at a location."""
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
    """The bits from one cell to the next, where they are alike and evenly spread in one word."""
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
    """Raises `Unsupported` when a program grows out of hand."""
    if lines > limit:
        raise Unsupported("its machine code would be too large")
