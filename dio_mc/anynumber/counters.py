"""Splits counters of operations in flight into a contribution per thread, so that there may be any number of
operations.

The counter of a lock (`DrainCounter`, or the readers that handed over an `RWSem`) changes by one and is compared with
zero only. So it can be split: each thread of a kind has *credits*, one for each operation that it began and that has
not ended, and the common cells hold the credits of the fixed threads. The value of the counter is the sum of all
credits. Whether it is zero is a question to the other threads, as in code (`alone`); a step changes the credits of the
thread that steps; and a thread passes on a credit when it starts a thread whose code decrements the counter. If a
thread would decrement the counter without a credit, the counter cannot be split, and it remains a bounded number in the
common cells.
"""

from __future__ import annotations

from collections.abc import Iterator

from dio_mc.ir.expr import Arith, Compare, Const, Expr, Load, children, walk
from dio_mc.ir.ops import Assign, Await, Block, Branch, Check, Choose, Op, Spawn, StoreTo, successors
from dio_mc.ir.program import Program, Template
from dio_mc.ir.types import RangeType

_WITH_ZERO = frozenset({("==", 0), ("!=", 0), (">", 0), ("<=", 0), (">=", 1), ("<", 1)})


def counters_of(program: Program) -> tuple[int, ...]:
    """The variables of locks that can be split: scalars with a range from 0 that start at 0, are not read by
    properties, are only incremented, decremented and compared with zero, and change at most once in a step."""
    asked = {p.variable for q in program.properties if q.expr is not None for p in walk(q.expr) if isinstance(p, Load)}
    found = []
    for number, variable in enumerate(program.variables):
        counts = isinstance(variable.type, RangeType) and variable.type.low == 0 and variable.init == (0,)
        if variable.role == "lock" and counts and not variable.shape and not variable.any_init and number not in asked:
            uses = [use for template in program.templates for block in template.blocks for use in _uses(block, number)]
            apart = all(_changes_once(template, number) for template in program.templates)
            if uses and all(uses) and apart:
                found.append(number)
    return tuple(found)


def _uses(block: Block, variable: int) -> Iterator[bool]:
    """For each use of the variable in the block, whether a splittable counter may be used in this way."""
    for op in block.ops:
        match op:
            case Assign(targets, values):
                for target, value in zip(targets, values, strict=True):
                    if isinstance(target, StoreTo) and target.variable == variable:
                        yield len(targets) == 1 and step_of(value, variable) is not None
                    else:
                        yield from _reads(value, variable)
                    if isinstance(target, StoreTo):
                        yield from (use for index in target.indices for use in _reads(index, variable))
            case Await(condition) | Check(condition):
                yield from _reads(condition, variable)
            case Choose(target, options):
                if isinstance(target, StoreTo) and target.variable == variable:
                    yield False
                for option in options:
                    yield from _reads(option.value, variable)
                    yield from _reads(option.when, variable) if option.when is not None else ()
            case Spawn(_, arguments):
                yield from (use for argument in arguments for use in _reads(argument, variable))
    if isinstance(block.terminator, Branch):
        yield from _reads(block.terminator.condition, variable)


def step_of(value: Expr, variable: int) -> int | None:
    """1 for an increment of the variable by one, -1 for a decrement by one, None for any other value."""
    match value:
        case Arith("+", Load(read), Const(1)) if read == variable:
            return 1
        case Arith("-", Load(read), Const(1)) if read == variable:
            return -1
        case _:
            return None


def _reads(expr: Expr, variable: int) -> Iterator[bool]:
    match expr:
        case Compare(op, Load(read), Const(value)) if read == variable:
            yield (op, value) in _WITH_ZERO
        case Load(read) if read == variable:
            yield False
        case _:
            for part in children(expr):
                yield from _reads(part, variable)


def _changes_once(template: Template, variable: int) -> bool:
    """Return whether every step changes the counter at most once. Then its value at each point of the step is
    determined by the value at the start."""
    for start, block in enumerate(template.blocks):
        if block.location is None and start != template.entry:
            continue
        waiting = [(start, 0)]
        seen: set[tuple[int, int]] = set()
        while waiting:
            number, changes = waiting.pop()
            here = template.blocks[number]
            changes += sum(_changes(op, variable) for op in here.ops)
            if changes > 1:
                return False
            if (number, changes) in seen:
                continue
            seen.add((number, changes))
            waiting += [(n, changes) for n in successors(here) if template.blocks[n].location is None]
    return True


def _changes(op: Op, variable: int) -> bool:
    return isinstance(op, Assign) and any(isinstance(t, StoreTo) and t.variable == variable for t in op.targets)


def ends(program: Program, variable: int) -> frozenset[int]:
    """The templates that decrement the counter, or that start a thread of such a template, directly or indirectly."""
    found: set[int] = set()
    while True:
        further = {
            number
            for number, template in enumerate(program.templates)
            if number not in found and any(_takes(op, variable, found) for b in template.blocks for op in b.ops)
        }
        if not further:
            return frozenset(found)
        found |= further


def _takes(op: Op, variable: int, known: set[int]) -> bool:
    match op:
        case Spawn(template):
            return template in known
        case Assign(targets, values):
            pairs = zip(targets, values, strict=True)
            return any(
                isinstance(t, StoreTo) and t.variable == variable and step_of(v, variable) == -1 for t, v in pairs
            )
        case _:
            return False
