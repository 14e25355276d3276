"""Decides whether an exchange of two elements is an automorphism: whether it maps all operations, initial values,
types, visible defaults and properties of a program to themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from dio_mc.analysis.symmetry.domains import Break, Domains, Slot
from dio_mc.analysis.symmetry.exchange import Element, Exchange, Form, Identity
from dio_mc.analysis.symmetry.unset import defaults_seen
from dio_mc.ir.expr import And, AtLocation, Const, Expr, LocalOf, children, walk
from dio_mc.ir.ops import Branch, Op, op_expressions
from dio_mc.ir.program import Program, Variable
from dio_mc.ir.types import OptionType, RangeType, ScalarType, bounds
from dio_mc.source import Span


@dataclass(frozen=True, slots=True)
class _Constant:
    """A value that a slot can hold although it does not occur in the program text."""

    slot: Slot
    value: int
    name: str
    span: Span | None


class Automorphisms:
    """Tests exchanges on one program."""

    def __init__(self, domains: Domains) -> None:
        self._program = domains.program
        self._types = list(_types(self._program))
        self._constants = list(_constants(self._program))
        self._ops = list(_ops(self._program))
        self._conditions = list(_conditions(self._program))
        self._op_forms = [_op_form(domains, template, op) for template, op in self._ops]
        self._forms = [_form(domains, template, expr) for template, expr, _ in self._conditions]

    def against(self, exchange: Exchange) -> Break | None:
        """The first part of the program that the exchange changes, with the reason; None if the exchange is an
        automorphism. Text that names nothing that moves is left out: its form cannot change."""
        moving = exchange.elements()
        for number, variable in enumerate(self._program.variables):
            if _initial(exchange, number, variable) != variable.init:
                return Break(f"`{variable.name}` starts with different values", variable.span)
        for slot, type_, name, span in self._types:
            if _distinguished(exchange, slot, type_):
                return Break(f"`{name}` has a place for one and not for the other", span)
        for one in self._constants:
            if exchange.value(one.slot, one.value) != one.value:
                return Break(f"`{one.name}` is {one.value} without being set", one.span)
        for (template, op), (form, named) in zip(self._ops, self._op_forms, strict=True):
            if not moving.isdisjoint(named) and exchange.op(template, op) != form:
                return Break("a statement names one", op.span)
        for (body, condition, span), (form, named) in zip(self._conditions, self._forms, strict=True):
            if not moving.isdisjoint(named) and exchange.expr(body, condition, None) != form:
                return Break("a property does not treat them alike" if body is None else "a condition names one", span)
        return None


def _op_form(domains: Domains, template: int, op: Op) -> tuple[Form, frozenset[Element]]:
    """The form of an operation as it is, and the elements that it names."""
    identity = Identity(domains)
    return identity.op(template, op), frozenset(identity.named)


def _form(domains: Domains, template: int | None, expr: Expr) -> tuple[Form, frozenset[Element]]:
    """The same of a condition."""
    identity = Identity(domains)
    return identity.expr(template, expr, None), frozenset(identity.named)


def _initial(exchange: Exchange, number: int, variable: Variable) -> tuple[int, ...]:
    """The initial values after an exchange."""
    if not any(exchange.moves(slot) for slot in _slots(number, variable)):
        return variable.init
    cells = list(product(*map(range, variable.shape)))
    places = {cell: n for n, cell in enumerate(cells)}
    moved = list(variable.init)
    for cell, value in zip(cells, variable.init, strict=True):
        target = tuple(exchange.value(("index", number, d), i) for d, i in enumerate(cell))
        if target in places:
            moved[places[target]] = exchange.value(("value", number), value)
    return tuple(moved)


def _slots(number: int, variable: Variable) -> list[Slot]:
    return [("value", number), *(("index", number, d) for d in range(len(variable.shape)))]


def _distinguished(exchange: Exchange, slot: Slot, type_: ScalarType) -> bool:
    """Whether a type contains one of two exchanged elements but not the other."""
    low, high = bounds(type_.element if isinstance(type_, OptionType) else type_)
    return any((low <= one <= high) != (low <= other <= high) for one, other in exchange.moves(slot).items())


def _types(program: Program) -> Iterator[tuple[Slot, ScalarType, str, Span | None]]:
    for number, variable in enumerate(program.variables):
        yield ("value", number), variable.type, variable.name, variable.span
        for dimension, extent in enumerate(variable.shape):
            yield ("index", number, dimension), RangeType(0, extent - 1), variable.name, variable.span
    for number, template in enumerate(program.templates):
        for index, local in enumerate(template.locals):
            yield ("local", number, index), local.type, local.name, template.span


def _constants(program: Program) -> Iterator[_Constant]:
    """Defaults that may be visible, and the number of a template's only instance."""
    read = {pair for p in program.properties if p.expr is not None for pair in _unguarded(program, p.expr)}
    for number, template in enumerate(program.templates):
        for index in sorted(defaults_seen(template) | {index for t, index in read if t == number}):
            local = template.locals[index]
            yield _Constant(("local", number, index), local.default, local.name, template.span)
        instances = sum(thread.template == number for thread in program.threads)
        if template.parameters > 0 and not template.spawned and instances == 1:
            yield _Constant(("local", number, 0), 0, template.locals[0].name, template.span)


def _unguarded(program: Program, expr: Expr, guards: frozenset[AtLocation] = frozenset()) -> Iterator[tuple[int, int]]:
    """Locals that a property may read while they are dead, as (template, local)."""
    if isinstance(expr, And):
        guards |= {o for o in expr.operands if isinstance(o, AtLocation)}
    if isinstance(expr, LocalOf):
        number = program.threads[expr.thread].template
        locations = program.templates[number].locations
        alive = [g for g in guards if (g.thread, g.after) == (expr.thread, expr.after)]
        if not any(all(expr.index not in locations[n].kills for n in g.locations) for g in alive):
            yield number, expr.index
    for child in children(expr):
        yield from _unguarded(program, child, guards)


def _names(expr: Expr) -> bool:
    """Whether an expression may refer to a particular element."""
    return any(isinstance(part, Const | AtLocation | LocalOf) for part in walk(expr))


def _ops(program: Program) -> Iterator[tuple[int, Op]]:
    for number, template in enumerate(program.templates):
        for block in template.blocks:
            yield from ((number, op) for op in block.ops if any(map(_names, op_expressions(op))))


def _conditions(program: Program) -> Iterator[tuple[int | None, Expr, Span | None]]:
    for number, template in enumerate(program.templates):
        for block in template.blocks:
            if isinstance(block.terminator, Branch) and _names(block.terminator.condition):
                yield number, block.terminator.condition, block.terminator.span
    for property_ in program.properties:
        if property_.expr is not None and _names(property_.expr):
            yield None, property_.expr, property_.span
