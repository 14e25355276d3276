"""Generates one step of a thread: the code from a location to its successors.

The code after a `Choose` is generated once per option, so that each run of a step is a path through
the code. It ends by emitting a successor, in a fault, or blocked, and then continues with the next
option (`Cursor.leave`). A long arithmetic progression of options becomes a loop whose counter is a
variable (`options`). A step is blocked if all its runs are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import assert_never

from dio_mc.analysis.values.evaluate import Evaluator
from dio_mc.analysis.values.facts import Facts
from dio_mc.analysis.values.sets import Unsupported, Values, high, low
from dio_mc.engines.native.asm import Asm, Cond, Ref
from dio_mc.engines.native.cursor import (
    ASTRAY,
    LONGEST,
    MOST_CHOICES,
    MOST_VARIANTS,
    SPINS,
    Cursor,
    Frame,
    Names,
)
from dio_mc.engines.native.fields import Tables, Words, check_size
from dio_mc.engines.native.formulas import Formula, Scope
from dio_mc.engines.native.local import Arrival, cyclic_blocks
from dio_mc.engines.native.options import grouped
from dio_mc.engines.native.packing import Packing
from dio_mc.ir.ops import Assign, Await, Branch, Check, Choose, End, Halt, Jump, LocalTo, Spawn, StoreTo, Target
from dio_mc.ir.program import Program
from dio_mc.ir.types import bounds
from dio_mc.semantics.layout import Layout
from dio_mc.source import Span


@dataclass(frozen=True, slots=True)
class Slots:
    """The variables of the function: the state being made, the count of successors, whether any run
    of the step has ended otherwise than blocked, and the blocks passed on local loops."""

    words: list[str]
    count: str
    any: str
    spins: str


class StepCode:
    """Generates the code of steps, one after the other. `emissions` bounds the successors of the
    step generated last."""

    def __init__(
        self, asm: Asm, program: Program, layout: Layout, facts: Facts, packing: Packing, tables: Tables, slots: Slots
    ) -> None:
        self.asm, self.program, self.layout, self.facts, self.packing = asm, program, layout, facts, packing
        self.slots = slots
        self.names = Names(program)
        self.evaluator = Evaluator(program, layout, list(facts.cells))
        self.words = Words(asm, packing, tables, slots.words, slots=True)
        self.arrival = Arrival(asm, self.words, packing, tables, facts)
        self.emissions = 0
        self._choices = 0
        self._times: dict[tuple[int, int], int] = {}
        self._labels: dict[Cursor, str] = {}
        self._flags: dict[tuple[int, str], str] = {}
        self._variants: dict[tuple[object, ...], int] = {}
        self._waiting: list[Cursor] = []
        self._locals: dict[tuple[int, int], str] = {}
        self._cyclic = [cyclic_blocks(template.blocks) for template in program.templates]

    def write(self, thread: int, location: int, known: tuple[int | None, ...], leave: str) -> None:
        """Generate the step of a thread from a location. The state is in the variables, `known` has
        its constant locals, and every run continues at `leave`."""
        self.asm.store(0, self.slots.any)
        self.asm.store(0, self.slots.spins)
        self.emissions = 0
        self._labels.clear()
        self._variants.clear()
        place = self.program.template_of(thread).locations[location]
        self._run(Cursor(thread, place.block, 0, known, (), (), leave, place.span))
        while self._waiting:
            cursor = self._waiting.pop()
            self.asm.start(self._labels[cursor])
            self._run(cursor)
        self._write_flags()

    def local(self, thread: int, index: int) -> str:
        """The variable of a thread's local."""
        if (thread, index) not in self._locals:
            self._locals[thread, index] = self.asm.slot(f"x{thread}.{index}")
        return self._locals[thread, index]

    # -- one run -------------------------------------------------------------------------------------------------------

    def _run(self, cursor: Cursor) -> None:
        """Generate the code from a position to the end of its block."""
        check_size(len(self.asm.lines), LONGEST)
        block = self.program.template_of(cursor.thread).blocks[cursor.block]
        for number in range(cursor.at, len(block.ops)):
            cursor = replace(cursor, at=number)
            op = block.ops[number]
            formula = self._formula(cursor, op.span)
            match op:
                case Assign():
                    cursor = self._assign(cursor, formula, op)
                case Await(condition):
                    self._proceed(formula.truth(condition), cursor.leave)
                case Check(condition, kind):
                    formula.require(formula.truth(condition), kind, op.span)
                case Halt():
                    self._halt(cursor)
                case Choose():
                    self._choose(cursor, op)
                    return
                case Spawn():
                    self._spawn(cursor, op)
                    return
                case _:
                    assert_never(op)
        terminator = block.terminator
        match terminator:
            case Jump(target):
                self._enter(cursor, target)
            case Branch(condition, then, orelse):
                formula = self._formula(cursor, terminator.span)
                yes, no = self.asm.new_label("then"), self.asm.new_label("else")
                holds = formula.truth(condition)
                if isinstance(holds, int):
                    self._enter(cursor, then if holds else orelse)
                    return
                self.asm.branch(holds, yes, no)
                self.asm.start(yes)
                self._enter(cursor, then)
                self.asm.start(no)
                self._enter(cursor, orelse)
            case End():
                self._arrive(cursor, 0)
            case _:
                assert_never(terminator)

    def _proceed(self, condition: Cond, otherwise: str) -> None:
        """Continue if the condition holds; otherwise branch."""
        label = self.asm.new_label("go")
        self.asm.branch(condition, label, otherwise)
        self.asm.start(label)

    def _formula(self, cursor: Cursor, span: Span | None) -> Formula:
        """The evaluation of expressions at a position."""
        template = self.program.template_of(cursor.thread)
        base = self.layout.local_base[cursor.thread]
        locals_: list[Ref] = []
        values: list[Values] = []
        for index in range(len(template.locals)):
            known = cursor.known[index]
            locals_.append(self.asm.load(self.local(cursor.thread, index)) if known is None else known)
            values.append(self.facts.cells[base + index] if known is None else frozenset((known,)))
        return Formula(
            self.asm,
            Scope(self.words, self.evaluator, partial(self._fault, cursor), cursor.thread, locals_, values, None, span),
        )

    # -- operations ----------------------------------------------------------------------------------------------------

    def _assign(self, cursor: Cursor, formula: Formula, op: Assign) -> Cursor:
        """A parallel assignment: all values, then all addresses, then all writes, each with its
        checks."""
        values = [formula.value(value) for value in op.values]
        offsets = [formula.offset(t.variable, t.indices, t.span) if isinstance(t, StoreTo) else 0 for t in op.targets]
        possible = [self.evaluator.values(v, formula.scope.values, cursor.thread) for v in op.values]
        for target, offset, value, values_ in zip(op.targets, offsets, values, possible, strict=True):
            cursor = self._write(cursor, formula, target, offset, value, values_)
        return cursor

    def _write(
        self, cursor: Cursor, formula: Formula, target: Target, offset: Ref, value: Ref, possible: Values
    ) -> Cursor:
        """Store a value; a value outside the type of the target is a fault. Return the position
        with the new constant locals."""
        least, most = bounds(target.type)
        if possible and (low(possible) < least or high(possible) > most):
            span = formula.scope.span if isinstance(target, LocalTo) else target.span or formula.scope.span
            above, below = self.asm.compare("sge", value, least), self.asm.compare("sle", value, most)
            formula.require(self.asm.both(above, below), "range", span)
        if isinstance(target, StoreTo):
            size = self.program.variables[target.variable].size
            if not isinstance(offset, int) or 0 <= offset < size:
                base = self.layout.variable_base[target.variable]
                self.words.set_element(formula.place(target.variable, target.indices), base, offset, value)
            return cursor
        known = list(cursor.known)
        if isinstance(value, int):
            known[target.index] = value
        else:
            known[target.index] = None
            self.asm.store(value, self.local(cursor.thread, target.index))
        return replace(cursor, known=tuple(known))

    def _choose(self, cursor: Cursor, op: Choose) -> None:
        """Generate the options one after the other, each from the values of the variables before
        the choice."""
        if len(cursor.chain) >= MOST_CHOICES:
            raise Unsupported("a step with so many choices in a row")
        self._choices += 1
        site = self._choices
        slots = [*self.slots.words, self.slots.spins, *self._unknown(cursor)]
        saved = [self.asm.load(slot) for slot in slots]
        for number, group in enumerate(groups := grouped(op.options)):
            last = number == len(groups) - 1
            leave = cursor.leave if last else self.asm.new_label("option")
            inner = replace(cursor, chain=(*cursor.chain, (site, number)), leave=leave)
            if isinstance(group, range):
                inner, formula, value = self._each_of(inner, op, group, dict(zip(slots, saved, strict=True)))
                possible: Values = range(min(group), max(group) + 1)
            else:
                formula = self._formula(inner, op.span)
                if group.when is not None:
                    self._proceed(formula.truth(group.when), leave)
                value = formula.value(group.value)
                possible = self.evaluator.values(group.value, formula.scope.values, cursor.thread)
            offset: Ref = 0
            if isinstance(op.target, StoreTo):
                offset = formula.offset(op.target.variable, op.target.indices, op.target.span)
            inner = self._write(inner, formula, op.target, offset, value, possible)
            self._go(replace(inner, at=cursor.at + 1))
            if not last:
                self.asm.start(leave)
                self._restore(dict(zip(slots, saved, strict=True)))

    def _each_of(self, cursor: Cursor, op: Choose, values: range, saved: dict[str, str]) -> tuple[Cursor, Formula, Ref]:
        """Open a loop over the values of many options: the end of each run continues with the next
        value. Return the position and evaluation in the loop, and the value."""
        asm = self.asm
        site = cursor.chain[-1]
        self._times[site] = len(values)
        at, head, body = asm.slot(f"option{site[0]}.{site[1]}"), asm.new_label("next"), asm.new_label("value")
        asm.store(0, at)
        asm.jump(head)
        asm.start(head)
        self._restore(saved)
        number = asm.load(at)
        asm.store(asm.add(number, 1), at)
        asm.branch(asm.compare("slt", number, len(values)), body, cursor.leave)
        asm.start(body)
        inner = replace(cursor, leave=head)
        return inner, self._formula(inner, op.span), asm.add(asm.mul(number, values.step), values.start)

    def _restore(self, saved: dict[str, str]) -> None:
        """Reset the variables to their values before the choice."""
        for slot, value in saved.items():
            self.asm.store(value, slot)

    def _unknown(self, cursor: Cursor) -> list[str]:
        """The variables of locals that are not constant, of the running thread and of the suspended
        steps."""
        every = [(cursor.thread, cursor.known), *((frame.thread, frame.known) for frame in cursor.frames)]
        return [
            self.local(thread, index) for thread, known in every for index, value in enumerate(known) if value is None
        ]

    def _spawn(self, cursor: Cursor, op: Spawn) -> None:
        """Start the first idle instance of a template, and run its initial prefix within this step.
        A fault if none is idle."""
        asm = self.asm
        formula = self._formula(cursor, op.span)
        arguments = [formula.value(argument) for argument in op.arguments]
        possible = [self.evaluator.values(a, formula.scope.values, cursor.thread) for a in op.arguments]
        busy = {cursor.thread, *(frame.thread for frame in cursor.frames)}
        for thread, instance in enumerate(self.program.threads):
            if instance.template != op.template or thread in busy:
                continue
            idle, after = asm.new_label("idle"), asm.new_label("busy")
            asm.branch(self.words.at(thread, frozenset((0,))), idle, after)
            asm.start(idle)
            self._launch(cursor, op, thread, arguments, possible)
            asm.start(after)
        asm.jump(self._fault(cursor, "spawn", op.span))

    def _halt(self, cursor: Cursor) -> None:
        """Put all other threads at their end."""
        astray = self._flagged(ASTRAY, cursor.leave)
        for thread in range(len(self.program.threads)):
            if thread != cursor.thread:
                defaults = [local.default for local in self.program.template_of(thread).locals]
                self.arrival.write(thread, 0, defaults, [""] * len(defaults), astray)

    def _launch(
        self, cursor: Cursor, op: Spawn, thread: int, arguments: Sequence[Ref], possible: Sequence[Values]
    ) -> None:
        """Run the initial prefix of a spawned thread; the spawning step is suspended as a frame."""
        template = self.program.template_of(thread)
        frame = Frame(cursor.thread, cursor.block, cursor.at + 1, cursor.known, cursor.span)
        known: tuple[int | None, ...] = tuple(local.default for local in template.locals)
        inner = replace(
            cursor, thread=thread, known=known, frames=(*cursor.frames, frame), span=template.span, block=-1, at=0
        )
        formula = self._formula(inner, op.span)
        for index, (value, values) in enumerate(zip(arguments, possible, strict=True)):
            local = template.locals[index]
            inner = self._write(inner, formula, LocalTo(index, local.name, local.type), 0, value, values)
        self._enter(inner, template.entry)

    # -- control -------------------------------------------------------------------------------------------------------

    def _enter(self, cursor: Cursor, block: int) -> None:
        """Continue at a block. A block with a location ends the step, and blocks on a local loop
        are counted."""
        number = self.program.threads[cursor.thread].template
        location = self.program.templates[number].blocks[block].location
        if location is not None:
            self._arrive(cursor, location)
            return
        if block in self._cyclic[number]:
            spins = self.asm.add(self.asm.load(self.slots.spins), 1)
            self.asm.store(spins, self.slots.spins)
            label = self.asm.new_label("spin")
            limit = self._fault(cursor, "endless_loop", cursor.span)
            self.asm.branch(self.asm.compare("sgt", spins, SPINS), limit, label)
            self.asm.start(label)
        self._go(replace(cursor, block=block, at=0))

    def _go(self, cursor: Cursor) -> None:
        """Jump to a position, whose code is generated later unless it exists. If a block has too
        many variants, its locals become variables."""
        place = cursor.thread, cursor.block, cursor.at, cursor.frames, cursor.chain
        if cursor not in self._labels:
            self._variants[place] = self._variants.get(place, 0) + 1
            if self._variants[place] > MOST_VARIANTS and cursor.known:
                for index, value in enumerate(cursor.known):
                    if value is not None:
                        self.asm.store(value, self.local(cursor.thread, index))
                cursor = replace(cursor, known=(None,) * len(cursor.known))
        if cursor not in self._labels:
            self._labels[cursor] = self.asm.new_label("at")
            self._waiting.append(cursor)
        self.asm.jump(self._labels[cursor])

    def _arrive(self, cursor: Cursor, location: int) -> None:
        """The running thread arrives at a location: the step is complete, or the suspended one
        continues."""
        place = self.program.template_of(cursor.thread).locations[location]
        known = list(cursor.known)
        for dead in place.kills:
            known[dead] = self.program.template_of(cursor.thread).locals[dead].default
        slots = [self.local(cursor.thread, i) if value is None else "" for i, value in enumerate(known)]
        astray = self._flagged(ASTRAY, cursor.leave)
        self.arrival.write(cursor.thread, location, known, slots, astray)
        if cursor.frames:
            *outer, frame = cursor.frames
            self._go(
                replace(
                    cursor, thread=frame.thread, block=frame.block, at=frame.at, known=frame.known,
                    frames=tuple(outer), span=frame.span,
                )
            )  # fmt: skip
            return
        self._emit(cursor)

    def _emit(self, cursor: Cursor) -> None:
        """Append the current state to the successors."""
        asm = self.asm
        self.emissions += prod(self._times.get(site, 1) for site in cursor.chain)
        count = asm.load(self.slots.count)
        start = asm.mul(count, self.packing.words)
        for number, slot in enumerate(self.slots.words):
            place = asm.op(f"getelementptr i64, ptr %out, i64 {asm.add(start, number)}")
            asm.store(asm.load(slot), place)
        asm.store(asm.add(count, 1), self.slots.count)
        asm.store(1, self.slots.any)
        asm.jump(cursor.leave)

    def _fault(self, cursor: Cursor, kind: str, span: Span | None) -> str:
        """The label of the code that records a fault."""
        return self._flagged(self.names.fault(kind, span), cursor.leave)

    def _flagged(self, flag: int, leave: str) -> str:
        """The label of the code that sets a flag and continues at `leave`."""
        if (flag, leave) not in self._flags:
            self._flags[flag, leave] = self.asm.new_label("fault")
        return self._flags[flag, leave]

    def _write_flags(self) -> None:
        """Generate the code that sets flags, after the rest of the step."""
        for (flag, leave), label in self._flags.items():
            self.asm.start(label)
            mark(self.asm, "%flags", flag)
            self.asm.store(1, self.slots.any)
            self.asm.jump(leave)
        self._flags.clear()


def mark(asm: Asm, bytes_: str, number: int) -> None:
    """Set a byte of ``flags`` or ``seen``."""
    asm.store(1, asm.op(f"getelementptr i8, ptr {bytes_}, i64 {number}"), "i8")
