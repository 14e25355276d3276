"""Relaxed variables whose order cannot be observed: every access is under the same lock.

The locks that a thread certainly holds at a place are computed from the text: an exclusive lock is
held from where its owner becomes the running thread to where it becomes anything else, on every
path. A release waits until the store buffer is empty, so the next holder sees every store.
"""

from __future__ import annotations

from collections.abc import Iterator

from dio_mc.checking.findings.owning import is_judged
from dio_mc.checking.findings.reading import expressions_of_op
from dio_mc.errors import Diagnostic
from dio_mc.frontend.declare import Members, attribute_span
from dio_mc.frontend.weak import THREAD
from dio_mc.ir.expr import Expr, Load, Me, walk
from dio_mc.ir.ops import Assign, Await, Block, Branch, Op, StoreTo, successors
from dio_mc.ir.program import Program, Template
from dio_mc.lang.model import Model

Held = frozenset[int]
"""Variables that hold the owner of an exclusive lock."""


def pointless_relaxation(model: type[Model], program: Program, members: Members) -> Iterator[Diagnostic]:
    """A finding for each relaxed variable of the class that is only accessed under one lock."""
    cells = {v.path: number for number, v in enumerate(program.variables)}
    for name, (_, owner) in members.data.items():
        entries = cells.get(("store_buffer", f".{name}", None, None))
        if entries is None or not is_judged(owner, model):
            continue
        both = frozenset({cells[name,], entries})
        held = [locks for t in program.templates if t.name != THREAD for locks in _held_at(t, program, both)]
        if held and (common := frozenset.intersection(*held)):
            lock = program.variables[min(common)].path[0]
            message = f"`{name}` is relaxed to no effect: every access is under the lock `{lock}`"
            yield Diagnostic("DIO333", message, attribute_span(owner, name), severity="warning")


def _held_at(template: Template, program: Program, cells: Held) -> Iterator[Held]:
    """The locks that are certainly held at each place that accesses one of the cells."""
    for number, entering in _on_entry(template, program).items():
        block = template.blocks[number]
        for op, held in _along(block, entering, program):
            if any(_reads(e, cells) for e in expressions_of_op(op)) or _stored(op) & cells:
                yield held
        if isinstance(block.terminator, Branch) and _reads(block.terminator.condition, cells):
            yield _through(block, entering, program)


def _on_entry(template: Template, program: Program) -> dict[int, Held]:
    """The locks that are held on entry to a block, on every path."""
    found: dict[int, Held] = {template.entry: frozenset()}
    ahead = [template.entry]
    while ahead:
        number = ahead.pop()
        held = _through(template.blocks[number], found[number], program)
        for following in successors(template.blocks[number]):
            known = found.get(following)
            joined = held if known is None else held & known
            if joined != known:
                found[following] = joined
                ahead.append(following)
    return found


def _through(block: Block, held: Held, program: Program) -> Held:
    """The locks that are held at the end of a block."""
    for op in block.ops:
        held = _after(op, held, _awaited(block), program)
    return held


def _along(block: Block, held: Held, program: Program) -> Iterator[tuple[Op, Held]]:
    """Each operation of a block with the locks held before it."""
    for op in block.ops:
        yield op, held
        held = _after(op, held, _awaited(block), program)


def _awaited(block: Block) -> Held:
    conditions = [op.condition for op in block.ops if isinstance(op, Await)]
    return frozenset(e.variable for c in conditions for e in walk(c) if isinstance(e, Load))


def _after(op: Op, held: Held, awaited: Held, program: Program) -> Held:
    """The locks held after an operation: a store to an owner that was waited for takes the lock, if
    it certainly stores the running thread; any other store to an owner releases it."""
    if not isinstance(op, Assign):
        return held
    for target, value in zip(op.targets, op.values, strict=True):
        if isinstance(target, StoreTo) and program.variables[target.variable].role == "lock" and not target.indices:
            owner = frozenset({target.variable})
            held = held | owner if isinstance(value, Me) and owner <= awaited else held - owner
    return held


def _stored(op: Op) -> Held:
    return (
        frozenset(t.variable for t in op.targets if isinstance(t, StoreTo)) if isinstance(op, Assign) else frozenset()
    )


def _reads(expression: Expr, cells: Held) -> bool:
    return any(isinstance(part, Load) and part.variable in cells for part in walk(expression))
