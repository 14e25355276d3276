"""Which locals a thread may still read at each location; all others are reset there to their defaults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dio_mc.ir.expr import Expr, Local, walk
from dio_mc.ir.ops import (
    Assign,
    Await,
    Block,
    Branch,
    Check,
    Choose,
    Halt,
    LocalTo,
    Op,
    Spawn,
    StoreTo,
    Target,
    successors,
)
from dio_mc.source import Span


def live_at_entry(blocks: Sequence[Block], watched: dict[int, frozenset[int]]) -> list[frozenset[int]]:
    """For each block, the locals that may be read after its start before they are written.

    `watched` adds locals that a property reads while the thread is at a location (by location number).
    """
    live: list[frozenset[int]] = [frozenset()] * len(blocks)
    reads = [_through(block) for block in blocks]
    writes = [frozenset(i for op in block.ops for i in _writes(op)) for block in blocks]
    changed = True
    while changed:
        changed = False
        for number in range(len(blocks) - 1, -1, -1):
            block = blocks[number]
            found = reads[number] | (frozenset().union(*(live[s] for s in successors(block))) - writes[number])
            if block.location is not None:
                found |= watched.get(block.location, frozenset())
            if found != live[number]:
                live[number] = found
                changed = True
    return live


def unassigned_reads(blocks: Sequence[Block], entry: int, assigned: frozenset[int]) -> list[tuple[int, Span | None]]:
    """Reads of locals that are not assigned on every path from the entry: the local and the place, in block order."""
    everything = frozenset(i for block in blocks for op in block.ops for i in _writes(op)) | assigned
    known: list[frozenset[int]] = [everything] * len(blocks)
    known[entry] = assigned
    changed = True
    while changed:
        changed = False
        for number, block in enumerate(blocks):
            after = known[number].union(*(_writes(op) for op in block.ops))
            for target in successors(block):
                if not known[target] <= after:
                    known[target] &= after
                    changed = True
    return [found for number, block in enumerate(blocks) for found in _early(block, set(known[number]))]


def _early(block: Block, known: set[int]) -> list[tuple[int, Span | None]]:
    found: list[tuple[int, Span | None]] = []
    for op in block.ops:
        found += [(i, op.span) for i in sorted(_reads(_expressions(op)) - known)]
        known |= _writes(op)
    if isinstance(block.terminator, Branch):
        found += [(i, block.terminator.span) for i in sorted(_reads([block.terminator.condition]) - known)]
    return found


def _through(block: Block) -> frozenset[int]:
    """The locals that a block reads before it writes them."""
    live = set[int]()
    if isinstance(block.terminator, Branch):
        live |= _reads([block.terminator.condition])
    for op in reversed(block.ops):
        live -= _writes(op)
        live |= _reads(_expressions(op))
    return frozenset(live)


def _reads(exprs: Iterable[Expr]) -> set[int]:
    return {part.index for expr in exprs for part in walk(expr) if isinstance(part, Local)}


def _writes(op: Op) -> set[int]:
    targets: Sequence[Target] = ()
    match op:
        case Assign(targets=found):
            targets = found
        case Choose(target=target):
            targets = (target,)
        case _:
            pass
    return {t.index for t in targets if isinstance(t, LocalTo)}


def _expressions(op: Op) -> list[Expr]:
    match op:
        case Assign(targets=targets, values=values):
            return [*values, *(i for t in targets if isinstance(t, StoreTo) for i in t.indices)]
        case Await(condition=condition) | Check(condition=condition):
            return [condition]
        case Choose(target=target, options=options):
            indices = list(target.indices) if isinstance(target, StoreTo) else []
            return [*indices, *(o.value for o in options), *(o.when for o in options if o.when is not None)]
        case Spawn(arguments=arguments):
            return list(arguments)
        case Halt():
            return []
