"""Positions in the generated code of a step, and the numbering of flags, faults and places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from dio_mc.ir.program import Program
from dio_mc.semantics.step import fault_name
from dio_mc.source import Span

DEADLOCK: Final = 0
ASTRAY: Final = 1
FAULTS: Final = 2
"""The number of the first fault's flag. Before it come the deadlock and `ASTRAY`: a state that the
analysis of values has not foreseen, which is a fault of dio-mc."""

LONGEST: Final = 400_000
"""Lines of code beyond which a program is left to the reference engine."""
MOST_VARIANTS: Final = 48
"""The number of variants of one block in one step, with different constant locals, after which its
locals become variables."""
MOST_CHOICES: Final = 24
"""The largest number of choices in a row within one step."""
SPINS: Final = 100_000
"""The number of blocks that a local loop may run in one step, as in the interpreter; beyond it
there is a fault."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A step that is suspended while the thread that it spawned runs its initial prefix."""

    thread: int
    block: int
    at: int
    known: tuple[int | None, ...]
    span: Span | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in the code of a step, with everything that is constant there.

    `known` has the running thread's locals, None for those that are held in variables; `frames` the
    suspended steps; `chain` the choices made so far, as (site, option group). A run that ends
    continues at the label `leave`.
    """

    thread: int
    block: int
    at: int
    known: tuple[int | None, ...]
    frames: tuple[Frame, ...]
    chain: tuple[tuple[int, int], ...]
    leave: str
    span: Span | None = field(compare=False)


class Names:
    """Numbers for the faults of a program, and for its places (`places`: (template, location) ->
    number)."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.faults: list[str] = []
        places = ((t, n) for t, template in enumerate(program.templates) for n in range(len(template.locations)))
        self.places = {pair: number for number, pair in enumerate(places)}

    def fault(self, kind: str, span: Span | None) -> int:
        """The number of a fault's flag; new faults are numbered in the order of first use."""
        name = fault_name(kind, span, self.program.file)
        if name not in self.faults:
            self.faults.append(name)
        return FAULTS + self.faults.index(name)
