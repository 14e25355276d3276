"""The domains of a program: which integers number the same things, because their values meet.

Two places belong to one *domain* if a value may be copied from one to the other or compared with it for equality, or if
one indexes the other: the page that a thread picked, the index of ``cache``, the field that refers to a page. A use
that distinguishes the elements of a domain by more than equality (an order, a sum) *breaks* it. An unbroken domain is
what Ip and Dill call a scalarset ("Better verification through symmetry", 1993); constants are examined in
`automorphism`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    type_of,
)
from dio_mc.ir.ops import Assign, Await, Branch, Check, Choose, Halt, LocalTo, Op, Spawn, Target
from dio_mc.ir.program import Program
from dio_mc.ir.types import bounds
from dio_mc.source import Span

Slot = tuple[str | int, ...]
"""A place that holds integers: ``("value", variable)``, ``("index", variable, dimension)``, ``("local", template,
index)``, ``("number", template)`` for the instance numbers of a template, ``("threads",)`` for thread ids."""

THREADS: Slot = ("threads",)


@dataclass(frozen=True, slots=True)
class Break:
    """The reason why the elements of a domain cannot be exchanged, and where it is written."""

    reason: str
    span: Span | None = None


class Domains:
    """The domains of a program, as a union-find structure over slots. `total` is a cache of `exchange.Exchange`, by the
    identity of an expression; it holds the expression too, so that its identity is not reused."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.total: dict[int, tuple[Expr, bool]] = {}
        self._parents: dict[Slot, Slot] = {}
        self._breaks: dict[Slot, Break] = {}
        _Reading(self, program).read()

    def root(self, slot: Slot) -> Slot:
        """The slot that represents the whole domain."""
        parent = self._parents.setdefault(slot, slot)
        if parent == slot:
            return slot
        self._parents[slot] = self.root(parent)
        return self._parents[slot]

    def members(self, slot: Slot) -> list[Slot]:
        """Every slot of the domain, in a fixed order."""
        root = self.root(slot)
        return sorted((s for s in list(self._parents) if self.root(s) == root), key=_slot_order)

    def broken(self, slot: Slot) -> Break | None:
        """The first reason why the domain's elements cannot be exchanged, or None."""
        return self._breaks.get(self.root(slot))

    def join(self, first: Slot, second: Slot) -> None:
        """Merge the domains of two slots, because values pass between them."""
        one, other = self.root(first), self.root(second)
        if one == other:
            return
        self._parents[other] = one
        broken = self._breaks.pop(other, None)
        if broken is not None:
            self._breaks.setdefault(one, broken)

    def split(self, slot: Slot, broken: Break) -> None:
        """Record that something distinguishes the elements of this domain."""
        self._breaks.setdefault(self.root(slot), broken)

    def slot_of(self, thread_template: int | None, expr: Expr) -> Slot | None:
        """The slot that a value comes from; None for constants and computed values."""
        match expr:
            case Local(index):
                return None if thread_template is None else ("local", thread_template, index)
            case Load(variable):
                return ("value", variable)
            case Me():
                return THREADS
            case LocalOf(thread, index):
                return ("local", self.program.threads[thread].template, index)
            case Ite(_, then, orelse):
                return self.slot_of(thread_template, then) or self.slot_of(thread_template, orelse)
            case _:
                return None


def _slot_order(slot: Slot) -> tuple[str, ...]:
    return tuple(str(part).rjust(6) for part in slot)


class _Reading:
    """One walk over all operations, conditions and properties of a program."""

    def __init__(self, domains: Domains, program: Program) -> None:
        self._domains = domains
        self._program = program
        self._template: int | None = None
        self._span: Span | None = None
        self._pairs = 0

    def read(self) -> None:
        for number, variable in enumerate(self._program.variables):
            self._domains.root(("value", number))
            for dimension in range(len(variable.shape)):
                self._domains.root(("index", number, dimension))
        for number, template in enumerate(self._program.templates):
            self._template = number
            self._domains.root(("number", number))
            if template.parameters > 0 and not template.spawned:
                self._domains.join(("number", number), ("local", number, 0))
            for block in template.blocks:
                for op in block.ops:
                    self._span = op.span
                    self._op(op)
                if isinstance(block.terminator, Branch):
                    self._span = block.terminator.span
                    self._visit(block.terminator.condition)
        self._template = None
        for property_ in self._program.properties:
            self._span = property_.span
            if property_.expr is not None:
                self._visit(property_.expr)

    def _op(self, op: Op) -> None:
        match op:
            case Assign(targets, values):
                for target, value in zip(targets, values, strict=True):
                    self._flow(value, self._target(target))
            case Await(condition) | Check(condition):
                self._visit(condition)
            case Choose(target, options):
                place = self._target(target)
                for option in options:
                    self._flow(option.value, place)
                    if option.when is not None:
                        self._visit(option.when)
            case Spawn(template, arguments):
                for index, argument in enumerate(arguments):
                    self._flow(argument, ("local", template, index))
            case Halt():
                pass
            case _:
                assert_never(op)

    def _target(self, target: Target) -> Slot:
        if isinstance(target, LocalTo):
            assert self._template is not None
            return ("local", self._template, target.index)
        self._indices(target.variable, target.indices)
        return ("value", target.variable)

    def _indices(self, variable: int, indices: Sequence[Expr]) -> None:
        for dimension, index in enumerate(indices):
            self._flow(index, ("index", variable, dimension))

    def _flow(self, expr: Expr, slot: Slot) -> None:
        """The value of the expression may reach `slot`."""
        match expr:
            case Const():
                self._domains.root(slot)
            case Local() | Me() | LocalOf():
                source = self._domains.slot_of(self._template, expr)
                assert source is not None
                self._domains.join(slot, source)
            case Load(variable, indices):
                self._domains.join(slot, ("value", variable))
                self._load(expr, variable, indices)
            case Ite(condition, then, orelse):
                self._visit(condition)
                self._flow(then, slot)
                self._flow(orelse, slot)
            case Arith():
                self._split(slot, "they are results of arithmetic")
                self._apart(expr, "they are used in arithmetic")
            case Not() | And() | Or() | Implies() | Compare() | AtLocation():
                self._split(slot, "a truth value is used as one")
                self._visit(expr)
            case _:
                assert_never(expr)

    def _visit(self, expr: Expr) -> None:
        """The expression is used as a truth value."""
        match expr:
            case Compare("==" | "!=", left, right):
                self._pairs += 1
                pair = ("pair", self._pairs)
                self._flow(left, pair)
                self._flow(right, pair)
            case Compare(_, left, right):
                self._apart(left, "they are compared by size")
                self._apart(right, "they are compared by size")
            case Not(operand):
                self._visit(operand)
            case And(operands) | Or(operands):
                for operand in operands:
                    self._visit(operand)
            case Implies(premise, conclusion):
                self._visit(premise)
                self._visit(conclusion)
            case Ite(condition, then, orelse):
                for part in (condition, then, orelse):
                    self._visit(part)
            case Local() | Me() | LocalOf() | Load() | Arith():
                self._apart(expr, "they are used as truth values")
            case Const() | AtLocation():
                pass
            case _:
                assert_never(expr)

    def _load(self, expr: Load, variable: int, indices: Sequence[Expr]) -> None:
        self._indices(variable, indices)
        for dimension, index in enumerate(indices):
            low, high = bounds(type_of(index))
            if expr.total and not (low >= 0 and high < self._program.variables[variable].shape[dimension]):
                self._split(("index", variable, dimension), "a property reads with one that may be out of range")

    def _apart(self, expr: Expr, reason: str) -> None:
        """The value of the expression is used as a number, which breaks its domain for `reason`."""
        match expr:
            case Arith(_, left, right):
                self._apart(left, "they are used in arithmetic")
                self._apart(right, "they are used in arithmetic")
            case Ite(condition, then, orelse):
                self._visit(condition)
                self._apart(then, reason)
                self._apart(orelse, reason)
            case Local() | Me() | LocalOf() | Load():
                source = self._domains.slot_of(self._template, expr)
                assert source is not None
                self._split(source, reason)
                if isinstance(expr, Load):
                    self._load(expr, expr.variable, expr.indices)
            case Const():
                pass
            case Not() | And() | Or() | Implies() | Compare() | AtLocation():
                self._visit(expr)
            case _:
                assert_never(expr)

    def _split(self, slot: Slot, reason: str) -> None:
        self._domains.split(slot, Break(reason, self._span))
