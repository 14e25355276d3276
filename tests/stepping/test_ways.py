"""The steps beside a run against the interpreter, and how they say that properties stand against whole walks."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from random_programs import random_program
from test_walk import at_random, begin_or_none, last, program

from dio_mc.explain.replaying import program_of
from dio_mc.explain.witness import walked
from dio_mc.frontend import build, load_module
from dio_mc.semantics.stop import requested
from dio_mc.stepping.walk import Walk, begin, end_of
from dio_mc.stepping.ways import Position, Ways, ways_beside
from dio_mc.symbolic.evaluator import property_evaluator
from dio_mc.trace.codec import read_trace
from dio_mc.trace.replay import CHOSEN

ROOT = Path(__file__).resolve().parents[2]


def beside(walk: Walk, depth: int = 3, most: int = 1_000) -> Ways:
    evaluators = [property_evaluator(walk.program, p).evaluator for p in walk.program.properties]
    return ways_beside(walk.interpreter, evaluators, walk.states, depth=depth, most=most)


def check_below(walk: Walk, ways: Ways, at: int, far: int, told: list[int]) -> None:
    """Every option of a position is one of the walk's, and leads where that leads."""
    position = ways.positions[at]
    assert position.deadlock == (
        not walk.options and bool(position.waiting) and not all(w.daemon for w in position.waiting)
    )
    if position.ways is None:
        return
    told.append(at)
    assert [w.segment for w in position.ways] == [walk.segment(step) for step in walk.options]
    for way, step in zip(position.ways, walk.options, strict=True):
        assert (way.target is None) == (step.state is None)
        assert (way.fault is None) == (step.fault is None)
        if way.target is not None and far:
            check_below(last(walk, way.segment), ways, way.target, far - 1, told)


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_every_way_is_a_step_of_the_model(seed: int) -> None:
    found = random_program(seed)
    if not begin_or_none(found):
        return
    walk = at_random(found, Random(seed), 6)
    ways = beside(walk, depth=2)
    told: list[int] = []
    back = walk
    for at in reversed(ways.along if not walk.ended else (*ways.along, -1)):
        if at >= 0:
            check_below(back, ways, at, 2, told)
            assert ways.positions[at].ways is not None
        back = back.undone() if back.steps else back
    assert told


def test_properties_stand_as_along_the_whole_walk() -> None:
    """Also of steps, on every way of two steps beside the race of 2006."""
    found = program("seed/ext3_2_6_18.py", "Ext3")
    evaluators = [property_evaluator(found, p).evaluator for p in found.properties]
    walk = last(begin(found), "reader 1-4; mapper *; pdflush")
    ways = beside(walk, depth=2)
    compared = 0
    for first in ways.positions[ways.along[-1]].ways or ():
        assert first.target is not None
        for second in ways.positions[first.target].ways or ():
            longer = last(walk, f"{first.segment}; {second.segment}")
            trace = walked(longer.interpreter, longer.violation(CHOSEN), evaluators)
            number = len(trace.steps)
            at = {s.property for s in trace.standings if number in s.at}
            assert second.target is not None
            assert at == {*second.at, *ways.positions[second.target].at}
            compared += bool(second.at)
            compared += bool(first.at)
    assert compared, "one of these steps fills the hole"


def distances(ways: Ways) -> dict[int, int]:
    far = dict.fromkeys(ways.along, 0)
    for at, position in enumerate(ways.positions):
        for way in position.ways or ():
            if way.target is not None:
                far.setdefault(way.target, far[at] + 1)
    return far


def test_what_is_known_ends_at_the_depth_and_says_so_at_a_bound() -> None:
    walk = last(begin(program("toys/philosophers.py", "Philosophers")), "philosopher[0]")
    deep = beside(walk, depth=3)
    assert not deep.cut
    far = distances(deep)
    assert set(far) == set(range(len(deep.positions)))
    assert max(far.values()) == 3
    assert {n for n, p in enumerate(deep.positions) if p.ways is None} == {n for n in far if far[n] == 3}
    few = beside(walk, depth=3, most=8)
    assert few.cut
    assert all(few.positions[n].ways is not None for n in few.along)
    assert len(few.positions) < len(deep.positions)


def test_a_limit_leaves_what_is_found() -> None:
    walk = last(begin(program("toys/philosophers.py", "Philosophers")), "philosopher[0]")
    found = ways_beside(walk.interpreter, [], walk.states, exceeded=lambda: requested("interrupted"))
    assert found.cut
    assert [found.positions[n].ways is not None for n in found.along] == [True, True]


TOGGLE = """
from dio_mc import Model, Var, thread

class Toggle(Model):
    x = Var(bool)

    @thread
    def forever(self):
        while True:
            self.x = not self.x
"""


def test_a_run_that_comes_back_has_one_position_for_one_state(tmp_path: Path) -> None:
    (tmp_path / "toggle.py").write_text(TOGGLE)
    found = build(load_module(tmp_path / "toggle.py").models[0]).program
    walk = last(begin(found), "forever 5")
    ways = beside(walk)
    assert ways.along[:2] == ways.along[2:4] == ways.along[4:]
    assert len(ways.positions) == 2


def test_a_fault_leads_nowhere() -> None:
    run = next(t for p in sorted((ROOT / "counterexamples").rglob("*.json")) if (t := read_trace(p)).final_fault)
    found = program_of(run, "", str(ROOT / run.model.file), None)
    walk = end_of(found, run)
    ways = ways_beside(walk.interpreter, [], walk.states)
    last_position: Position = ways.positions[ways.along[-1]]
    assert [w.target for w in last_position.ways or () if w.fault is not None] != []
    assert all((w.target is None) == (w.fault is not None) for w in last_position.ways or ())


def test_along_a_counterexample_properties_stand_as_it_says() -> None:
    for name in ("no_stale_exposure", "new_data_can_be_read"):
        trace = read_trace(ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / f"{name}.json")
        walk = end_of(program("seed/ext3_2_6_18.py", "Ext3"), trace)
        ways = beside(walk, depth=0)
        found = [set(ways.positions[at].at) for at in ways.along]
        kept = [s for s in trace.standings if s.kind != "step"]
        assert found == [{s.property for s in kept if n in s.at} for n in range(len(trace.steps) + 1)]
        assert name in found[-1]
