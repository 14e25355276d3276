"""A program as guarded commands: every step of every thread as ``guard -> parallel assignment``.

Each step is executed once, symbolically, with every cell initially standing for itself: branches fork the execution,
awaited conditions are added to the guard, assigned values are propagated, and an unknown index is tried with each of
its possible values. The result has no internal control flow, so a target language cannot interpret it differently: it
is all or nothing by construction, as in `semantics.machine`, against which it is tested.

This walk over a step shares no code with those of the interpreter (`semantics.machine`), of machine code
(`engines.native.step`) and of the analyses: here a value is a term, and a fork adds to a guard; there values are
numbers, code, or sets. The walks of the first two are compared with this one, which sharing would make worthless.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, assert_never

from dio_mc.errors import Diagnostic, ModelError
from dio_mc.export.terms import Read, Term, combine, conj, disj, interval, neg
from dio_mc.export.values import Fault, Frame, Run, Values
from dio_mc.ir.expr import Const, Expr, Load, walk
from dio_mc.ir.ops import Assign, Await, Branch, Check, Choose, End, Halt, Jump, LocalTo, Op, Spawn, StoreTo, Target
from dio_mc.ir.program import Program
from dio_mc.semantics.step import fault_name
from dio_mc.source import Span

MOST_BLOCKS: Final = 150
"""The largest number of blocks that one run of a step may pass."""
MOST_VALUES: Final = 64
"""The largest number of values of an index that are tried one by one."""


@dataclass(frozen=True, slots=True)
class Command:
    """One way to take a step from a location. With `fault` the command has no updates and the model fails: `fault` is
    the name that a check reports (``lock_misuse@35``), `message` the details."""

    thread: int
    location: int
    guard: Term
    updates: tuple[tuple[int, Term], ...]
    fault: str | None = None
    message: str = ""


def commands_of(program: Program) -> list[Command]:
    """The commands of all steps, by thread and location. Raises `ModelError` (DIO241) for a step that cannot be
    expressed as guarded commands."""
    maker = _Maker(program)
    found: list[Command] = []
    for thread in range(len(program.threads)):
        for number in range(1, len(program.template_of(thread).locations)):
            found += maker.step(thread, number)
    return found


class _Maker(Values):
    # -- steps ---------------------------------------------------------------------------------------------------------

    def step(self, thread: int, number: int) -> Iterator[Command]:
        """The commands of the step from a location."""
        location = self.program.template_of(thread).locations[number]
        base, locals_ = self.layout.local_base[thread], self.program.template_of(thread).locals
        dead: dict[Term, int] = {Read(base + index): locals_[index].default for index in location.kills}
        start = Run(thread, location.block, 0, facts=dead).assume(combine("==", Read(self.layout.pc[thread]), number))
        assert start is not None
        waiting = [start]
        while waiting:
            run = waiting.pop()
            if run.blocks > MOST_BLOCKS:
                hint = "the loop must end after a number of rounds that does not depend on the state"
                raise _cannot("runs a loop of local statements that may be long", location.span, hint)
            for outcome in self._advance(run):
                if isinstance(outcome, Run):
                    waiting.append(outcome)
                else:
                    ended, fault = outcome
                    guard = conj(ended.guard)
                    if fault is not None:
                        yield Command(thread, number, guard, (), fault.name, fault.message)
                    else:
                        yield Command(thread, number, guard, tuple(self._changes(ended)))

    def _changes(self, run: Run) -> list[tuple[int, Term]]:
        """The cells that the run assigned, without those that keep their value."""
        changed = []
        for cell, term in sorted(run.cells.items()):
            low, high = self.bounds[cell]
            if low < high and term != self.known(Read(cell), run) and term != Read(cell):
                changed.append((cell, term))
        return changed

    def _fault(self, kind: str, span: Span | None, message: str = "") -> Fault:
        return Fault(fault_name(kind, span, self.program.file), message)

    def _advance(self, run: Run) -> Iterator[Run | tuple[Run, Fault | None]]:
        """Execute the next operation or the terminator of the block; the results are runs to continue, or ended runs
        with a fault or None."""
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

    def _enter(self, run: Run, target: int) -> Run | tuple[Run, Fault | None]:
        location = self.program.template_of(run.thread).blocks[target].location
        if location is not None:
            return self._arrive(run, location)
        return replace(run, block=target, op=0, blocks=run.blocks + 1)

    def _arrive(self, run: Run, number: int) -> Run | tuple[Run, Fault | None]:
        template, base = self.program.template_of(run.thread), self.layout.local_base[run.thread]
        cells = {**run.cells, self.layout.pc[run.thread]: number}
        cells |= {base + index: template.locals[index].default for index in template.locations[number].kills}
        if not run.frames:
            return replace(run, cells=cells), None
        *outer, frame = run.frames
        return replace(
            run, cells=cells, frames=tuple(outer), thread=frame.thread, block=frame.block, op=frame.op
        )  # fmt: skip

    def _undecided(self, exprs: list[Expr | Target], run: Run) -> Iterator[Run] | None:
        """The run forked for each value of the first index that is not known; None if all are known."""
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

    def _each(self, term: Term, run: Run) -> Iterator[Run]:
        low, high = interval(term, self.bounds)
        if high - low >= MOST_VALUES:
            hint = f"give the index a type of at most {MOST_VALUES} values"
            raise _cannot(f"has an index with {high - low + 1:,} possible values", self._span(run), hint)
        for value in range(low, high + 1):
            taken = run.assume(combine("==", term, value))
            if taken is not None:
                yield replace(taken, facts={**taken.facts, term: value})

    def _span(self, run: Run) -> Span | None:
        """The span of the statement that the run has reached."""
        template = self.program.template_of(run.thread)
        block = template.blocks[run.block]
        at = block.ops[run.op] if run.op < len(block.ops) else block.terminator
        return (None if isinstance(at, Jump | End) else at.span) or template.span

    # -- operations ----------------------------------------------------------------------------------------------------

    def _operation(self, op: Op, run: Run) -> Iterator[Run | tuple[Run, Fault]]:
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
            case Halt():
                yield replace(run, cells={**run.cells, **self._ended(run.thread)})
            case _:
                assert_never(op)

    @staticmethod
    def _going_on(run: Run, condition: Term) -> Iterator[Run]:
        taken = run.assume(condition)
        if taken is not None:
            yield taken

    @staticmethod
    def _faulty(run: Run, condition: Term, fault: Fault) -> Iterator[tuple[Run, Fault]]:
        failed = None if condition == 0 else run.assume(condition)
        if failed is not None:
            yield failed, fault

    def _assign(
        self, run: Run, targets: list[Target], values: list[Expr], span: Span | None
    ) -> Iterator[Run | tuple[Run, Fault]]:
        terms, faults = zip(*(self.value(value, run) for value in values), strict=True)
        places = [self._address(target, run) for target in targets]
        wrong = disj([*faults, *(0 if place is not None else 1 for place in places)])
        yield from self._faulty(run, wrong, self._fault("index", span))
        fine = run.assume(neg(wrong))
        if fine is None:
            return
        outside = disj([self.outside(term, target) for term, target in zip(terms, targets, strict=True)])
        yield from self._faulty(fine, outside, self._fault("range", span))
        kept = fine.assume(neg(outside))
        if kept is not None:
            written = {place: term for place, term in zip(places, terms, strict=True) if place is not None}
            yield replace(kept, cells={**kept.cells, **written})

    def _address(self, target: Target, run: Run) -> int | None:
        if isinstance(target, LocalTo):
            return self.layout.local_base[run.thread] + target.index
        return self.cell(target.variable, [self.value(index, run)[0] for index in target.indices])

    def _ended(self, running: int) -> dict[int, Term]:
        """The control states of all threads except `running` after they have ended."""
        found: dict[int, Term] = {}
        for thread in (t for t in range(len(self.program.threads)) if t != running):
            base = self.layout.local_base[thread]
            found |= {base + n: local.default for n, local in enumerate(self.program.template_of(thread).locals)}
            found[self.layout.pc[thread]] = 0
        return found

    def _spawn(self, op: Spawn, run: Run) -> Iterator[Run | tuple[Run, Fault]]:
        """Start the first idle instance and run its prefix, before the spawning step continues."""
        busy = {run.thread, *(frame.thread for frame in run.frames)}
        instances = [t for t, thread in enumerate(self.program.threads) if thread.template == op.template]
        template = self.program.templates[op.template]
        none: Run | None = run
        for thread in (t for t in instances if t not in busy):
            if none is None:
                return
            idle = combine("==", self.read(self.layout.pc[thread], none), 0)
            chosen, none = none.assume(idle), none.assume(neg(idle))
            if chosen is None:
                continue
            base = self.layout.local_base[thread]
            terms = [self.value(argument, chosen)[0] for argument in op.arguments]
            cells = {**chosen.cells, **{base + n: local.default for n, local in enumerate(template.locals)}}
            cells |= {base + n: term for n, term in enumerate(terms)}
            outside = disj([
                self.outside(term, LocalTo(n, local.name, local.type))
                for n, (term, local) in enumerate(zip(terms, template.locals, strict=False))
            ])  # fmt: skip
            yield from self._faulty(chosen, outside, self._fault("range", op.span))
            started = chosen.assume(neg(outside))
            if started is not None:
                frames = (*run.frames, Frame(run.thread, run.block, run.op))
                inside = replace(started, cells=cells, frames=frames, thread=thread)
                entered = self._enter(inside, template.entry)
                assert isinstance(entered, Run)
                yield entered
        if none is not None:
            yield none, self._fault("spawn", op.span, "no idle slot")


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
        case Halt():
            return []
        case _:
            assert_never(op)
