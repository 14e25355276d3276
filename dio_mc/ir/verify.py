"""Check that a program is well formed. It runs after every transformation; a failure is a fault of dio-mc, never the
user's."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import assert_never

from dio_mc.errors import InternalError
from dio_mc.ir.expr import (
    And,
    Arith,
    AtLocation,
    Compare,
    Const,
    Expr,
    Implies,
    Ite,
    Load,
    Local,
    LocalOf,
    Me,
    Not,
    Or,
    type_of,
    walk,
)
from dio_mc.ir.ops import Assign, Await, Branch, Check, Choose, Jump, LocalTo, Op, Spawn, StoreTo, Target
from dio_mc.ir.program import Program, Template
from dio_mc.ir.types import BOOL, ScalarType, bounds


def verify(program: Program, known: Container[str] = ()) -> None:
    """Raise `InternalError` with a list of everything that is wrong with the program. Templates and properties that are
    `known` were verified in another program with the same variables and threads."""
    problems = list(_problems(program, known))
    if problems:
        raise InternalError(f"the IR of {program.name} does not verify", problems)


def _problems(program: Program, known: Container[str]) -> Iterator[str]:
    for variable in program.variables:
        low, high = bounds(variable.type)
        if len(variable.init) != variable.size or any(not low <= v <= high for v in variable.init):
            yield f"variable {variable.name}: bad initial values"
        if sum(p is None for p in variable.path) != len(variable.shape):
            yield f"variable {variable.name}: path and shape disagree"
    for thread in program.threads:
        if not 0 <= thread.template < len(program.templates):
            yield f"thread {thread.name}: no such template"
    for template in (t for t in program.templates if t.name not in known):
        yield from (f"template {template.name}: {p}" for p in _template(program, template))
    for property_ in program.properties:
        if property_.expr is not None and property_.name not in known:
            yield from (f"property {property_.name}: {p}" for p in _property(program, property_.expr))


def _template(program: Program, template: Template) -> Iterator[str]:
    seen: set[int] = set()
    if not template.locations or template.locations[0].block != -1:
        yield "location 0 must be the end"
    if not 0 <= template.entry < len(template.blocks):
        yield "no entry block"
    for number, location in enumerate(template.locations[1:], start=1):
        if not 0 <= location.block < len(template.blocks) or template.blocks[location.block].location != number:
            yield f"location {location.name} and its block disagree"
    names = [location.name for location in template.locations]
    if len(set(names)) != len(names):
        yield "location names are not unique"
    for number, block in enumerate(template.blocks):
        for op in block.ops:
            yield from [f"B{number}: {p}" for p in _op(program, template, op, seen)]
        match block.terminator:
            case Jump(target):
                targets: tuple[int, ...] = (target,)
            case Branch(condition, then, orelse):
                targets = (then, orelse)
                yield from _boolean(condition)
                yield from _body_expr(program, template, condition, seen)
            case _:
                targets = ()
        if any(not 0 <= t < len(template.blocks) for t in targets):
            yield f"B{number}: jumps nowhere"


def _op(program: Program, template: Template, op: Op, seen: set[int]) -> Iterator[str]:
    match op:
        case Assign(targets, values):
            if len(targets) != len(values):
                yield "targets and values differ in number"
            for target in targets:
                yield from _target(program, template, target, seen)
            for value in values:
                yield from _body_expr(program, template, value, seen)
        case Await(condition) | Check(condition):
            yield from _boolean(condition)
            yield from _body_expr(program, template, condition, seen)
        case Choose(target, options):
            yield from _target(program, template, target, seen)
            if not options:
                yield "choose without options"
            for option in options:
                yield from _body_expr(program, template, option.value, seen)
                if option.when is not None:
                    yield from _body_expr(program, template, option.when, seen)
        case Spawn(number, arguments):
            if not program.templates[number].spawned or len(arguments) != program.templates[number].parameters:
                yield "spawn of a template that is not spawned this way"
            for argument in arguments:
                yield from _body_expr(program, template, argument, seen)


def _target(program: Program, template: Template, target: Target, seen: set[int]) -> Iterator[str]:
    match target:
        case LocalTo(index, name, type_):
            if not 0 <= index < len(template.locals) or template.locals[index].type != type_:
                yield f"local {name} does not match the template"
        case StoreTo(variable, indices, type_):
            yield from _access(program, variable, indices, type_)
            for position in indices:
                yield from _body_expr(program, template, position, seen)


def _access(program: Program, variable: int, indices: tuple[Expr, ...], type_: ScalarType) -> Iterator[str]:
    if not 0 <= variable < len(program.variables):
        yield f"no variable {variable}"
        return
    found = program.variables[variable]
    if len(indices) != len(found.shape) or found.type != type_:
        yield f"access to {found.name} does not fit its shape or type"


def _boolean(expr: Expr) -> Iterator[str]:
    if type_of(expr) != BOOL:
        yield "a condition is not bool"


def _body_expr(program: Program, template: Template, expr: Expr, seen: set[int]) -> Iterator[str]:
    for part in walk(expr, seen):
        match part:
            case Const():
                pass
            case Local(index, name, type_):
                if not 0 <= index < len(template.locals):
                    yield f"no local {name}"
                elif not _within(type_, template.locals[index].type):
                    yield f"local {name} is read as another type"
            case AtLocation() | LocalOf():
                yield "a thread body reads locations or locals of threads"
            case Load(after=True) | Load(total=True):
                yield "a thread body reads as a property does"
            case _:
                yield from _common(program, part)


def _within(inner: ScalarType, outer: ScalarType) -> bool:
    if inner is outer:
        return True
    return type(inner) is type(outer) and bounds(outer)[0] <= bounds(inner)[0] and bounds(inner)[1] <= bounds(outer)[1]


def _property(program: Program, expr: Expr) -> Iterator[str]:
    yield from _boolean(expr)
    for part in walk(expr):
        match part:
            case Local() | Me():
                yield "a property reads a running thread"
            case Load(total=False):
                yield "a property reads an index that may fault"
            case _:
                yield from _common(program, part)


def _common(program: Program, part: Expr) -> Iterator[str]:
    match part:
        case Load(variable, indices, type_):
            yield from _access(program, variable, indices, type_)
        case Not(operand):
            yield from _boolean(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _boolean(operand)
        case Implies(premise, conclusion):
            yield from _boolean(premise)
            yield from _boolean(conclusion)
        case Ite(condition, _, _, _):
            yield from _boolean(condition)
        case Const() | Local() | Me() | Compare() | Arith() | AtLocation() | LocalOf():
            pass
        case _:
            assert_never(part)
