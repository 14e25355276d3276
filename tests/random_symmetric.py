"""Small random programs that are almost symmetric: pages that are chosen, threads that use their
own id, and sometimes a statement that distinguishes elements. Equal seeds give equal programs."""

import random

from ir_builder import END, block, branch, jump, number, program, template, variable, wait

from dio_mc.ir.expr import And, Arith, Compare, Const, Expr, Load, Local, Me, Not, Or
from dio_mc.ir.ops import Assign, Check, Choose, LocalTo, Op, Option, StoreTo
from dio_mc.ir.program import Program, Template
from dio_mc.ir.types import OptionType, RangeType, ThreadIdType

PLAIN = RangeType(0, 1)
PAGE = RangeType(0, 2)
LAST = OptionType(PAGE)
PAGES = range(3)
BREAKS = 0.04
"""The share of statements that may distinguish elements."""


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.instances = 2
        self.others = 1
        names = [f"worker[{n}]" for n in range(self.instances)] + [f"other[{n}]" for n in range(self.others)]
        self.thread_id = ThreadIdType(tuple(names))
        self.thread = OptionType(self.thread_id)
        self.variables = [
            variable("page", PLAIN, self.random.choice((0, 0, 0, (0, 1, 0))), (3,)),
            variable("owner", self.thread, -1, (3,)),
            variable("last", LAST, -1),
            variable("who", self.thread, -1),
            variable("row", PLAIN, 0, (self.instances, 3)),
            variable("seen", PLAIN, 0, (len(names),)),
        ]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def i(self) -> Expr:
        return Local(1, "x1", PAGE) if not self.chance(BREAKS) else number(self.random.randint(0, 2))

    def k(self, numbered: bool) -> Expr:
        own = numbered and not self.chance(BREAKS)
        return Local(0, "x0", PLAIN) if own else Const(self.random.randint(0, self.instances - 1), PAGE)

    def me(self) -> Expr:
        return Me(self.thread_id)

    def page(self, index: Expr) -> Load:
        return Load(0, (index,), PLAIN)

    def truth(self, numbered: bool) -> Expr:
        i, bit = self.i(), number(self.random.randint(0, 1))
        made = [
            Compare("==", self.page(i), bit),
            Compare("==", Load(1, (i,), self.thread), Const(-1, self.thread)),
            Compare("!=", Load(1, (i,), self.thread), self.me()),
            Compare("!=", Load(2, (), LAST), i),
            Compare("!=", Load(3, (), self.thread), self.me()),
            Compare("==", Load(5, (self.me(),), PLAIN), bit),
            And(tuple(Compare("==", self.page(number(p)), bit) for p in PAGES)),
            Or(tuple(Compare("!=", self.page(number(p)), bit) for p in PAGES)),
        ]
        if numbered:
            made.append(Not(Compare("==", Load(4, (self.k(True), i), PLAIN), bit)))
        if self.chance(BREAKS):
            made = [
                Compare("<", Load(2, (), LAST), i),
                Compare("==", i, number(1)),
                Compare(">=", self.me(), Load(3, (), self.thread)),
                And(tuple(Compare("==", self.page(number(p)), bit) for p in (0, 1))),
            ]
        return self.random.choice(made)

    def op(self, numbered: bool) -> Op:
        i, bit = self.i(), number(self.random.randint(0, 1))
        made: list[Op] = [
            self.pick(),
            Assign((StoreTo(0, (i,), PLAIN),), (bit,)),
            Assign((StoreTo(1, (i,), self.thread),), (self.me(),)),
            Assign((StoreTo(1, (i,), self.thread),), (Const(-1, self.thread),)),
            Assign((StoreTo(2, (), LAST),), (i,)),
            Assign((StoreTo(3, (), self.thread),), (self.me(),)),
            Assign((StoreTo(5, (self.me(),), PLAIN),), (self.page(i),)),
            wait(self.truth(numbered)),
        ]
        if numbered:
            made.append(Assign((StoreTo(4, (self.k(True), i), PLAIN),), (bit,)))
        if self.chance(0.1):
            made = [Check(self.truth(numbered), "assertion", "no")]
        if self.chance(BREAKS):
            sum_ = Arith("%", Arith("+", i, number(1), RangeType(0, 9)), number(3), PAGE)
            made = [
                Assign((LocalTo(1, "x1", PAGE),), (sum_,)),
                Assign((LocalTo(1, "x1", PAGE),), (Load(2, (), LAST),)),
                Assign((StoreTo(3, (), self.thread),), (Const(0, self.thread),)),
            ]
        return self.random.choice(made)

    def pick(self) -> Choose:
        pages = [p for p in PAGES if not self.chance(BREAKS)] or [0]
        return Choose(LocalTo(1, "x1", PAGE), tuple(Option(number(p)) for p in pages))

    def body(self, name: str, numbered: bool) -> Template:
        """Block 1 usually chooses a page, and all other statements are about that page."""
        size = self.random.randint(1, 3)
        made = [block(to=1)]
        for n in range(1, size + 1):
            first = [self.pick()] if n == 1 and not self.chance(BREAKS) else []
            ops = [*first, *(self.op(numbered) for _ in range(self.random.randint(1, 2)))]
            last = n == size
            end = END if last and self.chance(0.7) else jump(1) if last else jump(n + 1)
            if not last and self.chance(0.3):
                end = branch(self.truth(numbered), n + 1, self.random.randint(1, size))
            made.append(block(*ops, to=end, location=n))
        locals_ = [(RangeType(0, self.instances - 1), 0), (PAGE, 0)]
        kills = {1: (1,)} if self.chance(0.9) else {}
        return template(*made, name=name, locals_=locals_, kills=kills, parameters=int(numbered))


def random_program(seed: int) -> Program:
    maker = Maker(seed)
    bodies = [maker.body("worker", numbered=True), maker.body("other", numbered=False)]
    return program(maker.variables, bodies, [maker.instances, maker.others])
