"""Generates the action of a permutation of threads and indices on packed states.

The fields of a packed state are derived from `facts`. If these are less symmetric than the program,
a moved value may have no room in its new field; `NotPermutable` is raised then.
"""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.analysis.symmetry.action import Action, Permutation, Renaming
from dio_mc.analysis.values.facts import Config, Facts
from dio_mc.analysis.values.sets import Unsupported, high, low
from dio_mc.engines.native.asm import Asm, Ref
from dio_mc.engines.native.fields import Tables, Words
from dio_mc.engines.native.packing import Packing
from dio_mc.ir.program import Program


class NotPermutable(Unsupported):
    """The symmetry cannot be expressed in machine code, for the reason given. The program can still
    be run without it."""


NOT_PERMUTABLE = NotPermutable("what the analysis of its cells and threads found is not symmetric")


class Permuter:
    """Generates the images of states, and tables of the images of control states."""

    def __init__(self, program: Program, action: Action, facts: Facts, packing: Packing, tables: Tables) -> None:
        self.program, self.action, self.facts = program, action, facts
        self.packing, self.tables = packing, tables

    def image(self, asm: Asm, before: Sequence[str], permutation: Permutation, prefix: str) -> list[str]:
        """The words of the image of a state; `prefix` begins the names of its variables. Raises
        `NotPermutable`."""
        source = Words(asm, self.packing, self.tables, before, slots=False)
        slots = [asm.slot(f"{prefix}{n}") for n in range(len(before))]
        for slot, word in zip(slots, before, strict=True):
            asm.store(word, slot)
        target = Words(asm, self.packing, self.tables, slots, slots=True)
        for cell, (origin, renaming) in self.action.origins(permutation).items():
            self._contain(cell, origin, renaming)
            target.set_cell(cell, self._renamed(asm, source.cell(origin), origin, renaming))
        for thread in range(len(self.program.threads)):
            self._move(asm, source, target, permutation, thread)
        return [asm.load(slot) for slot in slots]

    def control_states(self, permutation: Permutation, thread: int) -> list[int]:
        """For each control state of a thread, the number of its image among those of the thread
        that it becomes. Raises `NotPermutable`."""
        configs = self.packing.configs[thread]
        images = self.packing.configs[self.action.thread(permutation, thread)]
        assert configs is not None
        if images is None or len(images) != len(configs):
            raise NOT_PERMUTABLE
        numbers = {config: number for number, config in enumerate(images)}
        found = [numbers.get(self._config(config, thread, permutation), -1) for config in configs]
        if -1 in found:
            raise NOT_PERMUTABLE
        return found

    def look_up(self, asm: Asm, table: Sequence[int], value: Ref) -> Ref:
        """``table[value]``."""
        return value if list(table) == list(range(len(table))) else self.tables.look_up(asm, table, value)

    def put_config(self, words: Words, thread: int, number: Ref) -> None:
        """Set the number of a thread's control state."""
        field = self.packing.fields.get(("config", thread))
        if field is not None:
            words.write(field, number)

    def private_but_number(self, thread: int) -> list[int]:
        """The cells of a thread: its location and its locals, without the parameter that holds its
        own number, which is not moved."""
        layout, count = self.packing.layout, len(self.program.template_of(thread).locals)
        base = layout.local_base[thread]
        if self._own(thread) and len(self.facts.cells[base]) > 1:
            raise NotPermutable("a thread that would be renamed has too many control states")
        return [layout.pc[thread], *range(base + self._own(thread), base + count)]

    def _contain(self, cell: int, origin: int, renaming: Renaming) -> None:
        """Raise `NotPermutable` if `cell` cannot hold every value that is moved to it."""
        held, values = self.facts.cells[cell], self.facts.cells[origin]
        moved = [renaming.get(v, v) for v in values] if renaming else [low(values), high(values)]
        if any(not low(held) <= value <= high(held) for value in moved):
            raise NOT_PERMUTABLE

    def _renamed(self, asm: Asm, value: Ref, cell: int, renaming: Renaming) -> Ref:
        values = self.facts.cells[cell]
        if not any(v in values for v in renaming):
            return value
        table = [renaming.get(v, v) for v in range(low(values), high(values) + 1)]
        return self.tables.look_up(asm, table, asm.sub(value, low(values)))

    def _move(self, asm: Asm, source: Words, target: Words, permutation: Permutation, thread: int) -> None:
        """Move a thread's location and locals to the thread that it becomes."""
        to = self.action.thread(permutation, thread)
        if self.packing.configs[thread] is not None:
            table = self.control_states(permutation, thread)
            self.put_config(target, to, self.look_up(asm, table, source.config(thread)))
            return
        if self.packing.configs[to] is not None or any(self._renamings(permutation, thread)[self._own(thread) :]):
            raise NotPermutable("a thread that would be renamed has too many control states")
        for one, other in zip(self.private_but_number(thread), self.private_but_number(to), strict=True):
            self._contain(other, one, {})
            target.set_cell(other, source.cell(one))

    def _own(self, thread: int) -> bool:
        """Whether the first local of a thread is its own number."""
        template = self.program.template_of(thread)
        return template.parameters > 0 and not template.spawned

    def _renamings(self, permutation: Permutation, thread: int) -> list[Renaming]:
        domains = self.action.symmetry.locals[self.program.threads[thread].template]
        return [self.action.renaming(permutation, domain) for domain in domains]

    def _config(self, config: Config, thread: int, permutation: Permutation) -> Config:
        """The image of a control state; dead locals hold their default and are not renamed."""
        kills = self.program.template_of(thread).locations[config[0]].kills
        pairs = enumerate(zip(config[1:], self._renamings(permutation, thread), strict=True))
        return (config[0], *(value if index in kills else r.get(value, value) for index, (value, r) in pairs))
