"""Which locals a thread may still read at each location; all others are reset there to their defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dio_mc.ir.expr import Expr, Local, children
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


class Uses:
    """Which locals the operations and the branch of each block read, and the operations write. An expression that
    several operations share is read once: what is found is kept by the identity of its parts, which the blocks keep."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self._read: dict[int, frozenset[int]] = {}
        self.reads = [[self._of(_expressions(op)) for op in block.ops] for block in blocks]
        self.writes = [[_writes(op) for op in block.ops] for block in blocks]
        self.tests = [
            self._in(block.terminator.condition) if isinstance(block.terminator, Branch) else _NOTHING
            for block in blocks
        ]

    def _of(self, exprs: list[Expr]) -> frozenset[int]:
        return _NOTHING.union(*map(self._in, exprs))

    def _in(self, expr: Expr) -> frozenset[int]:
        if isinstance(expr, Local):
            return frozenset((expr.index,))
        found = self._read.get(id(expr))
        if found is None:
            below = [part for part in map(self._in, children(expr)) if part]
            found = below[0] if len(below) == 1 else _NOTHING.union(*below)
            self._read[id(expr)] = found
        return found

    def through(self, number: int) -> frozenset[int]:
        """The locals that a block reads before it writes them."""
        live = set(self.tests[number])
        for reads, writes in zip(reversed(self.reads[number]), reversed(self.writes[number]), strict=True):
            live -= writes
            live |= reads
        return frozenset(live)

    def written(self, number: int) -> frozenset[int]:
        """The locals that a block writes."""
        return _NOTHING.union(*self.writes[number])


_NOTHING: Final = frozenset[int]()


def live_at_entry(uses: Uses, watched: dict[int, frozenset[int]]) -> list[frozenset[int]]:
    """For each block, the locals that may be read after its start before they are written.

    `watched` adds locals that a property reads while the thread is at a location (by location number).
    """
    blocks = uses.blocks
    live: list[frozenset[int]] = [frozenset()] * len(blocks)
    reads = [uses.through(number) for number in range(len(blocks))]
    writes = [uses.written(number) for number in range(len(blocks))]
    following = [successors(block) for block in blocks]
    changed = True
    while changed:
        changed = False
        for number in range(len(blocks) - 1, -1, -1):
            location = blocks[number].location
            found = reads[number] | (_NOTHING.union(*[live[s] for s in following[number]]) - writes[number])
            if location is not None and location in watched:
                found |= watched[location]
            if found != live[number]:
                live[number] = found
                changed = True
    return live


def unassigned_reads(uses: Uses, entry: int, assigned: frozenset[int]) -> list[tuple[int, Span | None]]:
    """Reads of locals that are not assigned on every path from the entry: the local and the place, in block order."""
    blocks = uses.blocks
    writes = [uses.written(number) for number in range(len(blocks))]
    following = [successors(block) for block in blocks]
    known: list[frozenset[int]] = [assigned.union(*writes)] * len(blocks)
    known[entry] = assigned
    changed = True
    while changed:
        changed = False
        for number in range(len(blocks)):
            after = known[number] | writes[number]
            for target in following[number]:
                if not known[target] <= after:
                    known[target] &= after
                    changed = True
    return [found for number in range(len(blocks)) for found in _early(uses, number, set(known[number]))]


def _early(uses: Uses, number: int, known: set[int]) -> list[tuple[int, Span | None]]:
    found: list[tuple[int, Span | None]] = []
    block = uses.blocks[number]
    for op, reads, writes in zip(block.ops, uses.reads[number], uses.writes[number], strict=True):
        if not reads <= known:
            found += [(i, op.span) for i in sorted(reads - known)]
        known |= writes
    if isinstance(block.terminator, Branch):
        found += [(i, block.terminator.span) for i in sorted(uses.tests[number] - known)]
    return found


def _writes(op: Op) -> frozenset[int]:
    targets: Sequence[Target] = ()
    match op:
        case Assign(targets=found):
            targets = found
        case Choose(target=target):
            targets = (target,)
        case _:
            pass
    return frozenset([t.index for t in targets if isinstance(t, LocalTo)])


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
