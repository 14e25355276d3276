"""Persistent sets: what may be taken alone, what each condition is for, what is refused."""

import pytest
from asking import explore_reference as explore
from independent_models import Pages, Torn, Turning
from ir_builder import (
    END,
    FakeEvaluator,
    block,
    branch,
    cell,
    check,
    equal,
    evaluator,
    less,
    load,
    local,
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

from dio_mc.analysis.partial_order.persistent import PersistentSets, Refused, find_persistent_sets, pays
from dio_mc.frontend import build
from dio_mc.ir.expr import And, AtLocation, Compare, Const, LocalOf
from dio_mc.ir.ops import Spawn
from dio_mc.ir.program import Program
from dio_mc.ir.types import RangeType
from dio_mc.semantics.evaluator import Observation
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import Coverage, Exploration
from dio_mc.symbolic.evaluator import property_evaluator

DIGIT = RangeType(0, 9)


def chosen(made: Program, *evaluators: FakeEvaluator) -> PersistentSets | None:
    try:
        return find_persistent_sets(made, evaluators)
    except Refused:
        return None


def verdicts(found: Exploration) -> tuple[list[str], tuple[str, ...], Coverage]:
    return [v.property for v in found.violations], found.unknown, found.coverage


def agree(made: Program, *evaluators: FakeEvaluator) -> tuple[Exploration, Exploration]:
    """The full and the reduced search: the same is violated, undecided, run."""
    full = explore(made, evaluators)
    reduced = explore(made, evaluators, selection=chosen(made, *evaluators))
    assert verdicts(reduced) == verdicts(full)
    return full, reduced


def writer(variable_: int, *values: int, name: str):
    return straight(*(put(cell(variable_), value) for value in values), name=name)


# -- what is saved -----------------------------------------------------------------------------------------------------


def test_threads_apart_go_one_after_the_other() -> None:
    """n threads of k steps: (k + 1)^n states, and n * k + 1 of one order."""
    names = ["a", "b", "c"]
    made = program([variable(n) for n in names], [writer(v, 1, 2, 3, name=n) for v, n in enumerate(names)])
    full, reduced = agree(made)
    assert (full.states, full.transitions) == (64, 144)
    assert (reduced.states, reduced.transitions, reduced.depth) == (10, 9, 9)
    assert (full.reductions, reduced.reductions) == ((), ("partial order",))


@pytest.mark.parametrize(("writers", "states", "left"), [(2, 25, 10), (3, 125, 17), (4, 625, 28)])
def test_pages_apart(writers: int, states: int, left: int) -> None:
    """Each thread goes alone on its page, 3 n states; at the end, where a property looks, in any order, 2^n."""
    made = build(Pages, {"writers": writers}).program
    evaluators = [property_evaluator(made, p).evaluator for p in made.properties]
    full = explore(made, evaluators)
    reduced = explore(made, evaluators, selection=find_persistent_sets(made, evaluators))
    assert verdicts(reduced) == verdicts(full)
    assert (full.states, reduced.states) == (states, left)


def test_the_first_of_the_smallest_sets_is_taken() -> None:
    """The second has fewer steps than the first; the third has as many."""
    two = straight(choose_a(0), name="two")
    made = program([variable("a"), variable("b"), variable("c")], [two, writer(1, 1, name="b"), writer(2, 1, name="c")])
    sets = chosen(made)
    assert sets is not None
    interpreter = Interpreter(made)
    state = interpreter.initial()[0]
    taken = sets.of(state, interpreter.successors(state))
    assert [step.action.thread for step in taken] == [1]


def choose_a(variable_: int):
    from dio_mc.ir.ops import Choose, Option

    return Choose(cell(variable_), (Option(Const(1, DIGIT)), Option(Const(2, DIGIT))))


def test_it_pays_where_a_quarter_of_a_random_run_can_do_with_fewer_steps() -> None:
    """Two steps of each thread are its own; the more follow that meet those of the other, the less is saved."""
    paying = [meeting for meeting in range(1, 16) if pays_with(meeting)]
    assert paying == list(range(1, 1 + len(paying)))
    assert 0 < len(paying) < 15


def pays_with(meeting: int) -> bool:
    bodies = [
        straight(put(cell(n), 1), put(cell(n), 2), *(put(cell(2), n) for _ in range(meeting)), name=f"t{n}")
        for n in (0, 1)
    ]
    made = program([variable("a"), variable("b"), variable("met")], bodies)
    return pays(find_persistent_sets(made, []), Interpreter(made))


def test_a_program_without_a_start_does_not_pay() -> None:
    """Its prefix fails, so there is no state to try."""
    fails = template(
        block(check(equal(load(0), 1)), check(equal(load(0), 2)), to=1),
        block(put(cell(1), 1), location=1),
        name="fails",
    )
    made = program([variable("a", any_init=True), variable("b"), variable("c")], [fails, writer(2, 1, name="c")])
    assert not pays(find_persistent_sets(made, []), Interpreter(made))


# -- what each condition is for ----------------------------------------------------------------------------------------


def test_a_step_that_a_property_sees_is_not_taken_alone() -> None:
    """Alone, one would be back at 0 before the other moves."""
    made = program([variable("a"), variable("b")], [writer(0, 1, 0, name="a"), writer(1, 1, 0, name="b")])
    both = evaluator("both", lambda a, b: not (a and b), observation(made, "a"), observation(made, "b"))
    assert verdicts(agree(made, both)[0])[0] == ["both"]


def test_nor_is_one_that_a_proposition_sees() -> None:
    made = program([variable("a"), variable("b")], [writer(0, 1, 0, name="a"), writer(1, 1, 0, name="b")])
    atom = And((equal(load(0, total=True), 1), equal(load(1, total=True), 1)))
    assert verdicts(agree(made, evaluator("both", lambda both: not both, Observation("both", None, atom)))[0])[0] == [
        "both"
    ]


def test_nor_is_one_whose_place_a_property_sees() -> None:
    made = program([variable("a"), variable("b")], [writer(0, 1, 1, name="a"), writer(1, 1, 1, name="b")])
    inside = [Observation(f"in {t}", None, AtLocation(t, frozenset({2}))) for t in (0, 1)]
    both = evaluator("both", lambda a, b: not (a and b), *inside)
    assert verdicts(agree(made, both)[0])[0] == ["both"]


def test_nor_one_that_starts_whose_place_it_sees() -> None:
    """The instance never ends: whether the other writes while it is idle is a matter of order."""
    stays = template(block(to=1), block(wait(equal(load(0), 1)), location=1), name="stays", spawned=True)
    other = writer(1, 1, name="other")
    made = program([variable("never"), variable("b")], [straight(Spawn(1, ()), name="first"), stays, other])
    idle = Observation("idle", None, AtLocation(1, frozenset({0})))
    before = evaluator("before", lambda idle, b: idle and b == 1, idle, observation(made, "b"), kind="reachable")
    assert verdicts(agree(made, before)[0])[0] == ["before", "deadlock"]


def test_nor_one_whose_local_it_sees() -> None:
    """Behind its first step a thread holds 1, after its second 0 again."""
    bodies = [
        template(
            block(put(cell(v), 1), put(own(0), 1), to=1, location=1),
            block(put(cell(v), 2), put(own(0), 0), to=2, location=2),
            block(put(cell(v), 3), location=3),
            name=f"t{v}",
            locals_=[(DIGIT, 0)],
        )
        for v in (0, 1)
    ]
    made = program([variable("a"), variable("b")], bodies)
    holds = [Observation(f"x of {t}", None, Compare("==", LocalOf(t, 0, DIGIT), Const(1, DIGIT))) for t in (0, 1)]
    both = evaluator("both", lambda a, b: not (a and b), *holds)
    assert verdicts(agree(made, both)[0])[0] == ["both"]


def test_a_local_that_is_seen_in_a_region_only_is_not_seen_elsewhere() -> None:
    body = template(
        block(put(cell(0), 1), put(own(0), 1), to=1, location=1),
        block(put(cell(0), 2), put(own(0), 2), to=2, location=2),
        block(put(cell(0), 3), location=3),
        name="counts",
        locals_=[(DIGIT, 0)],
    )
    made = program([variable("a"), variable("b")], [body, writer(1, 1, name="b")])
    atom = And((AtLocation(0, frozenset({3})), Compare("==", LocalOf(0, 0, DIGIT), Const(2, DIGIT))))
    sets = chosen(made, evaluator("never", lambda v: not v, Observation("at the end with 2", None, atom)))
    assert sets is not None
    assert {config: access.held for config, access in sets.accesses[0].items()} == {
        (1, 0): False,
        (2, 1): True,
        (3, 2): True,
    }


def test_who_goes_round_for_ever_keeps_nobody_waiting() -> None:
    made = build(Turning).program
    full, reduced = agree(made, *(property_evaluator(made, p).evaluator for p in made.properties))
    assert verdicts(full)[0] == ["good"]
    assert reduced.states == full.states


def test_a_loop_that_control_states_count_is_none() -> None:
    """Three rounds, each from a control state of its own: no cycle, and nothing is held."""
    i = local(0, RangeType(0, 3))
    rounds = template(
        block(to=1),
        block(put(cell(0, i), 1), put(own(0, RangeType(0, 3)), plus(i, 1)), to=3, location=1),
        block(to=END),
        block(to=branch(less(i, 3), 1, 2)),
        locals_=[(RangeType(0, 3), 0)],
        kills={1: ()},
        name="rounds",
    )
    made = program([variable("page", shape=(3,)), variable("b")], [rounds, writer(1, 1, name="b")])
    sets = chosen(made)
    assert sets is not None
    assert not any(access.held for access in sets.accesses[0].values())
    assert agree(made)[1].states < agree(made)[0].states


def test_instances_that_start_each_other_for_ever_are_a_cycle() -> None:
    """No instance has a loop; the two start one another in turn."""
    ball = [
        template(
            block(to=1),
            block(put(cell(n), 1), to=2, location=1),
            block(Spawn(2 - n, ()), location=2),
            name=f"player{n}",
            spawned=True,
        )
        for n in (0, 1)
    ]
    serve = straight(Spawn(1, ()), name="serve")
    late = straight(put(cell(2), 1), name="late")
    made = program([variable("a"), variable("b"), variable("c")], [serve, *ball, late])
    seen = evaluator("seen", lambda c: c == 1, observation(made, "c"), kind="reachable")
    assert verdicts(agree(made, seen)[0])[0] == ["seen"]


def test_who_writes_what_a_member_reads_is_in_the_set() -> None:
    reads = straight(check(equal(load(0), 0)), put(cell(1), 1), name="reads")
    made = program([variable("a"), variable("b")], [reads, writer(0, 1, name="writes")])
    assert verdicts(agree(made)[0])[0] == ["assertion@1"]


def test_who_reads_what_a_member_writes_is_in_the_set() -> None:
    reads = straight(put(cell(1), 1), check(equal(load(0), 1)), name="reads")
    made = program([variable("a"), variable("b")], [writer(0, 1, name="writes"), reads])
    assert verdicts(agree(made)[0])[0] == ["assertion@1"]


def test_who_wakes_a_blocked_member_is_in_the_set() -> None:
    """The first writes what the second reads once the third has let it; the third touches nothing of the first's."""
    second = straight([wait(equal(load(1), 1)), put(cell(2), load(0))], name="second")
    made = program(
        [variable("a", init=2), variable("go"), variable("b")],
        [writer(0, 1, name="first"), second, writer(1, 1, name="third")],
    )
    old = evaluator("old", lambda b: b == 2, observation(made, "b"), kind="reachable")
    assert verdicts(agree(made, old)[0])[0] == ["old"]


def test_a_spawn_meets_the_end_of_an_instance() -> None:
    """One slot: whether it is idle when the second one comes is a matter of order."""
    work = template(block(to=1), block(put(cell(0), 1), location=1), name="work", spawned=True)
    twice = straight(Spawn(1, ()), Spawn(1, ()), name="twice")
    other = straight(put(cell(1), 1), name="other")
    made = program([variable("a"), variable("b")], [twice, work, other])
    assert [name.split("@")[0] for name in verdicts(agree(made)[0])[0]] == ["spawn"]
    full = explore(made, [])
    assert (2, 1) in full.coverage.fired


def test_deadlocks_are_found() -> None:
    one = straight(put(cell(2), 1), [wait(equal(load(0), 0)), put(cell(0), 1)], wait(equal(load(1), 0)), name="one")
    two = straight(put(cell(3), 1), [wait(equal(load(1), 0)), put(cell(1), 1)], wait(equal(load(0), 0)), name="two")
    made = program([variable(n) for n in ("l", "m", "a", "b")], [one, two])
    full, reduced = agree(made)
    assert verdicts(full)[0] == ["deadlock"]
    assert reduced.states < full.states


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("step", "`p` is about single steps"),
        ("progress", "`p` is decided on the graph of all states"),
        ("always_reachable", "`p` is decided on the graph of all states"),
    ],
)
def test_properties_of_more_than_states(kind: str, reason: str) -> None:
    made = program([variable("a"), variable("b")], [writer(0, 1, name="a"), writer(1, 1, name="b")])
    with pytest.raises(Refused) as raised:
        find_persistent_sets(made, [evaluator("p", lambda a: True, observation(made, "a"), kind=kind)])
    assert str(raised.value) == reason


def test_programs_in_which_everything_meets() -> None:
    made = program([variable("a")], [writer(0, 1, name="one"), writer(0, 2, name="two")])
    with pytest.raises(Refused) as raised:
        find_persistent_sets(made, [])
    assert str(raised.value) == "no step is invisible to the properties and independent of some other thread"


def test_a_program_without_threads() -> None:
    with pytest.raises(Refused) as raised:
        find_persistent_sets(program([variable("a")], []), [])
    assert str(raised.value) == "a program without threads"


def test_torn_breaks_what_it_should() -> None:
    made = build(Torn).program
    evaluators = [property_evaluator(made, p).evaluator for p in made.properties]
    full = explore(made, evaluators)
    assert verdicts(explore(made, evaluators, selection=find_persistent_sets(made, evaluators))) == verdicts(full)
    assert verdicts(full)[0] == ["not_all"]


def pairs(count: int) -> Program:
    """So many pairs of threads; each shares three cells, and touches each of them in a step of its own."""
    bodies = []
    for first in range(0, 3 * count, 3):
        bodies.append(straight(*[put(cell(n), 1) for n in range(first, first + 3)], name=f"writes{first}"))
        bodies.append(straight(*[put(cell(n), 2) for n in range(first, first + 3)], name=f"writes_too{first}"))
    return program([variable(f"v{n}") for n in range(3 * count)], bodies)


def test_more_classes_than_bits_are_those_of_the_same_threads() -> None:
    """90 cells that steps tell apart, in 30 classes: nobody but the two of a pair is in its way."""
    sets = find_persistent_sets(pairs(30), [])
    interpreter = Interpreter(pairs(30))
    (start,) = interpreter.initial()
    assert {step.action.thread for step in sets.of(start, interpreter.successors(start))} == {0, 1}
    assert max(access.future for own in sets.accesses for access in own.values()) < 1 << 30


def test_cells_of_one_thread_alone_and_cells_that_nobody_writes_are_no_class() -> None:
    one = straight(put(cell(0), 1), put(cell(1), load(2)), name="one")
    other = straight(put(cell(1), load(2)), name="other")
    sets = find_persistent_sets(program([variable("mine"), variable("ours"), variable("read")], [one, other]), [])
    assert {access.future | access.reads for own in sets.accesses for access in own.values()} == {1}
    assert [[access.writes for access in own.values()] for own in sets.accesses] == [[0, 1], [1]]
