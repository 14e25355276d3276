"""The variables that a thread's code reads from a location on, and the blocks that it reaches; both from the program
text."""

from __future__ import annotations

from collections.abc import Iterator

from dio_mc.ir.expr import Expr, Load, walk
from dio_mc.ir.ops import Block, Branch, op_expressions, successors
from dio_mc.ir.program import Template


def variables_read(template: Template, location: int) -> frozenset[int]:
    """The variables that a step from a location may read, by position in the program."""
    blocks = reachable(template, template.locations[location].block, whole=False)
    parts = (part for block in blocks for expr in _expressions(block) for part in walk(expr))
    return frozenset(part.variable for part in parts if isinstance(part, Load))


def _expressions(block: Block) -> Iterator[Expr]:
    for op in block.ops:
        yield from op_expressions(op)
    if isinstance(block.terminator, Branch):
        yield block.terminator.condition


def reachable(template: Template, first: int, *, whole: bool) -> list[Block]:
    """The blocks reachable from `first`: all of them (`whole`), or only those of the next step."""
    seen, todo = {first}, [first]
    while todo:
        for block in successors(template.blocks[todo.pop()]):
            if block not in seen and (whole or template.blocks[block].location is None):
                seen.add(block)
                todo.append(block)
    return [template.blocks[block] for block in sorted(seen)]
