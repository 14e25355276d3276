"""Where the canonical schedule cannot be had, by either engine, a shortest one is shown with a label that says so."""

import asking
import pytest

from dio_mc import Array, Model, Param, Range, Var, invariant, thread
from dio_mc.analysis.symmetry.proof import find_symmetry
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.engines import shaping
from dio_mc.engines.native import counterexample
from dio_mc.engines.reference import engine as reference
from dio_mc.frontend import build
from dio_mc.symbolic.judge import judge_property
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
    judges = [judge_property(program, one).judge for one in program.properties]
    symmetry = find_symmetry(program) if symmetric else None
    representatives = Representatives(program, symmetry) if symmetry else None
    expected = {one.property: one for one in asking.explore_reference(program, judges).violations}
    if engine == "native":
        monkeypatch.setattr(counterexample, "MOST", 2)
        monkeypatch.setattr(shaping, "canonical_paths", None)  # nobody asks for it
        found = asking.native(program, judges, representatives=representatives, quick=True)
    else:

        def no_time(*_: object) -> None:
            raise MemoryError

        monkeypatch.setattr(reference, "canonical_paths", no_time)
        found = asking.explore_reference(program, judges, representatives=representatives)
    assert {one.property for one in found.violations} == set(expected) == {"never_all", "steps"}
    for one in found.violations:
        assert not one.canonical
        assert len(one.schedule) == len(expected[one.property].schedule)
        assert len(build_trace(program, one, engine=engine).steps) == len(one.schedule), "it can be replayed"
