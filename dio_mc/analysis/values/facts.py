"""The values that each cell may have and the control states that each thread may reach, computed thread by thread.

A *control state* (``config``) of a thread is its location with the values of its locals. Control states are enumerated
by running the thread alone with concrete locals, where every read of shared data yields all values that the cell may
hold. Running a thread adds values to cells, so this is repeated until nothing is new. The result is a superset of what
is reachable. If a thread has too many control states, they are not enumerated, and its location and locals are stored
separately.

This keeps states small: ``i``, ``flush.i`` and ``write_page.i`` rarely differ, and most locals are dead at most
locations. It also makes machine code fast: the code of a step is generated per control state, with its locals known.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Final, assert_never

from dio_mc.analysis.values.evaluate import Evaluator
from dio_mc.analysis.values.moves import Config as Config
from dio_mc.analysis.values.moves import arrived, locals_after, own, stored
from dio_mc.analysis.values.sets import NONE, Unsupported, Values, interval, join, one, truths, within
from dio_mc.ir.ops import Assign, Await, Branch, Check, Choose, End, Halt, Jump, LocalTo, Op, Spawn, StoreTo, Target
from dio_mc.ir.program import Program, Template
from dio_mc.ir.types import bounds
from dio_mc.semantics.layout import Layout

MOST_CONFIGS: Final = 1024
MOST_POINTS: Final = 20_000
ROUNDS: Final = 6
"""After this number of rounds a cell that still grows is widened to all values of its type."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The possible values of each cell of the layout (of locals: at any time, also in the middle of a step), and the
    control states of each thread in order, or None if there are too many."""

    cells: tuple[Values, ...]
    configs: tuple[tuple[Config, ...] | None, ...]


class _TooMany(Exception):
    """Too many control states."""


class Analysis:
    """Computes the facts of a program."""

    def __init__(self, program: Program, layout: Layout) -> None:
        self.program = program
        self.layout = layout
        self.cells: list[Values] = [NONE] * layout.size
        self.evaluator = Evaluator(program, layout, self.cells)
        self.configs: list[set[Config] | None] = [{*()} for _ in program.threads]
        self._spawned: dict[int, list[Values]] = {}
        self._changed = True
        self._rounds = 0
        self.halts = any(isinstance(op, Halt) for t in program.templates for b in t.blocks for op in b.ops)
        self._seed()

    def _seed(self) -> None:
        for number, variable in enumerate(self.program.variables):
            least, most = bounds(variable.type)
            for cell, value in enumerate(variable.init, start=self.layout.variable_base[number]):
                self.cells[cell] = interval(least, most) if variable.any_init else one(value)
        for thread in range(len(self.program.threads)):
            template = self.program.template_of(thread)
            self.cells[self.layout.pc[thread]] = interval(0, len(template.locations) - 1)
            killed = {index for place in template.locations for index in place.kills}
            for index, value in enumerate(self._start(thread)):
                values = {value, template.locals[index].default} if index in killed else {value}
                self.cells[self.layout.local_base[thread] + index] = frozenset(values)

    def _start(self, thread: int) -> list[int]:
        """The values of the locals before anything has run."""
        template = self.program.template_of(thread)
        values = [local.default for local in template.locals]
        if not template.spawned and template.parameters > 0:
            values[0] = self.program.threads[thread].number
        return values

    def find(self) -> Facts:
        """Run to the fixpoint and return the facts."""
        while self._changed:
            self._changed = False
            self._rounds += 1
            for thread in range(len(self.program.threads)):
                if self.configs[thread] is not None:
                    try:
                        self.configs[thread] = _Exploration(self, thread).run()
                        continue
                    except _TooMany:
                        self.configs[thread] = None
                        self._changed = True
                self._flatly(thread)
        ordered = tuple(None if found is None else tuple(sorted(found)) for found in self.configs)
        return Facts(tuple(self.cells), ordered)

    # -- effects of running a thread ----------------------------------------------------------------------------------

    def note(self, cell: int, values: Values, target: Target) -> None:
        """Record that a cell may hold these values."""
        joined = join(self.cells[cell], values)
        if joined == self.cells[cell]:
            return
        self._changed = True
        self.cells[cell] = interval(*bounds(target.type)) if self._rounds > ROUNDS else joined

    def store(self, target: StoreTo, values: Values, locals_: list[Values], me: int) -> None:
        """Record a store to shared data."""
        fitting = within(values, *bounds(target.type))
        if fitting:
            for cell in self.evaluator.addresses(target.variable, target.indices, locals_, me):
                self.note(cell, fitting, target)

    def spawn(self, op: Spawn, locals_: list[Values], me: int) -> None:
        """Record the arguments of a spawn."""
        arguments = [self.evaluator.values(a, locals_, me) for a in op.arguments]
        if not all(arguments) and op.arguments:
            return
        template = self.program.templates[op.template]
        fitting = [within(v, *bounds(x.type)) for v, x in zip(arguments, template.locals, strict=False)]
        known = self._spawned.get(op.template)
        joined = fitting if known is None else [join(a, b) for a, b in zip(known, fitting, strict=True)]
        if joined != known:
            self._spawned[op.template] = joined
            self._changed = True

    def arguments(self, template: int) -> list[Values] | None:
        """The possible arguments that instances of a template are spawned with; None if it is never spawned."""
        return self._spawned.get(template)

    def _flatly(self, thread: int) -> None:
        """Run a thread without control states: every operation, with all possible values of its locals."""
        template = self.program.template_of(thread)
        base = self.layout.local_base[thread]
        started = self.arguments(self.program.threads[thread].template)
        for index, values in enumerate(started or ()):
            self.note(base + index, values, self._local(template, index))
        for block in template.blocks:
            for op in block.ops:
                locals_ = [self.cells[base + i] for i in range(len(template.locals))]
                for target, values in self._effects(op, locals_, thread):
                    if isinstance(target, StoreTo):
                        self.store(target, values, locals_, thread)
                    elif fitting := within(values, *bounds(target.type)):
                        self.note(base + target.index, fitting, target)

    def _effects(self, op: Op, locals_: list[Values], me: int) -> list[tuple[Target, Values]]:
        match op:
            case Assign(targets, values):
                return [(t, self.evaluator.values(v, locals_, me)) for t, v in zip(targets, values, strict=True)]
            case Choose(target, options):
                return [(target, self.evaluator.values(o.value, locals_, me)) for o in options]
            case Spawn():
                self.spawn(op, locals_, me)
                return []
            case Await() | Check() | Halt():
                return []
            case _:
                assert_never(op)

    def local_target(self, thread: int, index: int) -> LocalTo:
        """A local as an assignment target."""
        return self._local(self.program.template_of(thread), index)

    @staticmethod
    def _local(template: Template, index: int) -> LocalTo:
        local = template.locals[index]
        return LocalTo(index, local.name, local.type)

    def start(self, thread: int) -> list[int]:
        """The values of the locals before anything has run."""
        return self._start(thread)


_Point = tuple[int, int, tuple[int, ...]]
"""Block, operation, locals."""


class _Exploration:
    """Runs one thread alone."""

    def __init__(self, analysis: Analysis, thread: int) -> None:
        self.analysis = analysis
        self.thread = thread
        self.template = analysis.program.template_of(thread)
        self.base = analysis.layout.local_base[thread]
        self.configs: set[Config] = set()
        self.points: set[_Point] = set()
        self.waiting: list[_Point] = []

    def run(self) -> set[Config]:
        start = tuple(self.analysis.start(self.thread))
        if self.analysis.halts:
            self.configs.add((0, *(local.default for local in self.template.locals)))
        if self.template.spawned:
            self.configs.add((0, *start))
            self._started(start)
        else:
            self._enter(self.template.entry, start)
        while self.waiting:
            self._advance(*self.waiting.pop())
            if len(self.configs) > MOST_CONFIGS or len(self.points) > MOST_POINTS:
                raise _TooMany
        return self.configs

    def _started(self, defaults: tuple[int, ...]) -> None:
        arguments = self.analysis.arguments(self.analysis.program.threads[self.thread].template)
        if arguments is None:
            return
        if prod(len(values) for values in arguments) > MOST_CONFIGS:
            raise _TooMany
        for values in product(*arguments):
            for index, value in enumerate(values):
                self._note(index, value)
            self._enter(self.template.entry, (*values, *defaults[len(values) :]))

    def _note(self, index: int, value: int) -> None:
        target = self.analysis.local_target(self.thread, index)
        self.analysis.note(self.base + index, one(value), target)

    def _enter(self, block: int, locals_: tuple[int, ...]) -> None:
        location = self.template.blocks[block].location
        if location is not None:
            self._arrive(location, locals_)
        else:
            self._push(block, 0, locals_)

    def _arrive(self, location: int, locals_: tuple[int, ...]) -> None:
        config = arrived(self.template, location, locals_)
        if config not in self.configs:
            self.configs.add(config)
            if location:
                self._push(self.template.locations[location].block, 0, config[1:])

    def _push(self, block: int, at: int, locals_: tuple[int, ...]) -> None:
        point = block, at, locals_
        if point not in self.points:
            self.points.add(point)
            self.waiting.append(point)

    def _advance(self, block: int, at: int, locals_: tuple[int, ...]) -> None:
        code = self.template.blocks[block]
        known: list[Values] = [one(value) for value in locals_]
        values = self.analysis.evaluator.values
        for number in range(at, len(code.ops)):
            op = code.ops[number]
            match op:
                case Assign() | Choose():
                    for after in self._assigned(op, locals_, known):
                        self._push(block, number + 1, after)
                    return
                case Await(condition) | Check(condition):
                    if not truths(values(condition, known, self.thread))[1]:
                        return
                case Spawn():
                    self.analysis.spawn(op, known, self.thread)
                case Halt():
                    pass
                case _:
                    assert_never(op)
        match code.terminator:
            case Jump(target):
                self._enter(target, locals_)
            case Branch(condition, then, orelse):
                false, true = truths(values(condition, known, self.thread))
                if true:
                    self._enter(then, locals_)
                if false:
                    self._enter(orelse, locals_)
            case End():
                self._arrive(0, locals_)
            case _:
                assert_never(code.terminator)

    def _assigned(self, op: Assign | Choose, locals_: tuple[int, ...], known: list[Values]) -> set[tuple[int, ...]]:
        """The possible locals after an assignment or a choice."""
        found = stored(self.analysis.evaluator, op, known, self.thread)
        if found is None:
            return set()
        for target, values in found:
            if isinstance(target, StoreTo):
                self.analysis.store(target, values, known, self.thread)
        changes = own(found)
        if prod(len(values) for _, values in changes) > MOST_CONFIGS:
            raise _TooMany
        for index, values in changes:
            for value in values:
                self._note(index, value)
        return locals_after(locals_, changes)


def find_facts(program: Program, layout: Layout) -> Facts:
    """The facts of a program. Raises `Unsupported` for a program without threads, or if a value needs more than 62
    bits."""
    if not program.threads:
        raise Unsupported("a program without threads")
    return Analysis(program, layout).find()
