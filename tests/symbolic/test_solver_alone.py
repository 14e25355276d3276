"""What only z3 can say: quantifiers, bit-vectors, uninterpreted functions, and what z3 does not know."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plain import built, judged, prop, table
from z3 import And, BitVecVal, Exists, ForAll, Function, Implies, Int, Int2BV, Ints, IntSort, Not, Or, Sum

from dio_mc import Array, Model, Param, Range, Var, invariant, thread
from dio_mc.ir.expr import Compare, Const, Load
from dio_mc.ir.expr import Not as Not_
from dio_mc.ir.types import RangeType
from dio_mc.semantics.evaluator import Decision
from dio_mc.symbolic import translate
from dio_mc.symbolic.evaluator import property_evaluator

i, j, k = Ints("i j k")
f = Function("f", IntSort(), IntSort())


def even(n):
    return Exists([k], 2 * k == n)


class Solver(Model):
    n = Param(3)
    x = Var(Range(0, 5))
    y = Var(Range(0, 5))
    flag = Var(bool)
    a = Array(Range(0, 3), size=n)

    @thread
    def worker(self):
        self.x = 1

    def is_even(self):
        return even(self.x)

    @invariant
    def quantified(self):
        return ForAll([i], Implies(And(i >= 0, i < self.x), i * i < 10))

    @invariant
    def mixed(self):
        return not self.flag or (even(self.x) and self.x != 4)

    @invariant
    def by_method(self):
        return self.is_even()

    @invariant
    def bits(self):
        return Int2BV(self.x, 3) & BitVecVal(5, 3) == BitVecVal(4, 3)

    @invariant
    def uninterpreted(self):
        return Implies(ForAll([i], f(i) >= i), f(self.x) >= self.y)

    @invariant
    def summed(self):
        return Sum([self.a[index] for index in range(self.n)]) <= 6

    @invariant
    def summed_array(self):
        return Sum(self.a) <= 6

    @invariant
    def open_symbol(self):
        return Int("free") + self.x != 3

    @invariant
    def negative_divisors(self):
        return Exists([i], i == self.x) and self.x // -2 == -2 and self.x % -2 == -1 and (self.x - 9) // 2 == -3

    @invariant
    def vacuous(self):
        return Implies(even(self.x) and self.flag, Or(self.y == 1, Not(Exists([i], i * i == self.y))))

    @invariant
    def hard(self):
        return Not(Exists([i, j, k], i * i * i + j * j * j + k * k * k == 114 + 900 * self.x))

    @invariant
    def wrong_argument(self):
        return ForAll([i], Implies(i == self.worker, self.flag))

    @invariant
    def no_source(self):
        return And(Exists([i], i > self.x), (lambda v: v)(self.flag))


CASES = [
    ("quantified", lambda x: x <= 4),
    ("mixed", lambda x, flag: not flag or (x % 2 == 0 and x != 4)),
    ("by_method", lambda x: x % 2 == 0),
    ("bits", lambda x: x & 5 == 4),
    ("uninterpreted", lambda x, y: x >= y),
    ("summed", lambda *a: sum(a) <= 6),
    ("summed_array", lambda *a: sum(a) <= 6),
    ("open_symbol", lambda x: False),
    ("negative_divisors", lambda x: x // -2 == -2 and x % -2 == -1 and (x - 9) // 2 == -3),
]


@pytest.mark.parametrize(("name", "predicate"), CASES)
def test_the_solver_decides_valuations(name, predicate) -> None:
    program = built(Solver)
    assert prop(program, name).expr is None
    report = property_evaluator(program, prop(program, name))
    assert not report.proved
    assert report.words == "decided by the solver, valuation by valuation"
    for valuation, decision in table(program, report).items():
        assert decision is (Decision.HOLDS if predicate(*valuation) else Decision.VIOLATED), valuation


def test_the_reason_is_told_with_its_place() -> None:
    (finding,) = judged(Solver, "quantified").findings
    assert finding.code == "DIO314"
    assert finding.message == "`quantified` is decided by the solver alone: it uses `ForAll` of z3"
    assert finding.span is not None
    assert finding.span.file.endswith("test_solver_alone.py")


def test_unknown_is_an_answer_of_its_own() -> None:
    evaluator = judged(Solver, "hard", budget_ms=1).evaluator
    assert evaluator.decide([(0,)]) == [Decision.UNKNOWN]


def test_the_budget_is_counted_in_steps_of_the_solver() -> None:
    answers = [judged(Solver, "hard", budget_ms=2).evaluator.decide([(n,) for n in range(3)]) for _ in range(2)]
    assert answers[0] == answers[1]


def test_behind_the_limit_of_questions_nothing_is_known() -> None:
    evaluator = judged(Solver, "quantified", max_questions=2).evaluator
    assert evaluator.decide([(1,), (2,), (3,), (5,)]) == [
        *(Decision.HOLDS, Decision.HOLDS, Decision.UNKNOWN, Decision.UNKNOWN)
    ]


def test_what_simplifying_decides_costs_no_question() -> None:
    evaluator = judged(Solver, "bits", max_questions=0).evaluator
    assert Decision.UNKNOWN not in evaluator.decide([(n,) for n in range(6)])


def test_wall_time_bounds_the_solver() -> None:
    evaluator = judged(Solver, "quantified", wall=0.0).evaluator
    assert evaluator.decide([(3,)]) == [Decision.UNKNOWN]


def test_premises_are_watched_by_the_solver_too() -> None:
    evaluator = judged(Solver, "vacuous").evaluator
    names = [p.name for p in evaluator.observations]
    assert names == ["x", "y", "flag"]
    evaluator.decide([(2, 1, 0), (3, 1, 1)])
    assert [held for _, held in evaluator.premises()] == [False]
    assert [f.code for f in evaluator.findings_after()] == ["DIO313"]
    evaluator.decide([(2, 1, 1)])
    assert [held for _, held in evaluator.premises()] == [True]
    assert evaluator.findings_after() == []


class Bounded(Model):
    x = Var(Range(0, 3))

    @thread
    def worker(self):
        self.x = 1

    @invariant
    def small(self):
        return self.x < 3


def test_the_compiled_form_is_not_used_without_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    program = built(Bounded)
    number = RangeType(0, 3)
    other = Not_(Compare("==", Load(0, (), number, True), Const(3, number)))  # the same, if one knows the bounds
    property_ = replace(prop(program, "small"), expr=other)
    assert property_evaluator(program, property_).proved
    monkeypatch.setattr(translate, "model_of", lambda *_: None)
    report = property_evaluator(program, property_, budget_ms=7)
    assert not report.proved
    assert [f.message for f in report.findings] == [
        "`small` is decided by the solver alone: z3 could not prove its compiled form equivalent within its budget "
        "(7 ms)"
    ]
    assert report.evaluator.decide([(2,), (3,)]) == [Decision.HOLDS, Decision.VIOLATED]
