"""The layout of a state. A state is a flat tuple of integers: the cells of the variables in program order, then for
each thread instance its location (``pc``) and its locals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dio_mc.ir.program import Program
from dio_mc.ir.types import RangeType, ScalarType, show_value

State = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions in a state tuple.

    `variable_base[v]` is the first cell of variable `v`; `pc[t]` the cell of thread `t`'s location; `local_base[t]` the
    cell of its first local. `names` and `types` describe every cell (a pc has the range of its template's locations).
    """

    variable_base: tuple[int, ...]
    pc: tuple[int, ...]
    local_base: tuple[int, ...]
    names: tuple[str, ...]
    types: tuple[ScalarType, ...]

    @property
    def size(self) -> int:
        """Number of cells of a state."""
        return len(self.names)


def layout_of(program: Program, rooms: Sequence[int] = ()) -> Layout:
    """The layout of a program's states. With `rooms`, the locals of each thread take at least so many cells: those that
    no local uses have no name, and hold 0."""
    names: list[str] = []
    types: list[ScalarType] = []
    variable_base: list[int] = []
    for variable in program.variables:
        variable_base.append(len(names))
        names += [variable.cell_name(cell) for cell in range(variable.size)]
        types += [variable.type] * variable.size
    pcs: list[int] = []
    local_base: list[int] = []
    for number, thread in enumerate(program.threads):
        template = program.templates[thread.template]
        pcs.append(len(names))
        names.append(f"{thread.name}.pc")
        types.append(RangeType(0, len(template.locations) - 1))
        local_base.append(len(names))
        names += [f"{thread.name}.{local.name}" for local in template.locals]
        types += [local.type for local in template.locals]
        unused = max(0, rooms[number] - len(template.locals)) if rooms else 0
        names += [""] * unused
        types += [RangeType(0, 0)] * unused
    return Layout(tuple(variable_base), tuple(pcs), tuple(local_base), tuple(names), tuple(types))


def show_cell(program: Program, layout: Layout, cell: int, value: int) -> str:
    """A cell's value for display: the location's name for a pc, otherwise the type's spelling."""
    if cell in layout.pc:
        return program.template_of(layout.pc.index(cell)).locations[value].name
    return show_value(layout.types[cell], value)
