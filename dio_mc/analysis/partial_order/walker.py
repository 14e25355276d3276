"""The accesses of the step from one control state, found by a walk over the code between two locations, with as many
locals known as the control state determines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from dio_mc.analysis.values.evaluate import Evaluator
from dio_mc.analysis.values.facts import Facts
from dio_mc.analysis.values.moves import Config, arrived, locals_after, own, stored
from dio_mc.analysis.values.sets import Values, truths, within
from dio_mc.ir.expr import And, Compare, Expr, Implies, Load, Not, Or, children, walk
from dio_mc.ir.ops import Assign, Await, Branch, Check, Choose, End, Halt, Jump, Op, Spawn, StoreTo, Target, successors
from dio_mc.ir.program import Program
from dio_mc.ir.types import bounds
from dio_mc.semantics.layout import Layout

Test = tuple[int, int]
"""(cell, value): whether the cell has this value."""


@dataclass(frozen=True, slots=True)
class Written:
    """A cell that a step may write, with its possible values before and after the write."""

    cell: int
    before: Values
    after: Values

    def decides(self, test: Test) -> bool:
        """Whether the write may change the result of the test."""
        cell, value = test
        if cell != self.cell or (self.before == self.after and len(self.before) == 1):
            return False
        return value in self.before or value in self.after


@dataclass(slots=True)
class Touched:
    """The accesses found by a walk: cells read, tests, cells written, location cells of spawned instances written
    (`slots`), templates spawned, control states reached. Cells are bit sets."""

    reads: int = 0
    tests: set[Test] = field(default_factory=set)
    written: set[Written] = field(default_factory=set)
    slots: int = 0
    spawns: set[int] = field(default_factory=set)
    after: set[Config] = field(default_factory=set)


def instances(program: Program, templates: Iterable[int]) -> list[int]:
    """The threads of these templates."""
    wanted = set(templates)
    return [thread for thread, found in enumerate(program.threads) if found.template in wanted]


_Tested = frozenset[Test]
"""Tests known to be true because the step itself has made them. They give the value of a cell before the step's first
write to it; without such a test it may be any value of the cell. Values after that are among those written."""
_Point = tuple[int, int, tuple[int, ...], _Tested]
"""Block, operation, locals, and the known values of cells."""


class Walker:
    """Walks the code of one thread and collects its accesses."""

    def __init__(self, program: Program, layout: Layout, facts: Facts, thread: int) -> None:
        self.program, self.layout, self.facts, self.thread = program, layout, facts, thread
        self.template = program.template_of(thread)
        self._evaluator = Evaluator(program, layout, list(facts.cells))
        self._found = Touched()

    # -- locals known --------------------------------------------------------------------------------------------------

    def at(self, config: Config) -> Touched:
        """The accesses of the step from a control state."""
        self._found = Touched()
        location, *locals_ = config
        waiting: list[_Point] = [(self.template.locations[location].block, 0, tuple(locals_), frozenset())]
        seen = set(waiting)
        while waiting:
            for point in self._advance(*waiting.pop()):
                if point not in seen:
                    seen.add(point)
                    waiting.append(point)
        return self._found

    def _advance(self, block: int, at: int, locals_: tuple[int, ...], tested: _Tested) -> list[_Point]:
        """The next points after a point: after the next operation that may change locals, or at the start of a
        following block."""
        code = self.template.blocks[block]
        known: list[Values] = [frozenset((value,)) for value in locals_]
        for number in range(at, len(code.ops)):
            op = code.ops[number]
            self._touch(op, known, tested)
            if isinstance(op, Assign | Choose):
                found = stored(self._evaluator, op, known, self.thread)
                changed = locals_after(locals_, own(found)) if found is not None else ()
                return [(block, number + 1, after, tested) for after in changed]
            if isinstance(op, Await | Check):
                if not self._may(op.condition, known)[1]:
                    return []
                tested |= self._tests(op.condition, known)
        match code.terminator:
            case Jump(target):
                return self._enter(target, locals_, tested)
            case Branch(condition, then, orelse):
                self._ask(condition, known)
                false, true = self._may(condition, known)
                yes = self._enter(then, locals_, tested | self._tests(condition, known)) if true else []
                return yes + self._enter(orelse, locals_, tested) if false else yes
            case End():
                self._arrive(0, locals_)
                return []
            case _:
                assert_never(code.terminator)

    def _tests(self, condition: Expr, known: Sequence[Values]) -> _Tested:
        """Values of cells that are known if a condition is true."""
        parts = condition.operands if isinstance(condition, And) else (condition,)
        found = (self._test(part, known) for part in parts if isinstance(part, Compare) and part.op == "==")
        return frozenset(test for test in found if test is not None)

    def _test(self, part: Compare, known: Sequence[Values]) -> Test | None:
        """The test that a comparison makes, if it compares a single cell with a single value."""
        for load, other in ((part.left, part.right), (part.right, part.left)):
            if isinstance(load, Load) and not any(isinstance(inner, Load) for inner in walk(other)):
                cells = self._addresses(load, known)
                values = self._evaluator.values(other, known, self.thread)
                if len(cells) == len(values) == 1:
                    return cells[0], next(iter(values))
        return None

    def _addresses(self, access: Load | StoreTo, known: Sequence[Values]) -> Sequence[int]:
        total = isinstance(access, Load) and access.total
        return self._evaluator.addresses(access.variable, access.indices, known, self.thread, total=total)

    def _may(self, condition: Expr, known: Sequence[Values]) -> tuple[bool, bool]:
        return truths(self._evaluator.values(condition, known, self.thread))

    def _enter(self, block: int, locals_: tuple[int, ...], tested: _Tested) -> list[_Point]:
        location = self.template.blocks[block].location
        if location is None:
            return [(block, 0, locals_, tested)]
        self._arrive(location, locals_)
        return []

    def _arrive(self, location: int, locals_: Sequence[int]) -> None:
        self._found.after.add(arrived(self.template, location, locals_))
        self._ends(location)

    def _ends(self, location: int) -> None:
        if location == 0 and self.template.spawned:
            self._found.slots |= 1 << self.layout.pc[self.thread]

    # -- locals unknown ------------------------------------------------------------------------------------------------

    def at_location(self, location: int) -> Touched:
        """The accesses of the step from a location, for any values of its locals."""
        self._found = Touched()
        self._anyhow(self.template.locations[location].block)
        return self._found

    def prefix(self, spawned: Iterable[int]) -> Touched:
        """The accesses of a spawned instance's prefix: the code from its start to its first location. Templates in
        `spawned` are not followed again."""
        self._found = Touched(spawns=set(spawned))
        if self.template.blocks[self.template.entry].location is None:
            self._anyhow(self.template.entry)
        return self._found

    def _anyhow(self, first: int) -> None:
        base = self.layout.local_base[self.thread]
        known = [self.facts.cells[base + index] for index in range(len(self.template.locals))]
        waiting, seen = [first], {first}
        while waiting:
            code = self.template.blocks[waiting.pop()]
            for op in code.ops:
                self._touch(op, known, frozenset())
            if isinstance(code.terminator, Branch):
                self._ask(code.terminator.condition, known)
            if isinstance(code.terminator, End):
                self._found.after.add((0,))
                self._ends(0)
            for target in successors(code):
                location = self.template.blocks[target].location
                if location is not None:
                    self._found.after.add((location,))
                elif target not in seen:
                    seen.add(target)
                    waiting.append(target)

    # -- accesses of operations ----------------------------------------------------------------------------------------

    def _touch(self, op: Op, known: Sequence[Values], tested: _Tested) -> None:
        match op:
            case Assign(targets, values):
                for value in values:
                    self._read(value, known)
                for target, result in zip(targets, self._evaluator.results(op, known, self.thread)[1], strict=True):
                    self._write(target, result, known, tested)
            case Choose(target, options):
                for option in options:
                    self._read(option.value, known)
                    if option.when is not None:
                        self._ask(option.when, known)
                self._write(target, self._evaluator.results(op, known, self.thread)[1][0], known, tested)
            case Await(condition) | Check(condition):
                self._ask(condition, known)
            case Spawn(template, arguments):
                for argument in arguments:
                    self._read(argument, known)
                self._spawn(template)
            case Halt():
                raise AssertionError("programs that halt are not reduced")
            case _:
                assert_never(op)

    def _ask(self, condition: Expr, known: Sequence[Values]) -> None:
        """Record the reads of a condition, as tests where possible."""
        if isinstance(condition, And | Or | Not | Implies):
            for part in children(condition):
                self._ask(part, known)
            return
        test = self._test(condition, known) if isinstance(condition, Compare) and condition.op in ("==", "!=") else None
        if test is None:
            self._read(condition, known)
            return
        self._found.tests.add(test)
        for part in walk(condition):
            for index in part.indices if isinstance(part, Load) else ():
                self._read(index, known)

    def _read(self, expr: Expr, known: Sequence[Values]) -> None:
        for part in walk(expr):
            if isinstance(part, Load):
                self._found.reads |= bits(self._addresses(part, known))

    def _write(self, target: Target, result: Values, known: Sequence[Values], tested: _Tested) -> None:
        if not isinstance(target, StoreTo):
            return
        for index in target.indices:
            self._read(index, known)
        before = {cell: frozenset((value,)) for cell, value in tested}
        later = within(result, *bounds(target.type)) if result else result
        for cell in self._addresses(target, known):
            self._found.written.add(Written(cell, before.get(cell, self.facts.cells[cell]), later))

    def _spawn(self, template: int) -> None:
        found = self._found
        if template in found.spawns:
            return
        found.spawns.add(template)
        started = instances(self.program, (template,))
        slots = bits(self.layout.pc[thread] for thread in started)
        found.reads |= slots
        found.slots |= slots
        for thread in started:
            before = Walker(self.program, self.layout, self.facts, thread).prefix(found.spawns)
            found.reads |= before.reads
            found.tests |= before.tests
            found.written |= before.written
            found.slots |= before.slots
            found.spawns |= before.spawns


def bits(cells: Iterable[int]) -> int:
    """The cells as a bit set."""
    found = 0
    for cell in cells:
        found |= 1 << cell
    return found
