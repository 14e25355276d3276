"""Triviality before exploring, vacuity after, and translations that are made to differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plain import built, judged, prop
from z3 import Implies

from dio_mc import Array, Model, Range, Var, invariant, operation, reachable, thread, window
from dio_mc.errors import InternalError, ModelError
from dio_mc.ir.expr import Compare, Const, Load, Not
from dio_mc.ir.types import RangeType
from dio_mc.semantics.evaluator import Decision
from dio_mc.symbolic import crosscheck, evaluator
from dio_mc.symbolic.errors import FormulaError, TranslationMismatch
from dio_mc.symbolic.evaluator import property_evaluator


class Model1(Model):
    x = Var(Range(0, 3))
    y = Var(Range(0, 3))
    flag = Var(bool)
    a = Array(Range(0, 3), size=2)

    @thread
    def worker(self):
        self.work(0)
        self.x = 2

    @operation()
    def work(self, index):
        with window("busy"):
            self.x = 1
            self.y = 1

    @invariant
    def fine(self):
        return self.x < 3

    @invariant
    def always(self):
        return self.x < 4 or self.flag

    @invariant
    def never(self):
        return self.x > self.y and self.y > self.x

    @reachable
    def unreachable(self):
        return self.x == 1 and self.x == 2

    @invariant
    def step_always(self, after):
        return after.x >= 0

    @invariant
    def premise_impossible(self):
        return Implies(self.x > 3, self.flag) and self.y < 3

    @invariant
    def some_instance_possible(self):
        return all(Implies(self.a[i] > 3 - i, self.flag) for i in range(2))

    @invariant
    def nothing_to_say(self):
        return all(self.a[i] == 0 for i in range(0))

    @invariant
    def two_premises(self):
        return all(Implies(self.a[i] == 1, self.flag) for i in range(2)) and Implies(self.x == 2, self.y == 2)

    @invariant
    def inside_and_finished(self):
        return not (self.inside("busy") and self.finished(self.worker))

    @invariant
    def by_thread(self):
        return Implies(self.inside("busy", index=0), self.inside(self.work))


CODES = [
    ("fine", []),
    ("always", ["DIO310"]),
    ("never", ["DIO311"]),
    ("unreachable", ["DIO311"]),
    ("step_always", ["DIO310"]),
    ("premise_impossible", ["DIO312"]),
    ("some_instance_possible", []),
    ("nothing_to_say", ["DIO310"]),
    ("two_premises", []),
    ("inside_and_finished", ["DIO310"]),
    ("by_thread", ["DIO310"]),
]


@pytest.mark.parametrize(("name", "codes"), CODES)
def test_what_is_trivial_is_told(name: str, codes: list[str]) -> None:
    report = judged(Model1, name)
    assert [f.code for f in report.findings] == codes
    assert report.proved


def test_a_premise_that_cannot_hold_has_its_own_place_and_is_told_once() -> None:
    report = judged(Model1, "premise_impossible")
    (finding,) = report.findings
    assert finding.span is not None
    assert finding.span.column > 10
    report.evaluator.decide([(0, 0, 0)])
    assert [held for _, held in report.evaluator.premises()] == [False]
    assert report.evaluator.findings_after() == []


def test_a_premise_is_held_when_one_instance_of_it_was() -> None:
    evaluator_ = judged(Model1, "two_premises").evaluator
    names = [p.name for p in evaluator_.observations]
    assert names == ["x", "y", "flag", "a[0]", "a[1]"]
    evaluator_.decide([(0, 0, 0, 0, 2)])
    assert [held for _, held in evaluator_.premises()] == [False, False]
    evaluator_.decide([(0, 0, 1, 0, 1)])
    assert [held for _, held in evaluator_.premises()] == [True, False]
    assert [f.code for f in evaluator_.findings_after()] == ["DIO313"]
    evaluator_.decide([(2, 0, 1, 0, 0)])
    assert [held for _, held in evaluator_.premises()] == [True, True]
    assert evaluator_.findings_after() == []


# --- translations that differ -----------------------------------------------------------------------------------------


def test_a_wrong_compiled_form_is_an_internal_error_with_a_valuation() -> None:
    program = built(Model1)
    right = prop(program, "fine")
    number = RangeType(0, 3)
    wrong = replace(right, expr=Compare("<=", Load(0, (), number, True), Const(3, number)))
    with pytest.raises(TranslationMismatch) as caught:
        property_evaluator(program, wrong)
    assert isinstance(caught.value, InternalError)
    assert caught.value.exit_code == 4
    assert caught.value.message == ("two translations of fine differ: the compiled form is True, the formula False")
    assert caught.value.details == ["x = 3"]


def test_a_wrong_proposition_is_a_mismatch() -> None:
    program = built(Model1)
    right = prop(program, "inside_and_finished")
    assert right.expr is not None
    with pytest.raises(TranslationMismatch):
        property_evaluator(program, replace(right, expr=Not(right.expr)))


def test_a_wrong_index_is_a_mismatch() -> None:
    class Indexed(Model):
        x = Var(Range(0, 5))
        a = Array(Range(0, 3), size=2)

        @thread
        def worker(self):
            self.x = 1

        @invariant
        def small(self):
            return self.a[self.x] < 3

    program = built(Indexed)
    right = prop(program, "small")
    assert property_evaluator(program, right).proved
    number = RangeType(0, 3)
    low = Const(0, RangeType(0, 0))
    first = Compare("<", Load(1, (low,), number, True), Const(3, number))
    with pytest.raises(TranslationMismatch):
        property_evaluator(program, replace(right, expr=first))


def test_a_property_that_is_compiled_but_no_formula_is_an_internal_error() -> None:
    program = built(Model1)

    def odd(self):
        return self.x

    with pytest.raises(TranslationMismatch, match="is compiled, but is not a formula"):
        property_evaluator(program, replace(prop(program, "fine"), function=odd))
    with pytest.raises(FormulaError) as caught:
        property_evaluator(program, replace(prop(program, "fine"), function=odd, expr=None))
    assert isinstance(caught.value, ModelError)
    assert caught.value.diagnostics[0].code == "DIO103"


@pytest.mark.parametrize("whole", [1 << 14, 0])
def test_a_wrong_compiled_function_is_found(monkeypatch: pytest.MonkeyPatch, whole: int) -> None:
    real = evaluator.compile_node
    monkeypatch.setattr(evaluator, "compile_node", lambda *a: lambda v: v == (3,) or real(*a)(v))
    monkeypatch.setattr(crosscheck, "WHOLE", whole)
    with pytest.raises(TranslationMismatch) as caught:
        judged(Model1, "fine")
    assert caught.value.details == ["x = 3"]
    assert "the compiled form of fine says True, z3 the opposite" in str(caught.value)


def test_a_large_domain_is_sampled_and_said_so() -> None:
    class Large(Model):
        a = Array(Range(0, 9), size=6)

        @thread
        def worker(self):
            self.a[0] = 1

        @invariant
        def bounded(self):
            return sum(self.a) <= 50

    report = judged(Large, "bounded")
    assert report.words == "compiled, proved equivalent, compared with z3 on 48 of 1000000 valuations"
    full = judged(Large, "bounded", full=True)
    assert full.checked is not None
    assert full.checked.covered == 4096
    assert report.evaluator.decide([(9,) * 6, (8,) * 6]) == [Decision.VIOLATED, Decision.HOLDS]


def test_a_table_that_does_not_fold_in_time_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crosscheck, "_compare_all", lambda *a: False)
    monkeypatch.setattr(crosscheck, "_ALIKE", {})
    report = judged(Model1, "two_premises")
    assert report.checked is not None
    assert (report.checked.covered, report.checked.domain) == (48, 512)
