"""Locals whose default may be visible: read before any assignment, or held while the thread is at a location.

A default is a constant that does not occur in the program text. A dead local is reset to it, which does not matter;
where it can be read, it counts as a constant of the local's domain.
"""

from __future__ import annotations

from dio_mc.ir.expr import Expr, Local, walk
from dio_mc.ir.ops import (
    Assign,
    Block,
    Branch,
    Choose,
    Halt,
    Jump,
    LocalTo,
    Op,
    Spawn,
    StoreTo,
    Target,
    op_expressions,
    successors,
)
from dio_mc.ir.program import Template


def defaults_seen(template: Template) -> frozenset[int]:
    """The positions of the locals whose default may be visible."""
    everything = frozenset(range(len(template.locals)))
    given = frozenset(range(template.parameters if template.spawned else min(template.parameters, 1)))
    ends = frozenset(template.locations[0].kills)
    seen = set(everything - ends) if template.spawned else set[int]()
    unset: dict[int, frozenset[int]] = {}
    waiting = [(template.entry, everything - given)]
    while waiting:
        number, arriving = waiting.pop()
        block = template.blocks[number]
        if block.location is not None:
            kills = frozenset(template.locations[block.location].kills)
            seen |= arriving - kills
            arriving |= kills
        known = unset.get(number)
        if known is not None and arriving <= known:
            continue
        unset[number] = arriving | (known or frozenset())
        after = _through(block, set(unset[number]), seen)
        match block.terminator:
            case Jump(target):
                waiting.append((target, after))
            case Branch(_, then, orelse):
                waiting += [(then, after), (orelse, after)]
            case _:
                seen |= after - ends
    return frozenset(seen)


def shared_start(template: Template) -> bool:
    """Whether an instance changes shared data, spawns or halts before it arrives at its first location."""
    seen: set[int] = set()
    waiting = [template.entry]
    while waiting:
        number = waiting.pop()
        block = template.blocks[number]
        if number in seen or block.location is not None:
            continue
        seen.add(number)
        if any(_changes(op) for op in block.ops):
            return True
        waiting += successors(block)
    return False


def _changes(op: Op) -> bool:
    targets = op.targets if isinstance(op, Assign) else (op.target,) if isinstance(op, Choose) else ()
    return isinstance(op, Spawn | Halt) or any(isinstance(target, StoreTo) for target in targets)


def _through(block: Block, unset: set[int], seen: set[int]) -> frozenset[int]:
    """The locals that are still unset after a block; those read on the way are added to `seen`."""
    for op in block.ops:
        seen |= _reads(op_expressions(op)) & unset
        unset -= _writes(op)
    if isinstance(block.terminator, Branch):
        seen |= _reads([block.terminator.condition]) & unset
    return frozenset(unset)


def _reads(exprs: list[Expr]) -> set[int]:
    return {part.index for expr in exprs for part in walk(expr) if isinstance(part, Local)}


def _writes(op: Op) -> set[int]:
    targets: tuple[Target, ...] = ()
    match op:
        case Assign(found):
            targets = found
        case Choose(target):
            targets = (target,)
        case _:
            pass
    return {target.index for target in targets if isinstance(target, LocalTo)}
