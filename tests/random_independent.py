"""Small random programs whose threads have their own data beside shared data, so that some steps
are independent: with loops, awaits, choices, spawns, faults; and properties of cells and control.
Equal seeds give equal programs."""

from ir_builder import FakeEvaluator, evaluator, load, program, straight, variable
from random_programs import SMALL, Maker

from dio_mc.ir.expr import And, AtLocation, Compare, Const, Expr, Load, Local, LocalOf
from dio_mc.ir.ops import Await, LocalTo, StoreTo
from dio_mc.ir.program import Program
from dio_mc.semantics.evaluator import Observation
from dio_mc.semantics.layout import layout_of

SHARED = 0.12
"""The share of accesses that are to shared data."""


class Independent(Maker):
    """Variables 0 and 1 are shared; each template has a variable and a row of a matrix of its own."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.mine = 2
        self.variables += [variable(f"own{n}", SMALL, self.random.choice((0, 1)), (3,)) for n in range(4)]

    def index(self, locals_: int) -> Expr:
        """An index into the thread's own array: fixed, its number, or a local that counts."""
        return Const(self.random.randint(0, 2), SMALL) if not locals_ or self.chance(0.5) else Local(0, "x0", SMALL)

    def value(self, locals_: int, deep: int = 2) -> Expr:
        made = super().value(locals_, deep)
        if isinstance(made, Load) and made.variable < 2 and not self.chance(SHARED):
            return Load(self.mine, (self.index(locals_),), SMALL)
        return made

    def target(self, locals_: int) -> StoreTo | LocalTo:
        made = super().target(locals_)
        if isinstance(made, StoreTo) and made.variable < 2 and not self.chance(SHARED):
            return StoreTo(self.mine, (self.index(locals_),), SMALL)
        return made


def random_program(seed: int) -> Program:
    maker = Independent(seed)
    bodies = []
    for number, name in enumerate(("first", "second", "third", "fourth")):
        maker.mine = 2 + number
        spawned = number == 1
        bodies.append(maker.body(name, maker.random.randint(1, 2), spawned=spawned, may_spawn=maker.chance(0.3)))
    return program(maker.variables, bodies, [maker.random.randint(1, 2), maker.random.randint(1, 2), 1, 1])


def random_waiting(seed: int) -> Program:
    """Threads without loops; the last step of some waits for a condition that may never hold."""
    maker = Independent(seed)
    bodies = []
    for number, name in enumerate(("first", "second", "third", "fourth")):
        maker.mine = 2 + number
        ops = [maker.op(1, may_spawn=False) for _ in range(maker.random.randint(1, 3))]
        if maker.chance(0.6):
            cell = Load(2 + (number + 1) % 4, (Const(0, SMALL),), SMALL) if maker.chance(0.5) else Load(0, (), SMALL)
            ops.append(Await(Compare("==", cell, Const(maker.random.randint(0, 2), SMALL))))
        bodies.append(straight(*ops, name=name, locals_=[(SMALL, 0)]))
    return program(maker.variables, bodies, [maker.random.randint(1, 2), 1, 1, 1])


def evaluators_of(made: Program, seed: int) -> list[FakeEvaluator]:
    """Properties: some read shared cells, some own cells, one the control state of threads;
    sometimes there are none."""
    layout = layout_of(made)
    if seed % 4 == 0:
        return []
    cells = [Observation(layout.names[c], c) for c in range(3)]
    own = Observation(layout.names[3 + seed % 12], 3 + seed % 12)
    last = len(made.threads) - 1
    stands = [Observation(f"{t} stands", None, AtLocation(t, frozenset({1 + seed % 2}))) for t in (0, last)]
    with_ = And((AtLocation(0, frozenset({1, 2})), Compare("==", LocalOf(0, 0, SMALL), Const(seed % 3, SMALL))))
    inside = Observation("inside", None, with_)
    total = Compare("==", load(0, type_=SMALL, total=True), Const(2, SMALL))
    mixed = Observation("mixed", None, And((total, AtLocation(last, frozenset({1})))))
    every = [
        evaluator("ill", lambda *v: sum(v) % 4 != 3, *cells),
        evaluator("seen", lambda *v: None if v[0] == 2 else sum(v) == 3, *cells, kind="reachable"),
        evaluator("own", lambda v, here: not (v == 2 and here), own, stands[1]),
        evaluator("meet", lambda one, other: one and other, *stands, kind="reachable"),
        evaluator("inside", lambda v, w: not (v and w), inside, own),
        evaluator("mixed", lambda v: not v, mixed),
    ]
    return [one for n, one in enumerate(every) if (seed >> 2) % 7 in (n, 6)]
