"""Points in the code of a step, and what is numbered on the way: flags, faults, places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from dio_mc.ir.program import Program
from dio_mc.semantics.step import fault_name
from dio_mc.source import Span

DEADLOCK: Final = 0
ASTRAY: Final = 1
FAULTS: Final = 2
"""Flags: a deadlock, a state outside what the analysis found (a fault of dio-mc), then the faults by number."""

LONGEST: Final = 400_000
"""Lines of code above which a program is for the reference engine."""
MOST_VARIANTS: Final = 48
"""Variants of one block in one step; after that its locals count as unknown."""
MOST_CHOICES: Final = 24
SPINS: Final = 100_000
"""The interpreter's limit on blocks of local loops."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A step that waits for the prefix of the thread it spawned."""

    thread: int
    block: int
    at: int
    known: tuple[int | None, ...]
    span: Span | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A point in the code of a step: what is fixed there. `known`: the running thread's locals, None where only a
    variable holds them; `leave` the label where a run that ends goes on."""

    thread: int
    block: int
    at: int
    known: tuple[int | None, ...]
    frames: tuple[Frame, ...]
    chain: tuple[tuple[int, int], ...]
    leave: str
    span: Span | None = field(compare=False)


class Names:
    """Faults by name, and (template, location) pairs, both numbered."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.faults: list[str] = []
        places = ((t, n) for t, template in enumerate(program.templates) for n in range(len(template.locations)))
        self.places = {pair: number for number, pair in enumerate(places)}

    def fault(self, kind: str, span: Span | None) -> int:
        """The flag of a fault."""
        name = fault_name(kind, span, self.program.file)
        if name not in self.faults:
            self.faults.append(name)
        return FAULTS + self.faults.index(name)
