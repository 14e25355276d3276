"""The packed form of states: the bits of each changing cell, and conversion in both directions.

A field stores ``value - low`` in the fewest bits. A thread's control state (`facts`) is one field,
the number of the control state. Constant cells take no bits. If this saves a word, fields whose
sizes are not powers of two share bits in mixed radix: three cells of three values take five bits
instead of six. Bit 63 of word 0 is always set, so the first word of a packed state is never 0,
which marks a free slot of the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2, prod
from typing import Final

from dio_mc.analysis.values.facts import Config, Facts
from dio_mc.analysis.values.sets import high, low
from dio_mc.ir.program import Program
from dio_mc.semantics.layout import Layout, State

OCCUPIED: Final = 1 << 63
"""The bit that is set in the first word of every packed state."""
GROUP: Final = 5
"""The largest number of fields that share bits."""


@dataclass(frozen=True, slots=True)
class Field:
    """The place of a value: ``(words[word] >> shift & mask) // divisor % radix + low``.

    `radix` is the number of values, `width` the number of bits that the field takes, or shares with
    others. The ``%`` is not needed if the field is the `last` (most significant) of those that
    share bits.
    """

    word: int
    shift: int
    width: int
    low: int
    radix: int
    divisor: int = 1
    last: bool = True

    @property
    def plain(self) -> bool:
        """Whether the field shares its bits with no other."""
        return self.divisor == 1 and self.last

    @property
    def mask(self) -> int:
        """The mask of its bits before shifting, those of fields that share them included."""
        return (1 << self.width) - 1

    def read(self, words: Sequence[int]) -> int:
        """The value in a packed state."""
        return (words[self.word] >> self.shift & self.mask) // self.divisor % self.radix + self.low


Key = tuple[str, int]
"""``("cell", c)`` for a cell of the layout, ``("config", t)`` for a thread's control state."""


@dataclass(frozen=True, slots=True)
class Packing:
    """The packed form of a program's states.

    `constants` has the value of every cell that has no field and is not part of a control state.
    `configs` has the control states of each thread, or None if its location and locals have
    separate fields. A state takes `words` 64-bit words.
    """

    layout: Layout
    fields: dict[Key, Field]
    constants: tuple[int, ...]
    configs: tuple[tuple[Config, ...] | None, ...]
    words: int

    def encode(self, state: State) -> tuple[int, ...]:
        """The packed form of a state. Raises `ValueError` for a control state that the analysis has
        not found."""
        words = [0] * self.words
        words[0] = OCCUPIED
        for (kind, number), field in self.fields.items():
            value = state[number] if kind == "cell" else self._config_of(number, state)
            words[field.word] += (value - field.low) * field.divisor << field.shift
        return tuple(words)

    def decode(self, words: Sequence[int]) -> State:
        """The state that a packed form represents."""
        cells = list(self.constants)
        for (kind, number), field in self.fields.items():
            value = field.read(words)
            if kind == "cell":
                cells[number] = value
            else:
                self._spread(cells, number, value)
        return tuple(cells)

    def _config_of(self, thread: int, state: State) -> int:
        configs = self.configs[thread]
        assert configs is not None
        base = self.layout.local_base[thread]
        return configs.index((state[self.layout.pc[thread]], *state[base : base + len(configs[0]) - 1]))

    def _spread(self, cells: list[int], thread: int, number: int) -> None:
        configs = self.configs[thread]
        assert configs is not None
        location, *locals_ = configs[number]
        base = self.layout.local_base[thread]
        cells[self.layout.pc[thread]] = location
        cells[base : base + len(locals_)] = locals_


@dataclass(frozen=True, slots=True)
class _Unplaced:
    """A field that has no place yet, for `radix` values from `low` on."""

    key: Key
    low: int
    radix: int

    @property
    def width(self) -> int:
        return (self.radix - 1).bit_length()


def pack(program: Program, layout: Layout, facts: Facts) -> Packing:
    """A packing in as few words as possible, by fields or, if that saves the second word, by mixed
    radix."""
    clusters = _unplaced_fields(program, layout, facts)
    constants = [low(values) for values in facts.cells]
    for thread, configs in enumerate(facts.configs):
        if configs is not None and len(configs) == 1:
            base = layout.local_base[thread]
            constants[layout.pc[thread]] = configs[0][0]
            constants[base : base + len(configs[0]) - 1] = configs[0][1:]
    template_of = program.template_of
    for thread in range(len(program.threads)):
        for index in _dead(program, thread):
            constants[layout.local_base[thread] + index] = template_of(thread).locals[index].default
    fields, words = _place(clusters)
    return Packing(layout, fields, tuple(constants), facts.configs, words)


def _dead(program: Program, thread: int) -> set[int]:
    """The locals that are dead at every location; a thread's own number is kept."""
    template = program.template_of(thread)
    kills = [set(place.kills) for place in template.locations]
    dead = set.intersection(*kills) if kills else set()
    return dead if template.spawned or template.parameters == 0 else dead - {0}


def _unplaced_fields(program: Program, layout: Layout, facts: Facts) -> list[list[_Unplaced]]:
    """The fields to be placed, in clusters: the cells of an array stay together."""
    clusters: list[list[_Unplaced]] = []
    for number, variable in enumerate(program.variables):
        base = layout.variable_base[number]
        clusters.append(_cells(range(base, base + variable.size), facts))
    for thread, configs in enumerate(facts.configs):
        if configs is not None:
            clusters.append([_Unplaced(("config", thread), 0, len(configs))])
            continue
        base, dead = layout.local_base[thread], _dead(program, thread)
        live = [base + i for i in range(len(program.template_of(thread).locals)) if i not in dead]
        clusters += [_cells([cell], facts) for cell in (layout.pc[thread], *live)]
    changing = [[item for item in cluster if item.radix > 1] for cluster in clusters]
    return [cluster for cluster in changing if cluster]


def _cells(cells: Sequence[int], facts: Facts) -> list[_Unplaced]:
    """The fields of an array's cells. If it costs no bits, all get the same range, so that a
    dynamic index becomes a shift (`fields.Words.element`)."""
    items = [_Unplaced(("cell", c), low(facts.cells[c]), high(facts.cells[c]) - low(facts.cells[c]) + 1) for c in cells]
    least, most = min(w.low for w in items), max(w.low + w.radix for w in items)
    alike = [replace(w, low=least, radix=most - least) for w in items]
    same = all(a.width == w.width and w.radix > 1 for a, w in zip(alike, items, strict=True))
    return alike if same else items


def _place(clusters: list[list[_Unplaced]]) -> tuple[dict[Key, Field], int]:
    """The places of all fields in as few words as possible. Fields share bits only if this saves
    the second word."""
    items = [item for cluster in clusters for item in cluster]
    plain = sum(item.width for item in items) + 1
    words = max(-(-plain // 64), 1)
    if words == 2 and sum(log2(item.radix) for item in items) <= 63:
        grouped = _grouped(items, plain - 64)
        if sum(_bits(group) for group in grouped) < 64:
            return _fill(grouped, 1), 1
    while True:
        try:
            return _fill([[item] for item in items], words), words
        except _Full:
            words += 1


def _bits(group: Sequence[_Unplaced]) -> int:
    """The bits that fields take in mixed radix."""
    return (prod(item.radix for item in group) - 1).bit_length()


def _saved(group: Sequence[_Unplaced]) -> int:
    """The bits saved if fields share them."""
    return sum(item.width for item in group) - _bits(group)


def _grouped(items: list[_Unplaced], surplus: int) -> list[list[_Unplaced]]:
    """Groups of fields that share bits, as few as save `surplus` bits. Control states are read most
    often, so they are grouped last."""
    waste = [item.width - log2(item.radix) for item in items]
    alone = sorted(range(len(items)), key=lambda n: (items[n].key[0] == "config", -waste[n], n))
    groups: list[list[_Unplaced]] = []
    taken: set[int] = set()
    while surplus > 0:
        best = _best_group(items, [n for n in alone if n not in taken], surplus)
        if not best:
            break
        taken |= set(best)
        groups.append([items[n] for n in best])
        surplus -= _saved(groups[-1])
    return groups + [[item] for n, item in enumerate(items) if n not in taken]


def _best_group(items: list[_Unplaced], free: list[int], surplus: int) -> list[int]:
    """The smallest run of the fields, ordered by wasted bits, that saves the most bits per
    field."""
    best: list[int] = []
    merit = 0.0
    for size in range(2, GROUP + 1):
        for first in range(max(len(free) - size + 1, 0)):
            group = free[first : first + size]
            saved = min(_saved([items[n] for n in group]), surplus)
            if saved / size > merit:
                best, merit = group, saved / size
    return best


class _Full(Exception):
    """The fields do not fit in the given number of words."""


def _fill(groups: list[list[_Unplaced]], words: int) -> dict[Key, Field]:
    """First-fit placement in order, each group within one word. Raises `_Full`."""
    used = [0] * words
    room = [63, *([64] * (words - 1))]
    fields: dict[Key, Field] = {}
    for group in groups:
        width = _bits(group)
        word = next((w for w in range(words) if used[w] + width <= room[w]), None)
        if word is None:
            raise _Full
        divisor = 1
        for position, item in enumerate(group):
            last = position == len(group) - 1
            fields[item.key] = Field(word, used[word], width, item.low, item.radix, divisor, last)
            divisor *= item.radix
        used[word] += width
    return fields
