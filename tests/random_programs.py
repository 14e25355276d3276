"""Small random programs: up to four threads, branches, choices, awaits, spawns, faults. Equal seeds
give equal programs."""

import random
from dataclasses import replace

from ir_builder import END, at, block, branch, jump, number, program, template, variable

from dio_mc.ir.expr import And, Arith, Compare, Expr, Implies, Ite, Load, Local, Me, Not, Or
from dio_mc.ir.ops import Assign, Await, Check, Choose, LocalTo, Op, Option, Spawn, StoreTo
from dio_mc.ir.program import Program, Template
from dio_mc.ir.types import RangeType, ThreadIdType

SMALL = RangeType(0, 2)
WIDE = RangeType(-100, 100)


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.line = 0
        self.variables = [variable("v", SMALL, self.random.choice((0, 1))), variable("a", SMALL, 0, (2,))]
        self.names = ThreadIdType(())

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def value(self, locals_: int, deep: int = 2) -> Expr:
        kind = self.random.choice(("const", "local", "load", "array", "me", "arith", "ite"))
        if kind == "const" or (deep == 0 and kind in ("arith", "ite", "array")):
            return number(self.random.randint(0, 2))
        if kind == "local" and locals_:
            return self.local(self.random.randrange(locals_))
        if kind == "array":
            fixed = self.chance(0.9)
            index = number(self.random.randint(0, 1)) if fixed else self.value(locals_, deep - 1)
            return Load(1, (index,), SMALL, span=at(self.next_line()) if self.chance(0.5) else None)
        if kind == "me":
            return Me(self.names)
        if kind == "arith":
            op = self.random.choice(("+", "-", "*", "//", "%"))
            divides = op in ("//", "%")
            right = number(self.random.randint(0 if self.chance(0.1) else 1, 3)) if divides else self.value(locals_, 0)
            return Arith(op, self.value(locals_, deep - 1), right, WIDE)
        if kind == "ite":
            return Ite(self.truth(locals_, 0), self.value(locals_, 0), self.value(locals_, deep - 1), WIDE)
        return Load(0, (), SMALL)

    def local(self, index: int) -> Local:
        return Local(index, f"x{index}", SMALL)

    def truth(self, locals_: int, deep: int = 1) -> Expr:
        kind = self.random.choice(("compare", "compare", "not", "and", "or", "implies"))
        if deep == 0 or kind == "compare":
            op = self.random.choice(("==", "!=", "<", "<=", ">", ">="))
            return Compare(op, self.value(locals_, 1), self.value(locals_, 0))
        parts = self.truth(locals_, deep - 1), self.truth(locals_, deep - 1)
        made: dict[str, Expr] = {"not": Not(parts[0]), "and": And(parts), "or": Or(parts), "implies": Implies(*parts)}
        return made[kind]

    def target(self, locals_: int) -> StoreTo | LocalTo:
        kind = self.random.choice(("v", "a", "local"))
        if kind == "local" and locals_:
            index = self.random.randrange(locals_)
            return LocalTo(index, f"x{index}", SMALL)
        if kind == "a":
            index = number(self.random.randint(0, 1)) if self.chance(0.8) else self.value(locals_, 0)
            return StoreTo(1, (index,), SMALL)
        return StoreTo(0, (), SMALL)

    def tame(self, value: Expr) -> Expr:
        """Mostly inside 0..2, so that not every program ends in a fault at once."""
        return Arith("%", value, number(3), WIDE) if self.chance(0.95) else value

    def next_line(self) -> int:
        self.line += 1
        return self.line

    def op(self, locals_: int, may_spawn: bool) -> Op:
        kind = self.random.choices(
            ("assign", "pair", "await", "check", "choose", "spawn"), (6, 1, 0.8, 0.2, 2, 1.5 if may_spawn else 0)
        )[0]
        span = at(self.next_line())
        if kind == "await":
            return Await(self.truth(locals_), span)
        if kind == "check":
            return Check(self.truth(locals_), self.random.choice(("assertion", "lock_misuse")), "no", span)
        if kind == "choose":
            options = tuple(
                Option(self.tame(self.value(locals_, 1)), self.truth(locals_, 0) if self.chance(0.4) else None)
                for _ in range(self.random.randint(1, 3))
            )
            return Choose(self.target(locals_), options, span)
        if kind == "spawn":
            return Spawn(1, (self.tame(self.value(locals_, 0)),), span)
        count = 2 if kind == "pair" else 1
        targets = tuple(self.target(locals_) for _ in range(count))
        return Assign(targets, tuple(self.tame(self.value(locals_)) for _ in targets), span)

    def body(self, name: str, locals_: int, spawned: bool, may_spawn: bool) -> Template:
        """Block 0 jumps to the first location, so that every prefix is local and cannot fail."""
        size = self.random.randint(2, 5)
        location = 0
        made = [block(to=1)]
        for number_ in range(1, size + 1):
            here = None
            if number_ == 1 or self.chance(0.8):
                location += 1
                here = location
            goes = self.random.randint(1, size)
            if self.chance(0.6):
                end = jump(min(number_ + 1, size)) if number_ < size else END
            elif self.chance(0.5):
                end = branch(self.truth(locals_), goes, self.random.randint(1, size))
            else:
                end = jump(goes)
            ops = [self.op(locals_, may_spawn) for _ in range(self.random.randint(1, 2))]
            made.append(replace(block(*ops, location=here), terminator=end))
        kills = {n: (locals_ - 1,) for n in range(1, location + 1) if self.chance(0.3)}
        kinds = [(SMALL, self.random.choice((0, 1))) for _ in range(locals_)]
        daemon = self.chance(0.2)
        return template(*made, name=name, locals_=kinds, kills=kills, parameters=1, daemon=daemon, spawned=spawned)


def random_program(seed: int) -> Program:
    maker = Maker(seed)
    first = maker.body("first", 2, spawned=False, may_spawn=True)
    second = maker.body("second", 1, spawned=True, may_spawn=maker.chance(0.2))
    if maker.chance(0.3):
        maker.variables[0] = replace(maker.variables[0], any_init=True)
    return program(maker.variables, [first, second], [2, maker.random.randint(1, 2)])
