"""Where the canonical schedule cannot be had, by either engine, a shortest one is shown with a label that says so."""

import asking
import pytest

from dio_mc import Array, Model, Param, Range, Var, invariant, thread
from dio_mc.analysis.symmetry.proof import find_symmetry
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.engines import shaping
from dio_mc.engines.native import counterexample
from dio_mc.engines.native import engine as native
from dio_mc.engines.reference import engine as reference
from dio_mc.frontend import build
from dio_mc.semantics.stop import Stop, StopKind
from dio_mc.symbolic.evaluator import property_evaluator
from dio_mc.trace.replay import build_trace


class Counters(Model):
    """Counters side by side: every order of their steps is a shortest schedule."""

    n = Param(3, min=1, max=5)
    k = Param(3, min=1, max=9)
    c = Array(Range(0, k), size=n)
    late = Var(bool)

    @thread(instances=n)
    def up(self, i):
        while self.c[i] < self.k:
            self.c[i] += 1

    @thread
    def last(self):
        self.late = True

    @invariant
    def never_all(self):
        return not all(self.c[i] == self.k for i in range(self.n))

    @invariant
    def steps(self, after):
        return after.c[0] < 2


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_the_schedule_is_a_shortest_one_and_says_that_it_is_not_canonical(engine, symmetric, monkeypatch):
    program = build(Counters).program
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    symmetry = find_symmetry(program) if symmetric else None
    representatives = Representatives(program, symmetry) if symmetry else None
    expected = {one.property: one for one in asking.explore_reference(program, evaluators).violations}
    if engine == "native":
        monkeypatch.setattr(shaping, "best_path", no_time)
        found = asking.native(program, evaluators, representatives=representatives, quick=True)
    else:
        monkeypatch.setattr(reference, "canonical_paths", no_time)
        found = asking.explore_reference(program, evaluators, representatives=representatives)
    assert {one.property for one in found.violations} == set(expected) == {"never_all", "steps"}
    assert_shortest(program, found, expected)


def no_time(*_: object) -> None:
    raise MemoryError


def assert_shortest(program, found, expected) -> None:
    """Shortest schedules that can be replayed, and none of them canonical."""
    for one in found.violations:
        assert not one.canonical
        assert len(one.schedule) == len(expected[one.property].schedule)
        assert len(build_trace(program, one, engine=found.engine).steps) == len(one.schedule), "it can be replayed"


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("kind", [StopKind.TIMEOUT, StopKind.MAX_MEMORY])
def test_a_limit_met_on_the_way_back_leaves_one_state_per_level(kind, symmetric, monkeypatch):
    program = build(Counters).program
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    symmetry = find_symmetry(program) if symmetric else None
    representatives = Representatives(program, symmetry) if symmetry else None
    expected = {one.property: one for one in asking.explore_reference(program, evaluators).violations}
    monkeypatch.setattr(counterexample, "PAUSE", 0)
    monkeypatch.setattr(counterexample, "SCANNED", 8)
    monkeypatch.setattr(native.Moment, "pressed", lambda _: Stop(kind, 1))
    kept = []
    reach = native.reach
    monkeypatch.setattr(native, "reach", lambda *args: kept.append(reach(*args)) or kept[-1])
    found = asking.native(program, evaluators, representatives=representatives, quick=True)
    assert {one.property for one in found.violations} == set(expected) == {"never_all", "steps"}
    assert {level.count for one in kept for level in one.levels} == {1}
    assert_shortest(program, found, expected)


def test_of_too_many_steps_that_violate_one_is_asked_for(monkeypatch):
    program = build(Counters).program
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    expected = {one.property: one for one in asking.explore_reference(program, evaluators).violations}
    monkeypatch.setattr(counterexample, "MOST", 0)
    found = {one.property: one for one in asking.native(program, evaluators, quick=True).violations}
    assert found["never_all"] == expected["never_all"]
    assert not found["steps"].canonical
    assert len(found["steps"].schedule) == len(expected["steps"].schedule)
