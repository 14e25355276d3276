"""The expressions that a program evaluates, and their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dio_mc.ir.expr import Expr, walk
from dio_mc.ir.ops import Assign, Await, Block, Branch, Check, Choose, Op, Spawn, StoreTo, Target
from dio_mc.ir.program import Program


def expressions_of(program: Program) -> Iterator[Expr]:
    """Every expression of a program, including parts of expressions."""
    roots = [p.expr for p in program.properties if p.expr is not None]
    roots += [a.meaning for p in program.properties for a in p.atoms]
    roots += [e for t in program.templates for block in t.blocks for e in _of_block(block)]
    for root in roots:
        yield from walk(root)


def _of_block(block: Block) -> Iterator[Expr]:
    for op in block.ops:
        yield from expressions_of_op(op)
    if isinstance(block.terminator, Branch):
        yield block.terminator.condition


def expressions_of_op(op: Op) -> Iterator[Expr]:
    """The expressions that one operation evaluates, without their parts."""
    match op:
        case Assign(targets, values):
            yield from values
            yield from _indices(targets)
        case Await(condition) | Check(condition):
            yield condition
        case Choose(target, options):
            yield from _indices([target])
            for option in options:
                yield option.value
                yield from [option.when] if option.when is not None else []
        case Spawn(_, arguments):
            yield from arguments


def _indices(targets: Iterable[Target]) -> Iterator[Expr]:
    for target in targets:
        if isinstance(target, StoreTo):
            yield from target.indices
