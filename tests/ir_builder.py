"""Programs written by hand for the tests of the engines, in a few lines each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from dio_mc.ir.expr import Arith, Compare, Const, Expr, Load, Local
from dio_mc.ir.ops import Assign, Await, Block, Branch, Check, End, Jump, LocalTo, Op, StoreTo, Terminator
from dio_mc.ir.program import LocalVariable, Location, Program, Property, RecordShape, Template, Thread, Variable
from dio_mc.ir.types import RangeType, ScalarType
from dio_mc.ir.verify import verify
from dio_mc.semantics.evaluator import Decision, Observation
from dio_mc.semantics.layout import layout_of
from dio_mc.source import Span

FILE = "model.py"
DIGIT = RangeType(0, 9)


def at(line: int) -> Span:
    return Span(FILE, line, 1, line, 2)


def variable(name: str, type_: ScalarType = DIGIT, init: int | Sequence[int] = 0, shape: tuple[int, ...] = (), **rest):
    path = (name, *(None for _ in shape))
    made = Variable(name, path, shape, type_, (), **rest)
    return replace(made, init=(init,) * made.size if isinstance(init, int) else tuple(init))


def number(value: int) -> Const:
    return Const(value, RangeType(min(value, 0), max(value, 0)))


def load(
    variable_: int, *indices: Expr | int, type_: ScalarType = DIGIT, total: bool = False, after: bool = False
) -> Load:
    return Load(variable_, tuple(number(i) if isinstance(i, int) else i for i in indices), type_, total, after)


def local(index: int, type_: ScalarType = DIGIT) -> Local:
    return Local(index, f"x{index}", type_)


def plus(left: Expr, right: Expr | int) -> Arith:
    return Arith("+", left, number(right) if isinstance(right, int) else right, RangeType(-1000, 1000))


def equal(left: Expr, right: Expr | int) -> Compare:
    return Compare("==", left, number(right) if isinstance(right, int) else right)


def less(left: Expr, right: Expr | int) -> Compare:
    return Compare("<", left, number(right) if isinstance(right, int) else right)


def cell(variable_: int, *indices: Expr | int, type_: ScalarType = DIGIT) -> StoreTo:
    return StoreTo(variable_, tuple(number(i) if isinstance(i, int) else i for i in indices), type_)


def own(index: int, type_: ScalarType = DIGIT) -> LocalTo:
    return LocalTo(index, f"x{index}", type_)


def put(target: StoreTo | LocalTo, value: Expr | int, line: int = 0) -> Assign:
    span = at(line) if line else None
    return Assign((target,), (number(value) if isinstance(value, int) else value,), span)


def wait(condition: Expr) -> Await:
    return Await(condition)


def check(condition: Expr, message: str = "broken", line: int = 1) -> Check:
    return Check(condition, "assertion", message, at(line))


def jump(block: int) -> Jump:
    return Jump(block)


def branch(condition: Expr, then: int, orelse: int) -> Branch:
    return Branch(condition, then, orelse)


END = End()


def block(*ops: Op, to: Terminator | int = END, location: int | None = None) -> Block:
    return Block(tuple(ops), Jump(to) if isinstance(to, int) else to, location)


def template(
    *blocks: Block,
    name: str = "t",
    locals_: Sequence[tuple[ScalarType, int]] = (),
    kills: dict[int, tuple[int, ...]] | None = None,
    entry: int = 0,
    parameters: int = 0,
    daemon: bool = False,
    spawned: bool = False,
) -> Template:
    """A template with the locations that the blocks name; location 0 kills every local unless
    `kills` says otherwise."""
    everything = tuple(range(len(locals_)))
    dead = {0: everything, **(kills or {})}
    begins = {b.location: number for number, b in enumerate(blocks) if b.location is not None}
    locations = tuple(
        Location(f"{name}+{n}", begins.get(n, -1), f"statement {n}", None, (), dead.get(n, ()), at(100 + n))
        for n in range(1 + max(begins, default=0))
    )
    variables = tuple(LocalVariable(f"x{i}", type_, default) for i, (type_, default) in enumerate(locals_))
    return Template(name, daemon, spawned, parameters, variables, tuple(blocks), locations, entry, at(50))


def straight(*steps: Sequence[Op] | Op, name: str = "t", **rest) -> Template:
    """A template that takes these steps one after another, each from a location of its own."""
    blocks = []
    for place, step in enumerate(steps, start=1):
        ops = step if isinstance(step, Sequence) else (step,)
        blocks.append(block(*ops, to=END if place == len(steps) else place, location=place))
    return template(*blocks, name=name, **rest)


def program(
    variables: Sequence[Variable] = (),
    threads: Sequence[Template] = (),
    instances: Sequence[int] | None = None,
    properties: Sequence[Property] = (),
    check_deadlock: bool = True,
) -> Program:
    counts = instances or (1,) * len(threads)
    made = [
        Thread(f"{t.name}[{n}]" if count > 1 else t.name, position, n)
        for position, (t, count) in enumerate(zip(threads, counts, strict=True))
        for n in range(count)
    ]
    built = Program(
        *("Hand", (), tuple(variables), RecordShape(()), tuple(threads), tuple(made), ()),
        *(tuple(properties), check_deadlock, FILE),
    )
    verify(built)
    return built


@dataclass
class FakeEvaluator:
    """An evaluator that decides with a Python predicate over the observed values, and records every
    batch."""

    property: Property
    observations: tuple[Observation, ...]
    predicate: Callable[..., bool | None]
    formulas: tuple[Expr, ...] = ()
    batches: list[list[tuple[int, ...]]] = field(default_factory=list)

    def decide(self, valuations: Sequence[tuple[int, ...]]) -> list[Decision]:
        self.batches.append(list(valuations))
        named = {True: Decision.HOLDS, False: Decision.VIOLATED, None: Decision.UNKNOWN}
        return [named[self.predicate(*values)] for values in valuations]


def evaluator(
    name: str, predicate: Callable[..., bool | None], *observations: Observation, kind: str = "invariant"
) -> FakeEvaluator:
    made = Property(name, kind, None, "", at(1), predicate, None)
    return FakeEvaluator(made, observations, predicate)


def observation(program_: Program, name: str, after: bool = False) -> Observation:
    """The cell of this name (``count``, ``page[1]``)."""
    return Observation(name, layout_of(program_).names.index(name), None, after)
