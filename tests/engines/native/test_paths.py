"""Canonical counterexamples in machine code are those of the reference engine: where more threads than a word has bits
matter, where representatives are found by sorting and by trying, where a level is looked at in many parts."""

import asking
import pytest

from dio_mc import Array, Model, Range, ThreadId, Var, atomic, invariant, me, thread, wait_until
from dio_mc.analysis.symmetry.proof import find_symmetry
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.engines.native import counterexample
from dio_mc.frontend import build
from dio_mc.symbolic.evaluator import property_evaluator


class Crowd(Model):
    """Two steps are enough, and only the last two threads can make both."""

    n = Var(Range(0, 2))

    @thread(instances=67)
    def one(self, i):
        with atomic():
            wait_until(self.n < 1)
            self.n += 1
        with atomic():
            wait_until(self.n < 2 and i >= 65)
            self.n += 1

    @invariant
    def never_two(self):
        return self.n < 2

    @invariant
    def no_second_step(self, after):
        return not (self.n == 1 and after.n == 2)


class Sorted(Model):
    """Two threads for each element, to be sorted together."""

    c = Array(Range(0, 2), size=3)
    done = Array(bool, size=3)

    @thread(instances=3)
    def up(self, i):
        self.c[i] += 1
        self.c[i] += 1

    @thread(instances=3)
    def close(self, i):
        wait_until(self.c[i] == 1)
        self.done[i] = True

    @invariant
    def never_all(self):
        return not all(self.done[i] and self.c[i] == 2 for i in range(3))

    @invariant
    def never_last(self, after):
        return sum(after.done[i] for i in range(3)) < 3


class Tried(Model):
    """A local names another thread, and so every permutation is tried."""

    turn = Var(ThreadId | None)
    c = Array(Range(0, 3), size=3)

    @thread(instances=3)
    def play(self, i):
        self.turn = me
        before = self.turn
        self.c[i] += 1
        wait_until(self.turn != before)
        self.c[i] += 1

    @invariant
    def never_two(self):
        return sum(self.c[i] == 2 for i in range(3)) < 2

    @invariant
    def never_late(self, after):
        return sum(after.c[i] for i in range(3)) < 4


def same(program, evaluators, **how) -> None:
    expected = {one.property: one for one in asking.explore_reference(program, evaluators).violations}
    found = {one.property: one for one in asking.native(program, evaluators, quick=True, **how).violations}
    assert set(expected) >= {evaluator.property.name for evaluator in evaluators}
    assert found == expected


@pytest.mark.parametrize("scanned", [5, 1 << 16])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("model", [Sorted, Tried])
def test_the_same_schedule(model, symmetric, scanned, monkeypatch):
    monkeypatch.setattr(counterexample, "SCANNED", scanned)
    program = build(model).program
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    representatives = Representatives(program, find_symmetry(program)) if symmetric else None
    if representatives is not None:
        assert (len(representatives.tried) > 1) == (model is Tried)
    for workers in (1, 2):
        same(program, evaluators, workers=workers, representatives=representatives)


def test_more_threads_than_a_word_has_bits():
    program = build(Crowd).program
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    same(program, evaluators)
    asked = {evaluator.property.name for evaluator in evaluators}
    found = [one for one in asking.native(program, evaluators, quick=True).violations if one.property in asked]
    assert [one.schedule[0].thread for one in found] == [65, 65]
