"""Counts of what is in flight, kept by who began it, so that any number may be.

The count of a lock (`DrainCounter`, the readers that an `RWSem` was handed over by) goes up and down by one and is
compared with zero only. So it may be kept in parts: each thread of a kind has *credits*, what it began and nobody
ended, and the common data has those of the fixed threads. The count is their sum. Whether it is zero is a question to
the others, as in code (`alone`); what a thread's step adds or takes is its own credit; and a thread that starts another
one whose code ends what is in flight passes on a credit. A thread that would end what it has no credit for cannot be
described so: then the count stays a number of the common data, with its bound.
"""

from __future__ import annotations

from collections.abc import Iterator

from dio_mc.ir.expr import Arith, Compare, Const, Expr, Load, children, walk
from dio_mc.ir.ops import Assign, Await, Block, Branch, Check, Choose, Op, Spawn, StoreTo, successors
from dio_mc.ir.program import Program, Template
from dio_mc.ir.types import RangeType

_WITH_ZERO = frozenset({("==", 0), ("!=", 0), (">", 0), ("<=", 0), (">=", 1), ("<", 1)})


def counters_of(program: Program) -> tuple[int, ...]:
    """The variables of locks that are counts: used in no other way than counts are."""
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
    """For each use of a variable, whether a count is used so."""
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
    """1 or -1 for the count and one more or less, None for any other value."""
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
    """Whether no step changes a count twice on its way: then its value in between is known as well."""
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
    """The templates whose code, or that of threads they start, takes from a count."""
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
