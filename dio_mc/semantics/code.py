"""The code of one thread instance, ready to run: blocks cut into segments of closures.

A segment is a sequence of `Assign`, `Await`, `Check` and `Halt` that ends in a tail: a terminator, a `Choose` or a
`Spawn`. Everything static is computed here (addresses, bounds, resets on arrival, which blocks lie on a cycle without a
location); `machine` runs the segments. A block is compiled when control first enters it: many runs of a program, and
the replay of a schedule above all, pass through few of its blocks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, assert_never

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
    Spawn,
    StoreTo,
    Target,
    Terminator,
)
from dio_mc.ir.program import Program, Variable
from dio_mc.ir.types import RangeType, ScalarType, bounds, show_type
from dio_mc.semantics.evaluation import Evaluate, FaultRaised, Scope, compile_address, compile_expr, constant
from dio_mc.semantics.layout import Layout
from dio_mc.semantics.step import Action
from dio_mc.source import Span

Operation = Callable[[list[int]], bool]
"""Changes the cells; returns False if this run of the step does not exist. May raise `FaultRaised`."""


class Place(NamedTuple):
    """A compiled assignment target: its `address`, its bounds ``low..high``, and how a fault names it: by `name`, or
    where there is a `variable`, as a cell of that, which begins at cell `base`."""

    address: Evaluate
    low: int
    high: int
    type: ScalarType
    span: Span | None
    name: str = ""
    variable: Variable | None = None
    base: int = 0

    def write(self, cells: list[int], cell: int, value: int) -> None:
        """Store `value` at `cell`; a value outside the bounds is a fault ``range``."""
        if not self.low <= value <= self.high:
            shown = f"{self.low}..{self.high}" if isinstance(self.type, RangeType) else show_type(self.type)
            raise FaultRaised("range", f"value {value} outside {shown} of {self.name_of(cell)}", self.span)
        cells[cell] = value

    def name_of(self, cell: int) -> str:
        """What an author calls the target, which is at `cell`."""
        return self.name if self.variable is None else f"self.{self.variable.cell_name(cell - self.base)}"


@dataclass(frozen=True, slots=True)
class Goto:
    """Continue at segment `target`."""

    target: int


@dataclass(frozen=True, slots=True)
class Fork:
    """Continue at one of two segments."""

    condition: Evaluate
    then: int
    orelse: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The thread ends."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A `Choose`: the guard (None: always open) and the value of each option; continue at `target`."""

    place: Place
    options: tuple[tuple[Evaluate | None, Evaluate], ...]
    target: int


@dataclass(frozen=True, slots=True)
class Launch:
    """A `Spawn`; continue at `target`."""

    template: int
    arguments: tuple[Evaluate, ...]
    target: int
    span: Span | None


Tail = Goto | Fork | Finish | Pick | Launch


@dataclass(frozen=True, slots=True)
class Segment:
    """Operations and a tail. `loops`: it is the first segment of a block to which control can return without passing a
    location. `compared`: and there the cells of a run are compared with those that it had before."""

    operations: tuple[Operation, ...]
    tail: Tail
    loops: bool = False
    compared: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """The code of one thread instance. `segments` are found by number; `places[S]` is the location that begins with
    segment S, None if none does, and `begin[L]` the segment where location L begins; `entry` the segment where the
    instance starts; `arrive[L]` the cells to set on arrival at L (pc and dead locals); `clear` the cells that a spawn
    resets; `parameters` the places of its arguments; `actions[L]` the action of a step from L without choices;
    `spans[L]` the span for faults of a whole step."""

    segments: Mapping[int, Segment]
    places: tuple[int | None, ...]
    begin: tuple[int, ...]
    entry: int
    entry_span: Span | None
    arrive: tuple[tuple[tuple[int, int], ...], ...]
    clear: tuple[tuple[int, int], ...]
    parameters: tuple[Place, ...]
    actions: tuple[Action, ...]
    spans: tuple[Span | None, ...]


def compile_thread(program: Program, layout: Layout, thread: int) -> Code:
    """The compiled code of thread instance `thread`."""
    template = program.template_of(thread)
    scope = Scope(program, layout, thread)
    first, places = _numbered(template.blocks)
    base, pc = layout.local_base[thread], layout.pc[thread]
    clear = tuple((base + index, local.default) for index, local in enumerate(template.locals))
    parameters = tuple(
        _compile_target(LocalTo(index, local.name, local.type), scope)
        for index, local in enumerate(template.locals[: template.parameters])
    )
    return Code(
        segments=_Segments(template.blocks, first, scope),
        places=places,
        begin=tuple(-1 if number == 0 else first[place.block] for number, place in enumerate(template.locations)),
        entry=first[template.entry],
        entry_span=template.span,
        arrive=tuple(
            ((pc, number), *(clear[local] for local in place.kills)) for number, place in enumerate(template.locations)
        ),
        clear=clear,
        parameters=parameters,
        actions=tuple(Action(thread, number) for number in range(len(template.locations))),
        spans=tuple(place.span for place in template.locations),
    )


class _Segments(dict[int, Segment]):
    """The segments of a thread instance by number, those of each block from when one of them is first asked for.

    To compile a block twice does no harm, so this may be interrupted at any time.
    """

    def __init__(self, blocks: Sequence[Block], first: Sequence[int], scope: Scope) -> None:
        super().__init__()
        self._blocks, self._first, self._scope = blocks, first, scope

    def __missing__(self, number: int) -> Segment:
        """Compile the block that segment `number` is part of."""
        block = bisect_right(self._first, number) - 1
        at = self._first[block]
        parts = _cut(self._blocks[block], at, self._first, self._scope)
        if _is_cyclic(self._blocks, block):
            parts[0] = replace(parts[0], loops=True, compared=block in self._compared)
        self.update(enumerate(parts, start=at))
        return self[number]

    @cached_property
    def _compared(self) -> frozenset[int]:
        return _where_compared(self._blocks)


def _numbered(blocks: Sequence[Block]) -> tuple[tuple[int, ...], tuple[int | None, ...]]:
    """The number of the first segment of every block, and the location that begins with each segment."""
    first: list[int] = []
    places: list[int | None] = []
    for block in blocks:
        first.append(len(places))
        places.append(block.location)
        places += [None for op in block.ops if isinstance(op, Choose | Spawn)]
    return tuple(first), tuple(places)


def _cut(block: Block, at: int, first: Sequence[int], scope: Scope) -> list[Segment]:
    """The segments of one block; the first of them has number `at`."""
    parts: list[Segment] = []
    operations: list[Operation] = []
    for op in block.ops:
        inner = scope.at(op.span)
        match op:
            case Assign() | Await() | Check() | Halt():
                operations.append(_compile_operation(op, inner))
            case Choose():
                parts.append(Segment(tuple(operations), _compile_choose(op, at + len(parts) + 1, inner)))
                operations = []
            case Spawn():
                parts.append(Segment(tuple(operations), _compile_spawn(op, at + len(parts) + 1, inner)))
                operations = []
            case _:
                assert_never(op)
    return [*parts, Segment(tuple(operations), _compile_terminator(block.terminator, first, scope))]


def _compile_terminator(terminator: Terminator, first: Sequence[int], scope: Scope) -> Tail:
    match terminator:
        case Jump(block):
            return Goto(first[block])
        case Branch(condition, then, orelse):
            test = compile_expr(condition, scope.at(terminator.span))
            return Fork(test, first[then], first[orelse])
        case End():
            return Finish()
        case _:
            assert_never(terminator)


def _compile_choose(op: Choose, target: int, scope: Scope) -> Pick:
    options = tuple(
        (None if option.when is None else compile_expr(option.when, scope), compile_expr(option.value, scope))
        for option in op.options
    )
    return Pick(_compile_target(op.target, scope), options, target)


def _compile_spawn(op: Spawn, target: int, scope: Scope) -> Launch:
    return Launch(op.template, tuple(compile_expr(value, scope) for value in op.arguments), target, op.span)


def _compile_operation(op: Assign | Await | Check | Halt, scope: Scope) -> Operation:
    match op:
        case Assign():
            return _compile_assign(op, scope)
        case Await(condition):
            holds = compile_expr(condition, scope)
            return lambda cells: holds(cells) != 0
        case Check():
            return _compile_check(op, scope)
        case Halt():
            return _compile_halt(scope)
        case _:
            assert_never(op)


def _compile_halt(scope: Scope) -> Operation:
    program, layout = scope.program, scope.layout
    ended = [
        (layout.local_base[thread] + index, local.default)
        for thread in range(len(program.threads))
        if thread != scope.thread
        for index, local in enumerate(program.template_of(thread).locals)
    ]
    ended += [(layout.pc[thread], 0) for thread in range(len(program.threads)) if thread != scope.thread]

    def run(cells: list[int]) -> bool:
        for cell, value in ended:
            cells[cell] = value
        return True

    return run


def _compile_check(op: Check, scope: Scope) -> Operation:
    holds = compile_expr(op.condition, scope)

    def run(cells: list[int]) -> bool:
        if not holds(cells):
            raise FaultRaised(op.kind, op.message, op.span)
        return True

    return run


def _compile_assign(op: Assign, scope: Scope) -> Operation:
    """Evaluate all values, then all addresses, then write all targets."""
    places = tuple(_compile_target(target, scope) for target in op.targets)
    values = tuple(compile_expr(value, scope) for value in op.values)
    if len(places) == len(values) == 1:
        return _assign_one(places[0], values[0])

    def run(cells: list[int]) -> bool:
        computed = [value(cells) for value in values]
        addresses = [place.address(cells) for place in places]
        for place, cell, value in zip(places, addresses, computed, strict=True):
            place.write(cells, cell, value)
        return True

    return run


def _assign_one(place: Place, value: Evaluate) -> Operation:
    def run(cells: list[int]) -> bool:
        computed = value(cells)
        place.write(cells, place.address(cells), computed)
        return True

    return run


def _compile_target(target: Target, scope: Scope) -> Place:
    low, high = bounds(target.type)
    match target:
        case LocalTo(index, name):
            assert scope.thread is not None
            cell = scope.layout.local_base[scope.thread] + index
            return Place(constant(cell), low, high, target.type, scope.span, name)
        case StoreTo(variable, indices):
            declared, base = scope.program.variables[variable], scope.layout.variable_base[variable]
            address = compile_address(variable, indices, scope, target.span)
            found = constant(address) if isinstance(address, int) else address
            return Place(found, low, high, target.type, target.span or scope.span, "", declared, base)
        case _:
            assert_never(target)


def _where_compared(blocks: Sequence[Block]) -> frozenset[int]:
    """The blocks where it is asked whether a run repeats itself. At least one is on every cycle: a cycle leads at least
    once to a block that does not come after the one before.

    A run that repeats itself without choices does so in all blocks of a cycle, and whether that is noticed in the first
    of them or in a later one, nothing else is seen of it. Where a cycle has a choice, the step is called after those
    that were made, so it ends at the first block where it repeats itself; a spawn runs the code of another thread.
    """
    parts = ((number, op) for number, block in enumerate(blocks) for op in block.ops)
    if any(isinstance(op, Choose | Spawn) and _is_cyclic(blocks, number) for number, op in parts):
        return frozenset(range(len(blocks)))
    edges = ((number, to) for number, block in enumerate(blocks) for to in _following(block.terminator))
    return frozenset(to for number, to in edges if to <= number)


def _is_cyclic(blocks: Sequence[Block], start: int) -> bool:
    """Whether control can return to block `start` without entering a block with a location."""
    if blocks[start].location is not None:
        return False
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        for following in _following(blocks[waiting.pop()].terminator):
            if following == start:
                return True
            if blocks[following].location is None and following not in seen:
                seen.add(following)
                waiting.append(following)
    return False


def _following(terminator: Terminator) -> tuple[int, ...]:
    match terminator:
        case Jump(block):
            return (block,)
        case Branch(_, then, orelse):
            return (then, orelse)
        case End():
            return ()
        case _:
            assert_never(terminator)
