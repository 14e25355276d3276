"""The footprint of a step: the data that a step from a location may access, computed from the code up to the next
location.

A step is run once for all states that agree on its footprint, and only those cells of other pages that are in the
footprint are enumerated.
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
    """The data that a piece of code may access. `variables` are the variables read or written; `read` are the arrays of
    pages that are read at a computed page index; `pages` are the locals in these indexes; `assigned` are the locals
    that the code assigns."""

    variables: set[int] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    pages: set[int] = field(default_factory=set)
    assigned: set[int] = field(default_factory=set)

    @property
    def moves(self) -> bool:
        """True if the code may assign a local that it uses as a page index, so that the page it accesses may change
        within the step."""
        return bool(self.pages & self.assigned)


@dataclass(frozen=True, slots=True)
class Footprint:
    """The data that a step from a location may access. `questions` are the numbers of the questions to other threads;
    `common` are positions in the common cells that the step may read or write. `always` and `elsewhere` are cells with
    arbitrary content: the step may read those in `always` in any case, and those in `elsewhere` only if it accesses a
    page other than the tracked one, which is possible if one of the locals `pages` names such a page, or if `moves` is
    true."""

    questions: tuple[int, ...]
    common: tuple[int, ...]
    always: tuple[int, ...] = ()
    elsewhere: tuple[int, ...] = ()
    pages: tuple[int, ...] = ()
    moves: bool = False


def touched(template: Template, block: int, templates: Sequence[Template], elsewhere: Elsewhere) -> Touched:
    """The data that may be accessed from `block` up to the next location, including by the initial code of spawned
    threads."""
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
