"""Operations and terminators of basic blocks. Frozen data; spans are ignored by comparison.

A *step* of a thread runs from its location to the next one (`program.Location`) and is all or nothing. If an `Await` is
false, or a `Choose` has no open option, this run of the step does not exist. A failing `Check`, index or range is a
fault: the step has no successor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, assert_never

from dio_mc.ir.expr import Expr
from dio_mc.ir.types import ScalarType
from dio_mc.source import Span

FaultKind = Literal["assertion", "index", "range", "lock_misuse", "misuse", "spawn", "endless_loop", "recursion"]
"""Run-time faults of a model. ``assertion``: an `assert` failed. ``index``: an index outside its array. ``range``: a
value outside its variable's type. ``lock_misuse``: a rule of a lock was broken; ``misuse``: a rule of another part.
``spawn``: no idle slot. ``endless_loop``: local statements that never reach a step. ``recursion``: an operation called
itself deeper than it may."""


@dataclass(frozen=True, slots=True)
class StoreTo:
    """An assignment target: a cell of a shared or ghost variable."""

    variable: int
    indices: tuple[Expr, ...]
    type: ScalarType
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LocalTo:
    """An assignment target: a local of the running thread."""

    index: int
    name: str
    type: ScalarType


Target = StoreTo | LocalTo


@dataclass(frozen=True, slots=True)
class Assign:
    """Parallel assignment: all values, then all indexes, are evaluated in order, then all targets are written.

    A value outside its target's type is a fault ``range``.
    """

    targets: tuple[Target, ...]
    values: tuple[Expr, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Await:
    """A condition without which this run of the step does not exist."""

    condition: Expr
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that must hold; otherwise the step is a fault of this kind."""

    condition: Expr
    kind: FaultKind
    message: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Option:
    """One alternative of a `Choose`; open if `when` holds (None: always)."""

    value: Expr
    when: Expr | None = None


@dataclass(frozen=True, slots=True)
class Choose:
    """Nondeterministic choice: one run of the step per open option, in order. The option's position is part of the
    action."""

    target: Target
    options: tuple[Option, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start the first idle instance of a spawned template with these arguments (its first locals) and run its local
    prefix. If no instance is idle, the step is a fault ``spawn``."""

    template: int
    arguments: tuple[Expr, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Halt:
    """End every other thread: it goes to location 0, and its locals to their defaults. A step that halts spawns nothing
    before it does."""

    span: Span | None = field(default=None, compare=False)


Op = Assign | Await | Check | Choose | Spawn | Halt


@dataclass(frozen=True, slots=True)
class Jump:
    """Control continues at a block."""

    block: int


@dataclass(frozen=True, slots=True)
class Branch:
    """Control continues at one of two blocks."""

    condition: Expr
    then: int
    orelse: int
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class End:
    """The thread ends (goes to location 0); a spawned instance becomes idle again."""


Terminator = Jump | Branch | End


@dataclass(frozen=True, slots=True)
class Block:
    """Straight-line operations and a terminator. `location` is the position of the location that begins at this block,
    or None. Entering a block with a location ends the current step."""

    ops: tuple[Op, ...]
    terminator: Terminator
    location: int | None = None


def op_expressions(op: Op) -> list[Expr]:
    """All expressions that an operation evaluates."""
    match op:
        case Assign(targets, values):
            return [*values, *(index for t in targets if isinstance(t, StoreTo) for index in t.indices)]
        case Await(condition) | Check(condition):
            return [condition]
        case Choose(target, options):
            indices = list(target.indices) if isinstance(target, StoreTo) else []
            return [*indices, *(o.value for o in options), *(o.when for o in options if o.when is not None)]
        case Spawn(_, arguments):
            return list(arguments)
        case Halt():
            return []


def successors(block: Block) -> tuple[int, ...]:
    """The blocks that can be entered after this one."""
    match block.terminator:
        case Jump(target):
            return (target,)
        case Branch(_, then, orelse):
            return (then, orelse)
        case End():
            return ()
        case _:
            assert_never(block.terminator)
