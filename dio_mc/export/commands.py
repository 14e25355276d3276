"""A program as guarded commands: every step of every thread as ``guard -> parallel assignment``.

Each step is run once, symbolically, on cells that stand for themselves: branches fork it, awaited conditions go into
the guard, assigned values are carried on, an index that is not known is tried with every value it may have. What is
left has no control flow inside, so a target language cannot give it another meaning: it is all or nothing by its form,
as in `semantics.machine`, which is the judge of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from dio_mc.errors import Diagnostic, ModelError
from dio_mc.export.terms import Read, Term, combine, conj, disj, interval, neg, select
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
    walk,
)  # fmt: skip
from dio_mc.ir.ops import Assign, Await, Branch, Check, Choose, End, Jump, LocalTo, Op, Spawn, StoreTo, Target
from dio_mc.ir.program import Program
from dio_mc.ir.types import bounds
from dio_mc.semantics.contract import fault_name
from dio_mc.semantics.layout import Layout, layout_of
from dio_mc.source import Span

MOST_BLOCKS: Final = 100
"""Blocks of local control flow in one run of a step."""
MOST_VALUES: Final = 64
"""Values of an index that are tried one by one."""


@dataclass(frozen=True, slots=True)
class Command:
    """One way to take a step from a location. With `fault` there are no updates: the model fails. It is the name that a
    check reports (``lock_misuse@35``), and `message` says more."""

    thread: int
    location: int
    guard: Term
    updates: tuple[tuple[int, Term], ...]
    fault: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Fault:
    name: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Frame:
    thread: int
    block: int
    op: int


@dataclass(frozen=True, slots=True)
class _Run:
    """A run under way: where it is, what it has assumed and assigned, what it knows of terms."""

    thread: int
    block: int
    op: int
    guard: tuple[Term, ...] = ()
    cells: Mapping[int, Term] = field(default_factory=dict)
    facts: Mapping[Term, int] = field(default_factory=dict)
    frames: tuple[_Frame, ...] = ()
    blocks: int = 0

    def assume(self, condition: Term) -> _Run | None:
        """The run under a condition; None where it contradicts what is known."""
        guard = conj([*self.guard, condition])
        if guard == 0:
            return None
        facts = dict(self.facts)
        for one in guard.operands if not isinstance(guard, int | Read) and guard.operator == "and" else (guard,):
            match one:
                case Read():
                    facts[one] = 1
                case int():
                    pass
                case _ if one.operator == "==" and isinstance(one.operands[1], int):
                    facts[one.operands[0]] = one.operands[1]
                case _ if one.operator == "not":
                    facts[one.operands[0]] = 0
        return replace(self, guard=(guard,), facts=facts)


def commands_of(program: Program) -> list[Command]:
    """All of them, by thread and location. Raises `ModelError` (DIO241) for a step that no guarded command says."""
    maker = _Maker(program)
    found: list[Command] = []
    for thread in range(len(program.threads)):
        for number in range(1, len(program.template_of(thread).locations)):
            found += maker.step(thread, number)
    return found


def property_term(program: Program, expr: Expr, after: Mapping[int, Term] | None = None) -> Term:
    """A property over the cells; `after` are those behind a step, where they differ."""
    maker = _Maker(program)
    return maker.value(expr, _Run(-1, 0, 0, cells=after or {}), before=_Run(-1, 0, 0))[0]


class _Maker:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.layout: Layout = layout_of(program)
        self.bounds = [bounds(type_) for type_ in self.layout.types]

    # -- steps ---------------------------------------------------------------------------------------------------------

    def step(self, thread: int, number: int) -> Iterator[Command]:
        """Every run of the step from a location."""
        location = self.program.template_of(thread).locations[number]
        base, locals_ = self.layout.local_base[thread], self.program.template_of(thread).locals
        dead: dict[Term, int] = {Read(base + index): locals_[index].default for index in location.kills}
        start = _Run(thread, location.block, 0, facts=dead).assume(combine("==", Read(self.layout.pc[thread]), number))
        assert start is not None
        waiting = [start]
        while waiting:
            run = waiting.pop()
            if run.blocks > MOST_BLOCKS:
                hint = "the loop must end after a number of rounds that does not depend on the state"
                raise _cannot("runs a loop of local statements that may be long", location.span, hint)
            for outcome in self._advance(run):
                if isinstance(outcome, _Run):
                    waiting.append(outcome)
                else:
                    ended, fault = outcome
                    guard = conj(ended.guard)
                    if fault is not None:
                        yield Command(thread, number, guard, (), fault.name, fault.message)
                    else:
                        yield Command(thread, number, guard, tuple(self._changes(ended)))

    def _changes(self, run: _Run) -> list[tuple[int, Term]]:
        """What the run assigned, without what had that value before."""
        changed = []
        for cell, term in sorted(run.cells.items()):
            low, high = self.bounds[cell]
            if low < high and term != self._known(Read(cell), run) and term != Read(cell):
                changed.append((cell, term))
        return changed

    def _fault(self, kind: str, span: Span | None, message: str = "") -> _Fault:
        return _Fault(fault_name(kind, span, self.program.file), message)

    def _advance(self, run: _Run) -> Iterator[_Run | tuple[_Run, _Fault | None]]:
        """The next operation, or the end of the block."""
        block = self.program.template_of(run.thread).blocks[run.block]
        if run.op < len(block.ops):
            op = block.ops[run.op]
            split = self._undecided(_expressions(op), run)
            if split is not None:
                yield from split
                return
            yield from self._operation(op, replace(run, op=run.op + 1))
            return
        match block.terminator:
            case Jump(target):
                yield self._enter(run, target)
            case Branch(condition, then, orelse):
                split = self._undecided([condition], run)
                if split is not None:
                    yield from split
                    return
                term, fault = self.value(condition, run)
                yield from self._faulty(run, fault, self._fault("index", block.terminator.span))
                for truth, target in ((term, then), (neg(term), orelse)):
                    taken = run.assume(conj([truth, neg(fault)]))
                    if taken is not None:
                        yield self._enter(taken, target)
            case End():
                yield self._arrive(run, 0)
            case _:
                assert_never(block.terminator)

    def _enter(self, run: _Run, target: int) -> _Run | tuple[_Run, _Fault | None]:
        location = self.program.template_of(run.thread).blocks[target].location
        if location is not None:
            return self._arrive(run, location)
        return replace(run, block=target, op=0, blocks=run.blocks + 1)

    def _arrive(self, run: _Run, number: int) -> _Run | tuple[_Run, _Fault | None]:
        template, base = self.program.template_of(run.thread), self.layout.local_base[run.thread]
        cells = {**run.cells, self.layout.pc[run.thread]: number}
        cells |= {base + index: template.locals[index].default for index in template.locations[number].kills}
        if not run.frames:
            return replace(run, cells=cells), None
        *outer, frame = run.frames
        return replace(
            run, cells=cells, frames=tuple(outer), thread=frame.thread, block=frame.block, op=frame.op
        )  # fmt: skip

    def _undecided(self, exprs: list[Expr | Target], run: _Run) -> Iterator[_Run] | None:
        """The run once per value of the first index that is not known; None where all are."""
        for expr in exprs:
            indices = list(expr.indices) if isinstance(expr, StoreTo) else []
            inner = [expr] if not isinstance(expr, StoreTo | LocalTo) else indices
            for part in (p for one in inner for p in walk(one)):
                if isinstance(part, Load):
                    indices = [*part.indices, *indices]
            for index in indices:
                if any(isinstance(p, Load) and any(not isinstance(i, Const) for i in p.indices) for p in walk(index)):
                    nested = self._undecided([i for p in walk(index) if isinstance(p, Load) for i in p.indices], run)
                    if nested is not None:
                        return nested
                term, _ = self.value(index, run)
                if not isinstance(term, int):
                    return self._each(term, run)
        return None

    def _each(self, term: Term, run: _Run) -> Iterator[_Run]:
        low, high = interval(term, self.bounds)
        if high - low >= MOST_VALUES:
            hint = f"give the index a type of at most {MOST_VALUES} values"
            raise _cannot(f"has an index with {high - low + 1:,} possible values", self._span(run), hint)
        for value in range(low, high + 1):
            taken = run.assume(combine("==", term, value))
            if taken is not None:
                yield replace(taken, facts={**taken.facts, term: value})

    def _span(self, run: _Run) -> Span | None:
        """The statement that the run is at."""
        template = self.program.template_of(run.thread)
        block = template.blocks[run.block]
        at = block.ops[run.op] if run.op < len(block.ops) else block.terminator
        return (None if isinstance(at, Jump | End) else at.span) or template.span

    # -- operations ----------------------------------------------------------------------------------------------------

    def _operation(self, op: Op, run: _Run) -> Iterator[_Run | tuple[_Run, _Fault]]:
        index = self._fault("index", op.span)
        match op:
            case Await(condition):
                term, fault = self.value(condition, run)
                yield from self._faulty(run, fault, index)
                yield from self._going_on(run, conj([term, neg(fault)]))
            case Check(condition, kind, message):
                term, fault = self.value(condition, run)
                yield from self._faulty(run, fault, index)
                fine = run.assume(neg(fault))
                if fine is not None:
                    yield from self._faulty(fine, neg(term), self._fault(kind, op.span, message))
                    yield from self._going_on(fine, term)
            case Assign(targets, values):
                yield from self._assign(run, list(targets), list(values), op.span)
            case Choose(target, options):
                for option in options:
                    term, fault = (1, 0) if option.when is None else self.value(option.when, run)
                    yield from self._faulty(run, fault, index)
                    taken = run.assume(conj([term, neg(fault)]))
                    if taken is not None:
                        yield from self._assign(taken, [target], [option.value], op.span)
            case Spawn():
                yield from self._spawn(op, run)
            case _:
                assert_never(op)

    @staticmethod
    def _going_on(run: _Run, condition: Term) -> Iterator[_Run]:
        taken = run.assume(condition)
        if taken is not None:
            yield taken

    @staticmethod
    def _faulty(run: _Run, condition: Term, fault: _Fault) -> Iterator[tuple[_Run, _Fault]]:
        failed = None if condition == 0 else run.assume(condition)
        if failed is not None:
            yield failed, fault

    def _assign(
        self, run: _Run, targets: list[Target], values: list[Expr], span: Span | None
    ) -> Iterator[_Run | tuple[_Run, _Fault]]:
        terms, faults = zip(*(self.value(value, run) for value in values), strict=True)
        places = [self._address(target, run) for target in targets]
        wrong = disj([*faults, *(0 if place is not None else 1 for place in places)])
        yield from self._faulty(run, wrong, self._fault("index", span))
        fine = run.assume(neg(wrong))
        if fine is None:
            return
        outside = disj([self._outside(term, target) for term, target in zip(terms, targets, strict=True)])
        yield from self._faulty(fine, outside, self._fault("range", span))
        kept = fine.assume(neg(outside))
        if kept is not None:
            written = {place: term for place, term in zip(places, terms, strict=True) if place is not None}
            yield replace(kept, cells={**kept.cells, **written})

    def _outside(self, term: Term, target: Target) -> Term:
        low, high = bounds(target.type)
        least, most = interval(term, self.bounds)
        below = combine("<", term, low) if least < low else 0
        return disj([below, combine(">", term, high) if most > high else 0])

    def _address(self, target: Target, run: _Run) -> int | None:
        if isinstance(target, LocalTo):
            return self.layout.local_base[run.thread] + target.index
        return self._cell(target.variable, [self.value(index, run)[0] for index in target.indices])

    def _cell(self, variable: int, indices: list[Term], *, total: bool = False) -> int | None:
        """The cell; None for an index outside."""
        offset = 0
        for index, extent in zip(indices, self.program.variables[variable].shape, strict=True):
            assert isinstance(index, int), "every index has been decided"
            if not 0 <= index < extent and not total:
                return None
            offset = offset * extent + (index if 0 <= index < extent else extent - 1)
        return self.layout.variable_base[variable] + offset

    def _spawn(self, op: Spawn, run: _Run) -> Iterator[_Run | tuple[_Run, _Fault]]:
        """The first idle instance, its prefix, and then what follows the spawn."""
        busy = {run.thread, *(frame.thread for frame in run.frames)}
        instances = [t for t, thread in enumerate(self.program.threads) if thread.template == op.template]
        template = self.program.templates[op.template]
        none: _Run | None = run
        for thread in (t for t in instances if t not in busy):
            if none is None:
                return
            idle = combine("==", self._read(self.layout.pc[thread], none), 0)
            chosen, none = none.assume(idle), none.assume(neg(idle))
            if chosen is None:
                continue
            base = self.layout.local_base[thread]
            terms = [self.value(argument, chosen)[0] for argument in op.arguments]
            cells = {**chosen.cells, **{base + n: local.default for n, local in enumerate(template.locals)}}
            cells |= {base + n: term for n, term in enumerate(terms)}
            outside = disj([
                self._outside(term, LocalTo(n, local.name, local.type))
                for n, (term, local) in enumerate(zip(terms, template.locals, strict=False))
            ])  # fmt: skip
            yield from self._faulty(chosen, outside, self._fault("range", op.span))
            started = chosen.assume(neg(outside))
            if started is not None:
                frames = (*run.frames, _Frame(run.thread, run.block, run.op))
                inside = replace(started, cells=cells, frames=frames, thread=thread)
                entered = self._enter(inside, template.entry)
                assert isinstance(entered, _Run)
                yield entered
        if none is not None:
            yield none, self._fault("spawn", op.span, "no idle slot")

    # -- expressions ---------------------------------------------------------------------------------------------------

    def _read(self, cell: int, run: _Run) -> Term:
        low, high = self.bounds[cell]
        if low == high:
            return low
        return self._known(run.cells.get(cell, Read(cell)), run)

    @staticmethod
    def _known(term: Term, run: _Run) -> Term:
        return term if isinstance(term, int) else run.facts.get(term, term)

    def value(self, expr: Expr, run: _Run, before: _Run | None = None) -> tuple[Term, Term]:
        """The value of an expression, and when its evaluation is a fault. In a property `run` is behind the step and
        `before` is before it."""
        term, fault = self._value(expr, run, before)
        return self._known(term, run), fault

    def _value(self, expr: Expr, run: _Run, before: _Run | None) -> tuple[Term, Term]:
        here = run if before is None or getattr(expr, "after", False) else before
        match expr:
            case Const(value):
                return value, 0
            case Me():
                return run.thread, 0
            case Local(index):
                return self._read(self.layout.local_base[run.thread] + index, run), 0
            case LocalOf(thread, index):
                return self._read(self.layout.local_base[thread] + index, here), 0
            case AtLocation(thread, locations):
                pc = self._read(self.layout.pc[thread], here)
                return disj([combine("==", pc, number) for number in sorted(locations)]), 0
            case Load():
                return self._load(expr, run, before, here)
            case Not(operand):
                term, fault = self.value(operand, run, before)
                return neg(term), fault
            case And(operands):
                return self._lazily(operands, run, before, conjunction=True)
            case Or(operands):
                return self._lazily(operands, run, before, conjunction=False)
            case Implies(premise, conclusion):
                return self._lazily((Not(premise), conclusion), run, before, conjunction=False)
            case Ite(condition, then, orelse):
                test, wrong = self.value(condition, run, before)
                (a, bad), (b, worse) = self.value(then, run, before), self.value(orelse, run, before)
                return select(test, a, b), disj([wrong, conj([test, bad]), conj([neg(test), worse])])
            case Compare(op, left, right) | Arith(op, left, right):
                (a, bad), (b, worse) = self.value(left, run, before), self.value(right, run, before)
                nought = combine("==", b, 0) if op in ("//", "%") else 0
                return combine(op, a, b), disj([bad, worse, nought])
            case _:
                assert_never(expr)

    def _lazily(
        self, operands: tuple[Expr, ...], run: _Run, before: _Run | None, *, conjunction: bool
    ) -> tuple[Term, Term]:
        """From the left and only as far as needed: what is behind may not fail before its turn."""
        terms: list[Term] = []
        faults: list[Term] = []
        for operand in operands:
            term, fault = self.value(operand, run, before)
            faults.append(conj([*(terms if conjunction else map(neg, terms)), fault]))
            terms.append(term)
        return conj(terms) if conjunction else disj(terms), disj(faults)

    def _load(self, expr: Load, run: _Run, before: _Run | None, here: _Run) -> tuple[Term, Term]:
        """A cell; in a property an index that is not known selects among all cells."""
        indices = [self.value(index, run, before)[0] for index in expr.indices]
        fault = disj([self.value(index, run, before)[1] for index in expr.indices])
        for position, index in enumerate(indices):
            if not isinstance(index, int):
                extent = self.program.variables[expr.variable].shape[position]
                parts = [expr.indices[:position], expr.indices[position + 1 :]]
                found: Term = 0
                for value in reversed(range(extent)):
                    fixed = replace(expr, indices=(*parts[0], Const(value, expr.type), *parts[1]))
                    one = self.value(fixed, run, before)[0]
                    found = one if value == extent - 1 else select(combine("==", index, value), one, found)
                return found, fault
        cell = self._cell(expr.variable, indices, total=expr.total)
        return (0, 1) if cell is None else (self._read(cell, here), fault)


def _cannot(words: str, span: Span | None, hint: str) -> ModelError:
    return ModelError((Diagnostic("DIO241", f"this step {words}: it cannot be exported", span, hint=hint),))


def _expressions(op: Op) -> list[Expr | Target]:
    match op:
        case Await(condition) | Check(condition):
            return [condition]
        case Assign(targets, values):
            return [*values, *targets]
        case Choose(target, options):
            return [target, *(e for option in options for e in (option.when, option.value) if e is not None)]
        case Spawn(_, arguments):
            return list(arguments)
        case _:
            assert_never(op)
