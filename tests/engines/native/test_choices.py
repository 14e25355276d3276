"""Many options in a row are a loop in machine code: what it finds is what the reference engine finds, to the byte."""

from dataclasses import replace

import asking
import pytest

from dio_mc import Array, Model, Param, Range, Var, atomic, choose, invariant, operation, spawn, thread, wait_until
from dio_mc.engines.native.options import FEW, grouped
from dio_mc.frontend import build
from dio_mc.ir.expr import Const, Local
from dio_mc.ir.ops import Option
from dio_mc.ir.types import RangeType
from dio_mc.semantics.search import Budget
from dio_mc.symbolic.evaluator import property_evaluator

NUMBER = RangeType(-100, 100)


def listed(*values: int) -> list[Option]:
    return [Option(Const(value, NUMBER)) for value in values]


@pytest.mark.parametrize(
    ("values", "sizes"),
    [
        (range(FEW), [1] * FEW),
        (range(FEW + 1), [FEW + 1]),
        (range(50, 0, -2), [25]),
        ([7, *range(20)], [1, 20]),
        ([*range(20), 5, *range(40, 60)], [20, 1, 20]),
        ([*range(20), *range(20)], [20, 20]),
        ([3] * 30, [1] * 30),
        ([0, 5, *range(6, 40)], [1, 35]),
        ([], []),
    ],
)
def test_options_that_count_are_taken_together(values, sizes):
    options = listed(*values)
    groups = grouped(options)
    assert [len(group) if isinstance(group, range) else 1 for group in groups] == sizes
    flat = [v for group in groups for v in (group if isinstance(group, range) else [group.value.value])]
    assert flat == list(values), "each once, in their order"


def test_an_option_that_may_be_closed_stands_alone():
    options = listed(*range(40))
    options[10] = replace(options[10], when=Const(1, NUMBER))
    options[20] = Option(Local(0, "k", NUMBER))
    assert [len(group) if isinstance(group, range) else 1 for group in grouped(options)] == [1] * 21 + [19]


class Wide(Model):
    n = Var(Range(0, 99))

    @thread
    def t(self):
        self.n = choose(range(100))

    @invariant
    def p(self):
        return self.n != 71


class Down(Wide):
    @thread
    def t(self):
        self.n = choose(range(98, 10, -3))


class Nested(Model):
    n = Var(Range(0, 39))
    m = Var(Range(0, 60))

    @thread
    def t(self):
        with atomic():
            self.n = choose(range(40))
            self.m = choose(range(20, 50))

    @invariant
    def p(self):
        return not (self.n == 31 and self.m == 44)


class Kept(Model):
    """The value is a local that lives on, is an index, is branched on, and may be too large."""

    cells = Array(Range(0, 2), size=30)
    n = Var(Range(0, 5))

    @thread
    def t(self):
        k = choose(range(32))
        self.n = 1
        if k % 7 == 3:
            self.n = k
        self.cells[k] = 2

    @thread
    def u(self):
        self.n = choose(0, 4)

    @invariant
    def p(self):
        return self.cells[29] == 0 or self.n != 4


class Left(Model):
    """What a run with one option writes is not there for the next."""

    n = Var(Range(0, 29))
    m = Var(Range(0, 29))

    @thread
    def t(self):
        with atomic():
            k = choose(range(30))
            if k % 3 == 1:
                self.m = k
            self.n = k

    @invariant
    def p(self):
        return self.n != 29 or self.m != 0


class Waiting(Model):
    """A wait after the choice closes most of its options; so do conditions of a second choice."""

    n = Var(Range(0, 40))
    odd = Var(bool)

    @thread
    def t(self):
        with atomic():
            k = choose(range(40))
            wait_until((k % 2 == 1) == self.odd)
            self.n = choose(i for i in range(30) if i < k)

    @thread
    def u(self):
        self.odd = True

    @invariant
    def p(self):
        return not self.odd or self.n < 29


class Spawning(Model):
    n = Var(Range(0, 25))
    last = Var(Range(0, 25))

    @thread
    def t(self):
        k = choose(range(25))
        spawn(self.later, k)
        self.n = k

    @operation
    def later(self, value: Range(0, 25)):
        self.last = value

    @invariant
    def p(self):
        return self.last != 23 or self.n != 23


MODELS = [Wide, Down, Nested, Kept, Left, Waiting, Spawning]


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("model", MODELS, ids=lambda one: one.__name__)
def test_a_loop_over_options_is_what_the_options_are(model, quick):
    program = build(model).program
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    for budget in (Budget(), Budget(max_states=37)):
        expected = asking.explore_reference(program, evaluators, budget)
        found = asking.native(program, evaluators, budget, quick=quick)
        assert replace(found, engine="reference") == expected
    assert asking.explore_reference(program, evaluators).violations, "something is found after a late option"


class Sized(Model):
    options = Param(20, min=1, max=100_000)
    n = Var(Range(0, 100_000))
    m = Var(Range(0, 100_000))

    @thread
    def t(self):
        with atomic():
            self.n = choose(range(self.options))
            self.m = choose(range(17))


def test_code_is_as_long_for_many_options_as_for_few():
    few, many = (asking.prepare(build(Sized, {"options": options}).program, quick=True) for options in (20, 2_000))
    assert few.module.text.count("\n") == many.module.text.count("\n")
    assert (few.module.most, many.module.most) == (20 * 17, 2_000 * 17), "there is room for all successors"


class Beyond(Model):
    n = Var(Range(0, 50))

    @thread
    def t(self):
        k = choose(range(1180591620717411303424, 1180591620717411303424 + 40))
        self.n = k - 1180591620717411303424


class Far(Model):
    n = Var(Range(0, 50))

    @thread
    def t(self):
        self.n = choose(range(0, 73786976294838206464, 1152921504606846976))


class Edge(Model):
    n = Var(Range(0, 50))

    @thread
    def t(self):
        self.n = choose(range(-(2305843009213693952), 2305843009213693952, 144115188075855872))


@pytest.mark.parametrize("model", [Beyond, Far, Edge], ids=lambda one: one.__name__)
def test_options_that_are_no_words(model):
    """The reference engine explores, with the reason; or machine code has room for what it computes."""
    program = build(model).program
    told: list[str] = []
    expected = asking.explore(program, [], engine="reference")
    found = asking.explore(program, [], engine="native", note=told.append)
    assert replace(found, engine="reference") == replace(expected, engine="reference")
    refused = ["explored by the reference engine: a value needs more than 62 bits"]
    assert told == ([] if model is Edge else refused)
    assert ("range@" in str(expected.violations)) == (model is not Beyond)
