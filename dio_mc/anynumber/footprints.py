"""What a step from a location may touch: looked up in the code, up to the next location.

So a step is run once for all states that agree on this, and only what it may read of a page elsewhere is tried with
every value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from dio_mc.anynumber.pages import Elsewhere
from dio_mc.ir.expr import Const, Expr, Load, Local, walk
from dio_mc.ir.ops import Assign, Branch, Choose, Jump, LocalTo, Op, Spawn, StoreTo, op_expressions
from dio_mc.ir.program import Template


@dataclass(slots=True)
class Touched:
    """What some code may touch: `variables` it reads or writes; `read` are those that it reads of a page which a local
    names, `pages` these locals, `assigned` the locals that it assigns."""

    variables: set[int] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    pages: set[int] = field(default_factory=set)
    assigned: set[int] = field(default_factory=set)

    @property
    def moves(self) -> bool:
        """Whether the page may be another one than at the start."""
        return bool(self.pages & self.assigned)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a step from a location may touch: the questions it may ask, positions in `common` it may read or write. Of
    cells that hold anything it reads `always` these, and `elsewhere` those where the page is not the tracked one: where
    one of the locals `pages` says so, or, if it `moves`, in any case."""

    questions: tuple[int, ...]
    common: tuple[int, ...]
    always: tuple[int, ...] = ()
    elsewhere: tuple[int, ...] = ()
    pages: tuple[int, ...] = ()
    moves: bool = False


def touched(template: Template, block: int, templates: Sequence[Template], elsewhere: Elsewhere) -> Touched:
    """What may be touched from a block on, up to the next location."""
    found = Touched()
    seen = {block}
    waiting = [block]
    while waiting:
        current = template.blocks[waiting.pop()]
        for op in current.ops:
            _op(found, op, templates, elsewhere)
        following: tuple[int, ...] = ()
        match current.terminator:
            case Jump(target):
                following = (target,)
            case Branch(condition, then, orelse):
                _read(found, [condition], elsewhere)
                following = (then, orelse)
            case _:
                pass
        fresh = [b for b in following if template.blocks[b].location is None and b not in seen]
        seen.update(fresh)
        waiting += fresh
    return found


def _op(found: Touched, op: Op, templates: Sequence[Template], elsewhere: Elsewhere) -> None:
    _read(found, op_expressions(op), elsewhere)
    targets = op.targets if isinstance(op, Assign) else (op.target,) if isinstance(op, Choose) else ()
    for target in targets:
        match target:
            case LocalTo(index):
                found.assigned.add(index)
            case StoreTo(variable):
                found.variables.add(variable)
    if isinstance(op, Spawn):
        started = templates[op.template]
        if started.blocks[started.entry].location is None:
            inner = touched(started, started.entry, templates, elsewhere)
            found.variables |= inner.variables
            found.read |= inner.read


def _read(found: Touched, expressions: Collection[Expr], elsewhere: Elsewhere) -> None:
    for part in (p for expr in expressions for p in walk(expr)):
        if not isinstance(part, Load):
            continue
        found.variables.add(part.variable)
        dimension = elsewhere.dimensions.get(part.variable)
        if dimension is not None and not isinstance(part.indices[dimension], Const):
            found.read.add(part.variable)
            found.pages.update(_locals(part.indices[dimension]))


def _locals(expr: Expr) -> Iterator[int]:
    return (part.index for part in walk(expr) if isinstance(part, Local))
