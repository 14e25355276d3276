"""Numbers that do not fit into a word: the engines agree, or machine code says that it cannot do it."""

import asking
import pytest

from dio_mc import Model, Range, Var, choose, invariant, thread
from dio_mc.engines.native.asm import Asm
from dio_mc.frontend import build
from dio_mc.semantics.search import NO_REDUCTION
from dio_mc.symbolic.evaluator import property_evaluator

REFUSED = "explored by the reference engine: a value needs more than 62 bits"


class InBody(Model):
    x = Var(Range(0, 6))
    y = Var(Range(0, 3))

    @thread
    def t(self):
        self.y = choose(range(4))
        self.x = (self.y * 1099511627776 * 1099511627776 * 3) % 7

    @invariant
    def p(self):
        return self.x != 6


class InProperty(Model):
    y = Var(Range(0, 3))

    @thread
    def t(self):
        self.y = choose(range(4))

    @invariant
    def p(self):
        return (self.y * 1099511627776 * 1099511627776 * 3) % 7 != 6


class InCondition(Model):
    y = Var(Range(0, 3))
    z = Var(bool)

    @thread
    def t(self):
        self.y = choose(range(4))
        if self.y * 4611686018427387904 * 4 > 5:
            self.z = True

    @invariant
    def p(self):
        return not self.z


class InLocal(Model):
    z = Var(Range(0, 6))

    @thread
    def t(self):
        k = choose(1, 2, 3)
        big = k * 4611686018427387904
        bigger = big * 4
        self.z = bigger % 7

    @invariant
    def p(self):
        return self.z != 4


class AtTheEnd(Model):
    """The last words there are."""

    z = Var(Range(2**63 - 8, 2**63 - 1))

    @thread
    def t(self):
        self.z = choose(9223372036854775806, 9223372036854775807)
        self.z = self.z - 1

    @invariant
    def p(self):
        return self.z <= 9223372036854775805


class Beyond(Model):
    z = Var(Range(2**70, 2**70 + 8))

    @thread
    def t(self):
        self.z = self.z + choose_one
        self.z = self.z + 2

    @invariant
    def p(self):
        return self.z % 4 != 3


choose_one = 1


class Compared(Model):
    """What is compared with a number that is not a word."""

    y = Var(Range(0, 3))
    z = Var(bool)

    @thread
    def t(self):
        self.y = choose(range(4))
        if self.y < 9223372036854775808 and self.y > -18446744073709551616:
            self.z = True

    @invariant
    def p(self):
        return not self.z


class Fits(Model):
    """2^62, the largest number that machine code has."""

    y = Var(Range(0, 3))
    z = Var(Range(2**62 - 3, 2**62))

    @thread
    def t(self):
        self.y = choose(range(4))
        self.z = self.y + 4611686018427387901

    @invariant
    def p(self):
        return self.z != 4611686018427387904


@pytest.mark.parametrize(
    ("model", "refused"),
    [(m, True) for m in (InBody, InCondition, InLocal, AtTheEnd, Beyond, Compared)]
    + [(m, False) for m in (InProperty, Fits)],
)
def test_the_same_from_either_engine_or_the_reason(model: type[Model], refused: bool) -> None:
    program = build(model).program
    evaluators = [property_evaluator(program, p).evaluator for p in program.properties]
    told: list[str] = []
    reference = asking.explore(program, evaluators, engine="reference", reductions=NO_REDUCTION)
    native = asking.explore(program, evaluators, engine="native", reductions=NO_REDUCTION, note=told.append)
    assert (native.states, native.violations) == (reference.states, reference.violations)
    assert (REFUSED in told) == refused
    assert (native.engine == "reference") == refused


@pytest.mark.parametrize(
    ("op", "number", "truth"),
    [("slt", 1 << 63, 1), ("sge", 1 << 63, 0), ("sgt", -(1 << 63) - 1, 1), ("eq", 1 << 64, 0), ("ne", 1 << 64, 1)],
)
def test_a_number_that_is_no_word_is_compared_as_it_is(op: str, number: int, truth: int) -> None:
    asm = Asm()
    assert asm.compare(op, "%x", number) == truth
    assert isinstance(asm.compare(op, "%x", 5), str)


def test_a_formula_that_stands_for_many_valuations_is_proved_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dio_mc.engines.native.monitors.MANY", 1)
    program = build(InProperty).program
    evaluators = [property_evaluator(program, p).evaluator for p in program.properties]
    told: list[str] = []
    native = asking.explore(program, evaluators, engine="native", reductions=NO_REDUCTION, note=told.append)
    reference = asking.explore(program, evaluators, engine="reference", reductions=NO_REDUCTION)
    assert told == [REFUSED]
    assert native.violations == reference.violations
