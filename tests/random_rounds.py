"""Small random programs that mostly loop: threads that wait, write, and start again; for tests of
fairness."""

import random

from ir_builder import END, block, cell, equal, load, number, plus, program, put, template, variable, wait

from dio_mc.ir.expr import Arith
from dio_mc.ir.ops import Choose, Op, Option
from dio_mc.ir.program import Program
from dio_mc.ir.types import RangeType

SMALL = RangeType(0, 2)


def _op(rng: random.Random) -> Op:
    which = rng.randrange(2)
    kind = rng.random()
    if kind < 0.15:
        return Choose(cell(which, type_=SMALL), (Option(number(0)), Option(number(rng.randint(1, 2)))))
    if kind < 0.4:
        up = plus(load(which, type_=SMALL), 1)
        return put(cell(which, type_=SMALL), Arith("%", up, number(3), RangeType(-1000, 1000)))
    return put(cell(which, type_=SMALL), rng.randint(0, 2))


def _body(rng: random.Random, name: str):
    size = rng.randint(1, 3)
    made = []
    for place in range(1, size + 1):
        ops = [wait(equal(load(rng.randrange(2), type_=SMALL), rng.randint(0, 2)))] if rng.random() < 0.5 else []
        ops.append(_op(rng))
        ends = place == size and rng.random() < 0.25
        made.append(block(*ops, to=END if ends else place % size, location=place))
    return template(*made, name=name, daemon=rng.random() < 0.5)


def random_rounds(seed: int) -> Program:
    """Two or three threads over two variables from 0 to 2."""
    rng = random.Random(seed)
    threads = [_body(rng, f"t{n}") for n in range(rng.choice((2, 2, 3)))]
    return program([variable("v", SMALL), variable("w", SMALL, rng.randint(0, 2))], threads)
