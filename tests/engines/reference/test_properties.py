"""How evaluators are asked, and what is made of their answers."""

import pytest
from asking import explore_reference as explore
from ir_builder import (
    DIGIT,
    END,
    FILE,
    at,
    block,
    cell,
    check,
    equal,
    evaluator,
    load,
    local,
    number,
    observation,
    own,
    plus,
    program,
    put,
    straight,
    template,
    variable,
    wait,
)

from dio_mc.errors import InternalError
from dio_mc.ir.expr import AtLocation, LocalOf
from dio_mc.ir.ops import Check, Choose, Option
from dio_mc.ir.types import RangeType
from dio_mc.semantics.evaluator import Observation
from dio_mc.semantics.search import Violation
from dio_mc.semantics.step import Action, fault_name
from dio_mc.source import Span


def counting(top: int = 4):
    """One thread counts a from 0 to `top`; b never changes."""
    steps = [put(cell(0), plus(load(0), 1)) for _ in range(top)]
    return program([variable("a"), variable("b", init=7)], [straight(*steps)])


def run_of(length: int) -> tuple[Action, ...]:
    return tuple(Action(0, n) for n in range(1, length + 1))


def test_an_invariant_and_where_it_first_fails():
    made = counting()
    seen = evaluator("low", lambda a, b: a < 2, observation(made, "a"), observation(made, "b"))
    found = explore(made, [seen])
    assert found.violations == (Violation("low", 0, run_of(2), 0),)
    assert (found.states, found.complete, found.unknown) == (5, True, ())


def test_each_valuation_is_asked_once_in_a_batch_per_level():
    same = straight(put(cell(0), plus(load(0), 1)), put(cell(0), plus(load(0), 1)))
    made = program([variable("a"), variable("b", RangeType(0, 2), any_init=True)], [same], [2])
    both, one = evaluator("both", lambda a, b: True, observation(made, "a"), observation(made, "b")), None
    one = evaluator("one", lambda a: True, observation(made, "a"))
    explore(made, [both, one])
    assert both.batches == [[(a, b) for b in range(3)] for a in range(5)]
    assert one.batches == [[(a,)] for a in range(5)]


def test_valuations_are_asked_after_a_violation_too():
    made = counting()
    seen = evaluator("low", lambda a: a < 2, observation(made, "a"))
    explore(made, [seen])
    assert seen.batches == [[(0,)], [(1,)], [(2,)], [(3,)], [(4,)]]


def test_a_property_that_reads_nothing():
    made = counting()
    seen = evaluator("never", lambda: False)
    assert explore(made, [seen]).violations == (Violation("never", 0, (), 0),)
    assert seen.batches == [[()]]


def test_unknown_is_no_violation_and_spoils_completeness():
    made = counting()
    seen = evaluator("unsure", lambda a: None if a == 3 else True, observation(made, "a"))
    found = explore(made, [seen])
    assert (found.violations, found.unknown, found.stopped, found.complete) == ((), ("unsure",), None, False)


def test_a_witness_is_where_a_reachable_property_holds():
    made = counting()
    hit = evaluator("three", lambda a: a == 3, observation(made, "a"), kind="reachable")
    miss = evaluator("nine", lambda a: a == 9, observation(made, "a"), kind="reachable")
    found = explore(made, [miss, hit], first=True)
    assert found.violations == (Violation("three", 0, run_of(3), 0),)
    assert found.stopped is None, "a witness is no reason to stop at the first violation"


def test_an_atom_is_a_value_like_any_other():
    made = counting()
    ended = Observation("finished(t)", None, AtLocation(0, frozenset({0})))
    seen = evaluator("early", lambda over, a: not over or a != 4, ended, observation(made, "a"))
    assert explore(made, [seen]).violations == (Violation("early", 0, run_of(4), 0),)
    assert seen.batches[0] == [(0, 0)]
    assert seen.batches[-1] == [(1, 4)]


def test_a_step_property_is_judged_on_every_edge():
    body = template(block(put(own(0), 1), to=1, location=1), block(put(cell(0), 5), to=END, location=2),
                    locals_=[(DIGIT, 0)])  # fmt: skip
    made = program([variable("a", init=3)], [body])
    seen = evaluator(
        "same", lambda x, y: x == y, observation(made, "a"), observation(made, "a", after=True), kind="step"
    )
    found = explore(made, [seen])
    assert seen.batches == [[(3, 3)], [(3, 5)]]
    assert found.violations == (Violation("same", 0, run_of(2), 0),)


def test_a_step_property_sees_self_loops_and_edges_to_known_states():
    flip = template(block(put(cell(0), 0), to=0, location=1), daemon=True, name="zero")
    rise = template(block(wait(equal(load(0), 0)), put(cell(0), 1), to=0, location=1), daemon=True, name="rise")
    made = program([variable("a")], [flip, rise])
    seen = evaluator("up", lambda x, y: x != y, observation(made, "a"), observation(made, "a", after=True), kind="step")
    down = evaluator(
        "down", lambda x, y: y >= x, observation(made, "a"), observation(made, "a", after=True), kind="step"
    )
    found = explore(made, [seen, down])
    assert found.violations == (
        Violation("up", 0, (Action(0, 1),), 0),
        Violation("down", 0, (Action(1, 1), Action(0, 1)), 1),
    )


def test_atoms_of_a_step_before_and_behind_it():
    made = counting(2)
    inside = AtLocation(0, frozenset({2}))
    before, later = Observation("inside", None, inside), Observation("inside", None, inside, after=True)
    spelled = Observation("after.inside", None, AtLocation(0, frozenset({2}), after=True), after=True)
    seen = evaluator("step", lambda *_: True, before, later, spelled, observation(made, "a", after=True), kind="step")
    explore(made, [seen])
    assert seen.batches == [[(0, 1, 1, 1)], [(1, 0, 0, 2)]]


def test_locals_latched_by_a_region_can_be_probed():
    body = straight(put(own(0), 6), put(cell(0), local(0)), locals_=[(DIGIT, 2)])
    made = program([variable("a")], [body])
    seen = evaluator("latched", lambda _: True, Observation("x", None, LocalOf(0, 0, DIGIT)))
    explore(made, [seen])
    assert seen.batches == [[(2,)], [(6,)]]


def test_faults_are_properties_named_by_kind_and_line():
    body = straight(check(equal(load(0), 1), "no", line=41), name="one")
    other = Span("/elsewhere/locks.py", 9, 1, 9, 2)
    stranger = straight(Check(equal(load(0), 1), "lock_misuse", "stranger", other), name="two")
    late = straight(put(cell(0), 0), check(equal(load(0), 1), "late", line=7), name="three")
    found = explore(program([variable("a")], [late, stranger, body]), [])
    assert [(v.property, v.schedule, v.fault.message) for v in found.violations if v.fault] == [
        ("assertion@7", (Action(0, 1), Action(0, 2)), "late"),
        ("assertion@41", (Action(2, 1),), "no"),
        ("lock_misuse@locks:9", (Action(1, 1),), "stranger"),
    ]
    assert fault_name("index", at(3), FILE) == "index@3"
    assert found.transitions == 1
    assert found.coverage.fired == {(0, 1), (0, 2), (1, 1), (2, 1)}


def test_a_fault_does_not_stop_other_choices():
    body = straight(Choose(cell(0, type_=RangeType(0, 3)), (Option(number(4)), Option(number(2)))))
    found = explore(program([variable("a", RangeType(0, 3))], [body]), [])
    assert (found.states, found.transitions) == (2, 1)
    assert found.violations[0].schedule == (Action(0, 1, (0,)),)
    assert found.violations[0].property == "range"


def test_a_fault_in_a_prefix_is_a_violation_without_a_step():
    small = RangeType(0, 2)
    bad = template(block(check(equal(load(0, type_=small), 0), "not 0", line=33), to=1), block(to=END, location=1))
    found = explore(program([variable("a", small, any_init=True)], [bad]), [])
    (violation,) = found.violations
    assert (violation.property, violation.initial, violation.schedule) == ("assertion@33", 1, ())
    assert violation.fault.message == "not 0"
    assert found.states == 2
    stopped = explore(program([variable("a", small, any_init=True)], [bad]), [], first=True)
    assert (str(stopped.stopped), stopped.states, stopped.open) == ("--first", 1, 1)


def test_violations_come_in_the_order_of_judges_then_deadlock_then_faults():
    stuck = straight([check(equal(load(0), 0), "x", line=2), put(cell(0), 1)], wait(equal(load(0), 9)))
    made = program([variable("a")], [stuck], [2])
    z, a = (
        evaluator("z", lambda a: a == 0, observation(made, "a")),
        evaluator("a", lambda a: a == 0, observation(made, "a")),
    )
    names = [v.property for v in explore(made, [z, a]).violations]
    assert names == ["z", "a", "assertion@2"]
    loose = program([variable("a")], [straight(put(cell(0), 1), wait(equal(load(0), 9)))])
    names = [v.property for v in explore(loose, [z]).violations]
    assert names == ["z", "deadlock"]


def test_first_ends_with_the_level_of_the_first_violation():
    made = counting()
    low = evaluator("low", lambda a: a < 2, observation(made, "a"))
    lower = evaluator("lower", lambda a: a < 3, observation(made, "a"))
    found = explore(made, [lower, low], first=True)
    assert [v.property for v in found.violations] == ["low"]
    assert (found.states, found.depth, found.open, str(found.stopped)) == (3, 2, 1, "--first")
    last = evaluator("last", lambda a: a < 4, observation(made, "a"))
    found = explore(made, [last], first=True)
    assert (found.states, len(found.violations), str(found.stopped)) == (5, 1, "--first"), (
        "the last state is not expanded"
    )


def test_a_judge_that_answers_short_is_an_internal_error():
    made = counting()
    short = evaluator("short", lambda a: True, observation(made, "a"))
    short.decide = lambda valuations: []
    with pytest.raises(InternalError, match="short"):
        explore(made, [short])


@pytest.mark.parametrize("kind", ["invariant", "reachable"])
def test_a_state_property_cannot_read_the_state_behind_a_step(kind):
    made = counting()
    with pytest.raises(InternalError, match="after a step"):
        explore(made, [evaluator("wrong", lambda a: True, observation(made, "a", after=True), kind=kind)])


def test_a_probe_of_nothing_is_an_internal_error():
    with pytest.raises(InternalError, match="reads nothing"):
        explore(counting(), [evaluator("wrong", lambda a: True, Observation("nothing", None))])
