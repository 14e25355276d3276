"""The deterministic text form of a program, printed by ``dio-mc ir``, kept in golden files, and hashed for the
digest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

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
)
from dio_mc.ir.ops import (
    Assign,
    Await,
    Block,
    Branch,
    Check,
    Choose,
    End,
    Halt,
    Jump,
    LocalTo,
    Op,
    Spawn,
    StoreTo,
    Target,
    Terminator,
)
from dio_mc.ir.program import Program, Property, Template, Variable
from dio_mc.ir.types import show_type, show_value


def print_program(program: Program) -> str:
    """The whole program as text; the same program gives the same bytes."""
    return "\n".join(_lines(program)) + "\n"


def _lines(program: Program) -> Iterator[str]:
    yield f"program {program.name.split('@', maxsplit=1)[0]}"
    yield from (f"param {name} = {value}" for name, value in program.params)
    yield from (_variable(v) for v in program.variables)
    yield "threads " + ", ".join(t.name for t in program.threads)
    for template in program.templates:
        yield ""
        yield from _template(program, template)
    if program.regions:
        yield ""
    for region in program.regions:
        name = program.templates[region.template].name
        places = ", ".join(f"L{n}" for n in sorted(region.locations)) or "within a step"
        arguments = "".join(f" {n}=%{i}" for n, i in region.arguments)
        yield f"region {region.name!r} in {name}: {places}{arguments}"
    for property_ in program.properties:
        yield ""
        yield _property(program, property_)
    yield f"deadlock {'checked' if program.check_deadlock else 'not checked'}"


def _variable(variable: Variable) -> str:
    kind = "ghost" if variable.ghost else "lock" if variable.role == "lock" else "var"
    shape = "".join(f"[{n}]" for n in variable.shape)
    shown = [show_value(variable.type, v) for v in variable.init]
    init = "any" if variable.any_init else shown[0] if len(set(shown)) == 1 else "{" + ", ".join(shown) + "}"
    return f"{kind} {variable.name}{shape} : {show_type(variable.type)} = {init}"


def _template(program: Program, template: Template) -> Iterator[str]:
    words = "".join([" daemon" if template.daemon else "", " spawned" if template.spawned else ""])
    yield f"template {template.name}{words} entry B{template.entry}"
    for number, local in enumerate(template.locals):
        kind = "arg" if number < template.parameters else "local"
        yield f"  {kind} %{number} {local.name} : {show_type(local.type)}"
    for number, block in enumerate(template.blocks):
        yield from _block(program, template, number, block)


def _block(program: Program, template: Template, number: int, block: Block) -> Iterator[str]:
    head = f"  B{number}:"
    if block.location is not None:
        location = template.locations[block.location]
        kills = "".join(f" %{k}" for k in location.kills)
        head += f"  ; L{block.location} {location.name}" + (f" kills{kills}" if kills else "")
    yield head
    for op in block.ops:
        yield f"    {print_op(program, op)}"
    yield f"    {_terminator(program, block.terminator)}"


def print_op(program: Program, op: Op) -> str:
    """One operation as text."""
    match op:
        case Assign(targets, values):
            left = ", ".join(_target(program, t) for t in targets)
            return f"{left} := {', '.join(print_expr(program, v) for v in values)}"
        case Await(condition):
            return f"await {print_expr(program, condition)}"
        case Check(condition, kind, message):
            return f"check {kind} {print_expr(program, condition)} else {message!r}"
        case Choose(target, options):
            listed = ", ".join(
                print_expr(program, o.value) + (f" if {print_expr(program, o.when)}" if o.when is not None else "")
                for o in options
            )
            return f"{_target(program, target)} := choose({listed})"
        case Spawn(template, arguments):
            listed = ", ".join(print_expr(program, a) for a in arguments)
            return f"spawn {program.templates[template].name}({listed})"
        case Halt():
            return "halt others"
        case _:
            assert_never(op)


def _terminator(program: Program, terminator: Terminator) -> str:
    match terminator:
        case Jump(block):
            return f"jump B{block}"
        case Branch(condition, then, orelse):
            return f"branch {print_expr(program, condition)} ? B{then} : B{orelse}"
        case End():
            return "end"
        case _:
            assert_never(terminator)


def _target(program: Program, target: Target) -> str:
    match target:
        case StoreTo(variable, indices):
            return _cell(program, variable, indices)
        case LocalTo(index, name):
            return f"%{index}:{name}"
        case _:
            assert_never(target)


def _cell(program: Program, variable: int, indices: tuple[Expr, ...]) -> str:
    parts = iter(indices)
    pieces = program.variables[variable].path
    return "".join(f"[{print_expr(program, next(parts))}]" if p is None else p for p in pieces)


def _property(program: Program, property_: Property) -> str:
    text = "by the solver alone" if property_.expr is None else print_expr(program, property_.expr)
    fair = " under strong fairness" if property_.fairness == "strong" else ""
    return f"{property_.kind} {property_.name}{fair}: {text}"


def print_expr(program: Program, expr: Expr) -> str:
    """One expression as text; sub-expressions are fully parenthesised."""
    match expr:
        case Const(value, type_):
            return show_value(type_, value)
        case Local(index, name):
            return f"%{index}:{name}"
        case Load(variable, indices, after=after):
            return ("after." if after else "") + _cell(program, variable, indices)
        case Me():
            return "me"
        case Not(operand):
            return f"not {_inner(program, operand)}"
        case And(operands):
            return " and ".join(_inner(program, o) for o in operands)
        case Or(operands):
            return " or ".join(_inner(program, o) for o in operands)
        case Implies(premise, conclusion):
            return f"{_inner(program, premise)} => {_inner(program, conclusion)}"
        case Ite(condition, then, orelse):
            return f"{_inner(program, then)} if {_inner(program, condition)} else {_inner(program, orelse)}"
        case Compare(op, left, right) | Arith(op, left, right):
            return f"{_inner(program, left)} {op} {_inner(program, right)}"
        case AtLocation(thread, locations, after):
            places = ",".join(f"L{n}" for n in sorted(locations))
            return ("after." if after else "") + f"at({program.threads[thread].name}, {places})"
        case LocalOf(thread, index, _, after):
            return ("after." if after else "") + f"{program.threads[thread].name}.%{index}"
        case _:
            assert_never(expr)


def _inner(program: Program, expr: Expr) -> str:
    text = print_expr(program, expr)
    simple = isinstance(expr, Const | Local | Load | Me | AtLocation | LocalOf)
    return text if simple else f"({text})"
